import { DDSketch } from '@datadog/sketches-js';
import type { Decimal } from 'decimal.js';
import { addExact, decimalOf, multiplyExact } from '../model/high-accuracy.ts';

/** Up to so many values (an already downsampled one is one) the median of a bucket is exact. */
export const MEDIAN_EXACT_COUNT_MAX = 128;

/** Beyond that, the result is within this fraction of the middle value (the lower one of two). */
export const MEDIAN_RELATIVE_ERROR = 0.01;

/** Values as they arrived (decimal strings on high-accuracy streams); `w` absent when all weigh 1. */
interface ExactMedianState {
  readonly v: readonly (number | string)[];
  readonly w?: readonly number[];
}

/**
 * Bins of a DDSketch (Masson, Rim, Lee 2019): pairs of key and count, ascending by key, of the positive
 * (`p`) and negative (`m`) values, and the count of zeros.
 */
interface SketchMedianState {
  readonly p: readonly number[];
  readonly m: readonly number[];
  readonly z: number;
}

/** Stored form. */
export type MedianState = ExactMedianState | SketchMedianState;

/**
 * The values of a bucket that is being filled. The result does not depend on the order of values, nor on
 * which of them came merged.
 */
export class MedianCollector {
  #values: (number | string)[] = [];
  #weights: number[] | null = null;
  #sketch: DDSketch | null = null;

  /** @param weight above 0. */
  add(value: number | string, weight: number): void {
    if (this.#sketch === null && this.#values.length === MEDIAN_EXACT_COUNT_MAX) this.#toSketch();
    if (this.#sketch !== null) {
      accept(this.#sketch, value, weight);
      return;
    }
    if (weight !== 1 && this.#weights === null) this.#weights = this.#values.map(() => 1);
    this.#weights?.push(weight);
    // Stores keep states as JSON, which has no -0.
    this.#values.push(value === 0 ? 0 : value);
  }

  merge(state: MedianState): void {
    if ('v' in state) {
      for (let i = 0; i < state.v.length; i++) this.add(state.v[i]!, state.w?.[i] ?? 1);
      return;
    }
    if (this.#sketch === null) this.#toSketch();
    addBins(this.#sketch!, state);
  }

  state(): MedianState {
    if (this.#sketch !== null) return sketchState(this.#sketch);
    return this.#weights === null ? { v: this.#values } : { v: this.#values, w: this.#weights };
  }

  #toSketch(): void {
    const sketch = newSketch();
    this.#values.forEach((value, i) => {
      accept(sketch, value, this.#weights?.[i] ?? 1);
    });
    this.#sketch = sketch;
    this.#values = [];
    this.#weights = null;
  }
}

/** The median in float64; NaN when there is no value. */
export function plainMedian(state: MedianState): number {
  if (!('v' in state)) return sketchMedian(state);
  if (state.v.length === 0) return Number.NaN;
  const [low, high] = middlePair(state, (a, b) => Number(a) - Number(b)).map(Number);
  const sum = low! + high!;
  return Number.isFinite(sum) ? sum / 2 : low! / 2 + high! / 2;
}

/** The median as a decimal: exact, unless it comes from a sketch. Null when there is no value. */
export function decimalMedian(state: MedianState): Decimal | null {
  if (!('v' in state)) return decimalOf(sketchMedian(state));
  if (state.v.length === 0) return null;
  const [low, high] = middlePair(state, (a, b) => decimalOf(a).cmp(decimalOf(b))).map(decimalOf);
  return multiplyExact(addExact(low!, high!), decimalOf(0.5));
}

/** The lower and upper middle value; the same one twice when the weights add up to an odd number. */
function middlePair(
  { v, w }: ExactMedianState,
  compare: (a: number | string, b: number | string) => number,
): readonly [number | string, number | string] {
  const order = v.map((_, i) => i).sort((a, b) => compare(v[a]!, v[b]!));
  const total = w === undefined ? v.length : w.reduce((sum, weight) => sum + weight, 0);
  const at = (rank: number): number | string => {
    let passed = 0;
    for (const i of order) {
      passed += w?.[i] ?? 1;
      if (passed > rank) return v[i]!;
    }
    return v[order.at(-1)!]!;
  };
  return [at(Math.floor((total - 1) / 2)), at(Math.floor(total / 2))];
}

function newSketch(): DDSketch {
  return new DDSketch({ relativeAccuracy: MEDIAN_RELATIVE_ERROR });
}

function accept(sketch: DDSketch, value: number | string, weight: number): void {
  const number = Number(value);
  const limit = sketch.mapping.maxPossible;
  sketch.accept(Math.min(limit, Math.max(-limit, number)), weight);
}

function sketchMedian(state: SketchMedianState): number {
  const sketch = newSketch();
  addBins(sketch, state);
  // The exact rank of an even count lies between two values; the sketch answers with the lower one.
  return sketch.getValueAtQuantile(0.5);
}

// The library's own merge leaves out negative values, and its protobuf form needs another package.
function addBins(sketch: DDSketch, { p, m, z }: SketchMedianState): void {
  for (let i = 0; i < p.length; i += 2) sketch.store.add(p[i]!, p[i + 1]!);
  for (let i = 0; i < m.length; i += 2) sketch.negativeStore.add(m[i]!, m[i + 1]!);
  sketch.zeroCount += z;
  sketch.count = sketch.store.count + sketch.negativeStore.count + sketch.zeroCount;
}

function sketchState(sketch: DDSketch): SketchMedianState {
  return { p: bins(sketch.store), m: bins(sketch.negativeStore), z: sketch.zeroCount };
}

function bins(store: DDSketch['store']): readonly number[] {
  const pairs: number[] = [];
  store.bins.forEach((count, i) => {
    if (count > 0) pairs.push(i + store.offset, count);
  });
  return pairs;
}
