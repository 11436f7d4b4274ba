import { type Expectation, type GroupExpectation, NO_ROW } from '../backends/backend.ts';
import type { StreamId } from '../model/stream.ts';
import type { LiveStream } from './live-stream.ts';
import { SharedProgress } from './shared-progress.ts';

/** Streams that have rows in the same ticks; no duplicates. */
export class TickGroup {
  /** Frozen: the store recognises it from tick to tick. */
  readonly streamIds: readonly StreamId[];
  readonly streams: readonly LiveStream[];
  /** Of the streams whose last rows came in a tick of this group. */
  readonly #progress = new SharedProgress(0, Number.NEGATIVE_INFINITY);
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
    if (this.#isTogether || streams.every((stream) => stream.version === version)) {
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

  /** Whether a tick is not older than what its streams have, and lies in nothing that their levels have. */
  isInOrder(timestampMs: number): boolean {
    if (this.#isTogether) return timestampMs >= this.#progress.latestMs;
    for (const { latestMs, levelUntilMs } of this.streams) {
      if (latestMs !== null && timestampMs < latestMs) return false;
      if (timestampMs < levelUntilMs) return false;
    }
    return true;
  }

  /** Takes over that a tick is stored, which was in order. */
  adopt(timestampMs: number, values: Float64Array, version: number | string): void {
    if (values.includes(NO_ROW)) {
      this.#adoptPart(timestampMs, values, version);
      return;
    }
    const progress = this.#progress;
    const wereTogether = this.#isTogether;
    progress.version = version;
    progress.latestMs = timestampMs;
    if (wereTogether) return;
    for (const stream of this.streams) stream.share(progress);
  }

  /** As `adopt`, where some streams have no row: they are no longer as far as the others. */
  #adoptPart(timestampMs: number, values: Float64Array, version: number | string): void {
    for (const [row, stream] of this.streams.entries()) {
      if (values[row] === NO_ROW) {
        stream.moveTo(stream.version, stream.latestMs);
        continue;
      }
      stream.isInUse = true;
      stream.moveTo(version, timestampMs);
      if (stream.earliestMs === null) stream.earliestMs = timestampMs;
    }
  }

  /** Whether all streams came to where they are with the last tick. */
  get #isTogether(): boolean {
    return this.#progress.memberCount === this.streams.length;
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
