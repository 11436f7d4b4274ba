import type { Datastream } from '../../api/datastream.ts';
import type { Tags } from '../../model/tags.ts';
import type { DummyType } from './dummy-types.ts';

/** What all invented streams have, and no other. */
export const DUMMY_TAGS: Tags = Object.freeze({ source: 'dummy' });

/** Datapoints that are stored in one append. */
const CHUNK_ROW_COUNT = 50_000;

interface DummyStream {
  readonly id: string;
  readonly isNumeric: boolean;
  /** From this instant on there is nothing yet. */
  readonly fromMs: number;
  readonly nextValue: () => unknown;
}

/** Streams with invented values, at whole multiples of an interval. */
export class DummyStreams {
  readonly #datastream: Datastream;
  readonly #intervalMs: number;
  readonly #streams: readonly DummyStream[];

  private constructor(
    datastream: Datastream,
    { intervalMs, streams }: { intervalMs: number; streams: readonly DummyStream[] },
  ) {
    this.#datastream = datastream;
    this.#intervalMs = intervalMs;
    this.#streams = streams;
  }

  /** Finds or makes so many streams, of the types in turn. */
  static async ensure(
    datastream: Datastream,
    {
      count,
      types,
      intervalMs,
    }: {
      readonly count: number;
      readonly types: readonly DummyType[];
      readonly intervalMs: number;
    },
  ): Promise<DummyStreams> {
    const streams: DummyStream[] = [];
    for (let number = 0; number < count; number++) {
      const type = types[number % types.length]!;
      const query = { ...DUMMY_TAGS, stream_number: number, value_kind: type.text };
      const id = await datastream.ensureStream(query, {
        tags: {
          title: `Stream ${number}`,
          description: `Invented: ${type.text}`,
          unit_description: `Values of ${type.text}`,
          ...(type.visualization !== null && { visualization: type.visualization as Tags }),
        },
        valueType: type.valueType,
        valueDownsamplers: type.downsamplers,
        highestGranularity: 'seconds',
      });
      const { latestDatapoint } = await datastream.getStream(id);
      streams.push({
        id,
        isNumeric: type.valueType === 'numeric',
        fromMs: latestDatapoint === null ? -Infinity : latestDatapoint.getTime() + intervalMs,
        nextValue: type.newValues(Math.random),
      });
    }
    return new DummyStreams(datastream, { intervalMs, streams });
  }

  /**
   * Fills the instants `[startMs, endMs)` that are behind what the streams have. Between chunks it looks whether it
   * is to end. @returns how many datapoints were stored.
   */
  async fill(
    { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
    signal: AbortSignal,
  ): Promise<number> {
    let count = 0;
    for (const { id, isNumeric, fromMs, nextValue } of this.#streams) {
      const times = this.#instants(Math.max(startMs, fromMs), endMs);
      for (let at = 0; at < times.length; at += CHUNK_ROW_COUNT) {
        signal.throwIfAborted();
        const timestamps = times.subarray(at, at + CHUNK_ROW_COUNT);
        const given = Array.from(timestamps, () => nextValue());
        const values = isNumeric ? Float64Array.from(given as number[]) : given;
        await this.#datastream.appendColumns(id, { timestamps, values });
        count += timestamps.length;
      }
    }
    return count;
  }

  /** Appends one value to each stream. @returns how many. */
  async tick(timestampMs: number): Promise<number> {
    const items = this.#streams.map(({ id, nextValue }) => ({
      streamId: id,
      value: nextValue(),
      timestamp: timestampMs,
    }));
    await this.#datastream.appendMultiple(items);
    return items.length;
  }

  #instants(fromMs: number, endMs: number): Float64Array {
    const firstMs = Math.ceil(fromMs / this.#intervalMs) * this.#intervalMs;
    const length = Math.max(0, Math.ceil((endMs - firstMs) / this.#intervalMs));
    return Float64Array.from({ length }, (_, i) => firstMs + i * this.#intervalMs);
  }
}
