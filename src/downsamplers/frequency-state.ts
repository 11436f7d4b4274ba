import { canonicalJson, type Json } from '../model/tags.ts';

/**
 * More distinct values than this in a bucket are not told apart: the first ones to appear are kept, all
 * datapoints of further ones are counted together. The most and least frequent are then of the kept ones.
 */
export const FREQUENCY_VALUE_COUNT_MAX = 1000;

/** Stored form: the kept values with their counts in order of first appearance, and the rest's count. */
export interface FrequencyState {
  readonly f: readonly (readonly [value: Json, count: number])[];
  /** Absent when every distinct value was kept. */
  readonly o?: number;
}

/** The distinct values of a bucket that is being filled. */
export class FrequencyCounter {
  readonly #entries: Map<string, [value: Json, count: number]> = new Map();
  #otherCount = 0;

  add(value: Json, count: number): void {
    const key = canonicalJson(value);
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry[1] += count;
    else if (this.#entries.size < FREQUENCY_VALUE_COUNT_MAX) this.#entries.set(key, [value, count]);
    else this.#otherCount += count;
  }

  merge(state: FrequencyState): void {
    for (const [value, count] of state.f) this.add(value, count);
    this.#otherCount += state.o ?? 0;
  }

  state(): FrequencyState {
    const f = [...this.#entries.values()];
    return this.#otherCount === 0 ? { f } : { f, o: this.#otherCount };
  }
}

/** Null when nothing was counted. */
export function mostFrequent({ f }: FrequencyState): Json {
  let best = f[0];
  for (const entry of f) if (entry[1] > best![1]) best = entry;
  return best === undefined ? null : structuredClone(best[0]);
}

/** Null when nothing was counted. */
export function leastFrequent({ f }: FrequencyState): Json {
  let best = f[0];
  for (const entry of f) if (entry[1] < best![1]) best = entry;
  return best === undefined ? null : structuredClone(best[0]);
}

/** Counts by the string itself, or by canonical JSON text; "1" and 1 share a key, and so a count. */
export function frequencyTable({ f }: FrequencyState): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const [value, count] of f) {
    const key = typeof value === 'string' ? value : canonicalJson(value);
    counts.set(key, (counts.get(key) ?? 0) + count);
  }
  return Object.fromEntries(counts);
}
