import { performance } from 'node:perf_hooks';
import type { Datastream } from '../../api/datastream.ts';
import type { Stream } from '../../api/types.ts';
import { countByLevels, type DatapointCount } from './datapoint-count.ts';

/** What a stream holds. */
export interface StreamMeasure extends DatapointCount {
  /** About; null where the store does not know. */
  readonly sizeBytes: number | null;
}

interface Held {
  readonly measure: StreamMeasure;
  readonly version: string;
  /** Until when it is good enough for a stream that has changed. */
  readonly freshUntilMs: number;
}

/** Measures are held for so many streams. */
const HELD_COUNT_MAX = 10_000;
/** What took long is not done again for so many times as long: measuring takes a hundredth of the time, at most. */
const REST_FACTOR = 100;

/** Measures streams; those that did not change, or took long a short while ago, are not measured again. */
export class StreamMeasures {
  readonly #datastream: Datastream;
  readonly #held: Map<string, Held> = new Map();

  constructor(datastream: Datastream) {
    this.#datastream = datastream;
  }

  async of(stream: Stream): Promise<StreamMeasure> {
    const { id, version } = stream;
    const held = this.#held.get(id);
    const startMs = performance.now();
    if (held?.version === version || (held?.freshUntilMs ?? 0) > startMs) return held!.measure;
    const measure = await this.#measured(stream);
    const endMs = performance.now();
    // The oldest ones make room: a map keeps the order in which they came.
    this.#held.delete(id);
    if (this.#held.size >= HELD_COUNT_MAX) this.#held.delete(this.#held.keys().next().value!);
    const freshUntilMs = endMs + (endMs - startMs) * REST_FACTOR;
    this.#held.set(id, { measure, version, freshUntilMs });
    return measure;
  }

  async #measured(stream: Stream): Promise<StreamMeasure> {
    const size = await this.#datastream.streamSize(stream.id);
    if (size === null)
      return { ...(await countByLevels(this.#datastream, stream)), sizeBytes: null };
    return { count: size.rowCount, certainty: 'exact', sizeBytes: size.sizeBytes };
  }
}
