import { type Expectation, type GroupExpectation, NO_ROW } from '../backends/backend.ts';
import type { StreamId } from '../model/stream.ts';
import type { LiveStream } from './live-stream.ts';

/** Streams that have rows in the same ticks; no duplicates. */
export class TickGroup {
  /** Frozen: the store recognises it from tick to tick. */
  readonly streamIds: readonly StreamId[];
  readonly streams: readonly LiveStream[];
  /** As they were asked for last, one by one; empty while the streams had the same version. */
  #expected: readonly Expectation[] = [];

  constructor(streamIds: readonly StreamId[], streams: readonly LiveStream[]) {
    this.streamIds = streamIds;
    this.streams = streams;
  }

  static of(streams: readonly LiveStream[]): TickGroup {
    return new TickGroup(Object.freeze(streams.map(({ streamId }) => streamId)), streams);
  }

  /** Adds what this process believes about the versions of the streams. */
  expectVersions(expect: Expectation[], expectGroups: GroupExpectation[]): void {
    const { streams } = this;
    if (streams.length === 0) return;
    const { version } = streams[0]!;
    if (streams.every((stream) => stream.version === version)) {
      this.#expected = [];
      expectGroups.push({ streamIds: this.streamIds, version });
      return;
    }
    const isKnown =
      this.#expected.length > 0 &&
      streams.every((stream, row) => stream.version === this.#expected[row]!.version);
    if (!isKnown) {
      this.#expected = streams.map((stream) => ({
        streamId: stream.streamId,
        version: stream.version,
      }));
    }
    for (const expected of this.#expected) expect.push(expected);
  }

  /** Takes over that a tick is stored. */
  adopt(timestampMs: number, values: Float64Array, version: number | string): void {
    const { streams } = this;
    for (let row = 0; row < streams.length; row++) {
      if (values[row] === NO_ROW) continue;
      const stream = streams[row]!;
      stream.version = version;
      stream.latestMs = timestampMs;
      stream.isInUse = true;
      if (stream.earliestMs === null) stream.earliestMs = timestampMs;
    }
  }
}

/** One datapoint for each of many streams, on its way to the store. */
export interface PlannedTick {
  readonly timestampMs: number;
  /** The streams, row by row. The same object as long as the streams are the same. */
  readonly plan: TickGroup;
  /** NaN = null; `NO_ROW` = the stream has no row in the tick. */
  readonly values: Float64Array;
}
