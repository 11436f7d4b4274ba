import { interpolate } from '../../model/interpolate.ts';

/** How several values of one moment become one: their mean, or the extreme of them. */
export type Thinning = 'mean' | 'min' | 'max';

export interface Point {
  readonly timeMs: number;
  /** NaN where there is no data. */
  readonly value: number;
}

interface Bin {
  readonly index: number;
  readonly timeMs: number;
  value: number;
  /** Of values that are not NaN. */
  count: number;
}

/**
 * Keeps a series of any length in bounded memory: points of one step of time become one, and the step
 * doubles whenever there are more than `binCountMax` of them.
 */
export class Thinner {
  readonly #thinning: Thinning;
  readonly #binCountMax: number;
  #stepMs: number;
  #bins: Bin[] = [];

  constructor(options: {
    readonly thinning: Thinning;
    readonly stepMs: number;
    readonly binCountMax: number;
  }) {
    this.#thinning = options.thinning;
    this.#stepMs = options.stepMs;
    this.#binCountMax = options.binCountMax;
  }

  /** Takes a point, NaN for no data; times ascend, or descend, from one to the next. */
  add(timeMs: number, value: number): void {
    this.#put({
      index: Math.floor(timeMs / this.#stepMs),
      timeMs,
      value,
      count: Number.isNaN(value) ? 0 : 1,
    });
    while (this.#bins.length > this.#binCountMax) this.#double();
  }

  /** Ascending in time. */
  points(): readonly Point[] {
    return this.#bins
      .map((bin) => ({ timeMs: bin.timeMs, value: bin.value }))
      .sort((a, b) => a.timeMs - b.timeMs);
  }

  #double(): void {
    const bins = this.#bins;
    this.#bins = [];
    this.#stepMs *= 2;
    for (const bin of bins) this.#put({ ...bin, index: Math.floor(bin.timeMs / this.#stepMs) });
  }

  #put(bin: Bin): void {
    const last = this.#bins.at(-1);
    if (last === undefined || last.index !== bin.index) {
      this.#bins.push(bin);
      return;
    }
    // Where data is missing for a part of a bin only, the bin has the rest.
    if (bin.count === 0) return;
    last.value = last.count === 0 ? bin.value : joinValues(this.#thinning, last, bin);
    last.count += bin.count;
  }
}

interface Weighted {
  readonly value: number;
  readonly count: number;
}

/** The value of two moments taken together. */
export function joinValues(thinning: Thinning, a: Weighted, b: Weighted): number {
  if (thinning === 'min') return Math.min(a.value, b.value);
  if (thinning === 'max') return Math.max(a.value, b.value);
  return interpolate(a.value, b.value, b.count / (a.count + b.count));
}
