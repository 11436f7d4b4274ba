import { DDSketch } from '@datadog/sketches-js';
import type { Decimal } from 'decimal.js';
import { assert } from '../model/assert.ts';
import { addExact, decimalOf, multiplyExact, subtractExact } from '../model/high-accuracy.ts';
import { interpolate } from '../model/interpolate.ts';

/** Up to so many values (an already downsampled one is one) the median of a bucket is exact. */
export const MEDIAN_EXACT_COUNT_MAX = 128;

/** Beyond that, the result is within this fraction of the middle value (the lower one of two). */
export const MEDIAN_RELATIVE_ERROR = 0.01;

/** From a rank to a whole one, as a fraction of it, that rounding alone makes. */
const RANK_TOLERANCE = 1e-12;

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
  if (!('v' in state)) return sketchValue(state, middleRank(countOfBins(state)));
  if (state.v.length === 0) return Number.NaN;
  const values = rankedNumbers(state);
  const [low, high] = middlePair(state, values);
  const sum = low + high;
  return Number.isFinite(sum) ? sum / 2 : low / 2 + high / 2;
}

/** The median as a decimal: exact, unless it comes from a sketch. Null when there is no value. */
export function decimalMedian(state: MedianState): Decimal | null {
  if (!('v' in state)) return decimalOf(plainMedian(state));
  if (state.v.length === 0) return null;
  const [low, high] = middlePair(state, rankedDecimals(state));
  return multiplyExact(addExact(low, high), decimalOf(0.5));
}

/** A percentile in float64, as `percentile` defines it; NaN when there is no value. */
export function plainPercentile(state: MedianState, percentage: number): number {
  const rank = rankOf(state, percentage);
  if (!('v' in state)) return sketchValue(state, Math.floor(rank));
  if (state.v.length === 0) return Number.NaN;
  const valueAt = rankedNumbers(state);
  const fraction = rank - Math.floor(rank);
  const low = valueAt(Math.floor(rank));
  if (fraction === 0) return low;
  const high = valueAt(Math.ceil(rank));
  return interpolate(low, high, fraction);
}

/** A percentile as a decimal: exact, unless it comes from a sketch. Null when there is no value. */
export function decimalPercentile(state: MedianState, percentage: number): Decimal | null {
  if (!('v' in state)) return decimalOf(plainPercentile(state, percentage));
  if (state.v.length === 0) return null;
  const valueAt = rankedDecimals(state);
  const rank = multiplyExact(
    multiplyExact(decimalOf(percentage), decimalOf(0.01)),
    decimalOf(weightOf(state) - 1),
  );
  const lowRank = rank.floor();
  const low = valueAt(lowRank.toNumber());
  const difference = subtractExact(valueAt(rank.ceil().toNumber()), low);
  return addExact(low, multiplyExact(difference, subtractExact(rank, lowRank)));
}

type ValueAtRank<Value> = (rank: number) => Value;

/** The lower and upper middle value; the same one twice when the weights add up to an odd number. */
function middlePair<Value>(
  state: ExactMedianState,
  valueAt: ValueAtRank<Value>,
): readonly [Value, Value] {
  const weight = weightOf(state);
  return [valueAt(middleRank(weight)), valueAt(Math.floor(weight / 2))];
}

/** The lower of the two middle ranks. */
function middleRank(count: number): number {
  return Math.floor((count - 1) / 2);
}

/** Counts from 0 and may lie between two whole ranks. */
function rankOf(state: MedianState, percentage: number): number {
  const count = 'v' in state ? weightOf(state) : countOfBins(state);
  const rank = (percentage * (count - 1)) / 100;
  const whole = Math.round(rank);
  // Percentages such as 99.9 are no floats: what is that near to a whole rank is one.
  return Math.abs(rank - whole) <= Math.abs(whole) * RANK_TOLERANCE ? whole : rank;
}

function weightOf({ v, w }: ExactMedianState): number {
  return w === undefined ? v.length : w.reduce((sum, weight) => sum + weight, 0);
}

function rankedNumbers({ v, w }: ExactMedianState): ValueAtRank<number> {
  const compare = (a: number, b: number): number => a - b;
  return ranked({ values: v.map(Number), weights: w, compare });
}

function rankedDecimals({ v, w }: ExactMedianState): ValueAtRank<Decimal> {
  const compare = (a: Decimal, b: Decimal): number => a.cmp(b);
  return ranked({ values: v.map(decimalOf), weights: w, compare });
}

/** Of values that each stand there as many times as they weigh, those at whole ranks from 0 in ascending order. */
function ranked<Value>({
  values,
  weights,
  compare,
}: {
  values: readonly Value[];
  weights: readonly number[] | undefined;
  compare: (a: Value, b: Value) => number;
}): ValueAtRank<Value> {
  const order = values.map((_, i) => i).sort((a, b) => compare(values[a]!, values[b]!));
  return (rank) => {
    let passed = 0;
    for (const i of order) {
      passed += weights?.[i] ?? 1;
      if (passed > rank) return values[i]!;
    }
    return values[order.at(-1)!]!;
  };
}

const MAPPING: DDSketch['mapping'] = newSketch().mapping;

function newSketch(): DDSketch {
  return new DDSketch({ relativeAccuracy: MEDIAN_RELATIVE_ERROR });
}

function accept(sketch: DDSketch, value: number | string, weight: number): void {
  const number = Number(value);
  const limit = sketch.mapping.maxPossible;
  sketch.accept(Math.min(limit, Math.max(-limit, number)), weight);
}

function countOfBins({ p, m, z }: SketchMedianState): number {
  let count = z;
  for (let i = 1; i < p.length; i += 2) count += p[i]!;
  for (let i = 1; i < m.length; i += 2) count += m[i]!;
  return count;
}

/** The value at a whole rank from 0. The library would want a sketch made of the bins for each. */
function sketchValue({ p, m, z }: SketchMedianState, rank: number): number {
  let passed = 0;
  // Of negative values, the greatest magnitude is the least.
  for (let i = m.length - 2; i >= 0; i -= 2) {
    passed += m[i + 1]!;
    if (passed > rank) return -MAPPING.value(m[i]!);
  }
  passed += z;
  if (passed > rank) return 0;
  for (let i = 0; i < p.length; i += 2) {
    passed += p[i + 1]!;
    if (passed > rank) return MAPPING.value(p[i]!);
  }
  assert(false, 'the rank is below the count');
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
