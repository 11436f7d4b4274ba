import { CHUNK_ROW_COUNT } from './chunks.ts';
import { typicalValue } from './integer-packing.ts';

/**
 * Predictions of an integer from those before it; what is stored are the residuals. A prediction is
 * integer arithmetic of 32 bits or exact in a double, so that every reader computes the same.
 */
export const NO_PREDICTION = 0;
/** The previous integer. */
export const DELTA = 1;
/** The previous integer and once more the last difference. */
const DELTA_OF_DELTA = 2;
/** Plus 1 to 7: exponential smoothing that takes so many eighths of the newest integer. */
const SMOOTHING = 2;
export const PREDICTOR_MAX = 9;

/** How far from the first one the integers of smoothing may lie, so that 32 bits hold all products. */
const SMOOTHING_DISTANCE_MAX: number = 2 ** 23;

/** Integers that the choice of a predictor looks at: this many stretches of so many rows. */
const SAMPLE_STRETCH_COUNT = 4;
const SAMPLE_STRETCH_ROW_COUNT = 64;
/** Stretches of series that are short themselves. */
const SHORT_STRETCH_ROW_COUNT = 32;
const SHORT_COUNT_MAX = 1024;
const SAMPLE_COUNT_MAX: number = SAMPLE_STRETCH_COUNT * SAMPLE_STRETCH_ROW_COUNT;
/** Shorter series do not gain a byte. */
const SMOOTHING_COUNT_MIN = 64;
/** Bits a row that a slower prediction must save. */
const SMOOTHING_GAIN_BITS = 0.03;
const DELTA_OF_DELTA_GAIN_BITS = 0.1;
const DELTA_GAIN_BITS = 0.02;
/** Deltas that turn back less than so do not pay for smoothing. */
const TURNING_MIN = 0.1;
/** Deltas above so many times the mean magnitude are outliers, and cut for the correlation. */
const OUTLIER_RATIO = 4;
const EIGHTHS_MAX = 6;

const sample = new Float64Array(SAMPLE_COUNT_MAX);
/** Residuals of the sample by the predictor that is being tried. */
const trial = new Float64Array(SAMPLE_COUNT_MAX);

/** How many integers stand before the residuals, at most: what a prediction needs to begin with. */
export function leadCount(predictor: number): number {
  return predictor > DELTA_OF_DELTA ? 1 : predictor;
}

/** The predictor with the smallest residuals, in the mean of their logarithms over a sample. */
export function choosePredictor(integers: Float64Array, count: number): number {
  if (count < 3) return NO_PREDICTION;
  const sampleCount = takeSample(integers, count);
  let best = NO_PREDICTION;
  let bestBits = meanBits(sample, sampleCount, typicalValue(sample, sampleCount));
  const deltaCount = sampleCount - 1;
  for (let i = 0; i < deltaCount; i++) trial[i] = sample[i + 1]! - sample[i]!;
  const deltaBits = meanBits(trial, deltaCount, typicalValue(trial, deltaCount));
  const turning = turningOf(deltaCount);
  if (deltaBits < bestBits - DELTA_GAIN_BITS) {
    best = DELTA;
    bestBits = deltaBits;
  }
  if (turning < 0) {
    for (let i = 1; i < deltaCount; i++) trial[i - 1] = trial[i]! - trial[i - 1]!;
    const secondBits = meanBits(trial, deltaCount - 1, 0);
    return secondBits < bestBits - DELTA_OF_DELTA_GAIN_BITS ? DELTA_OF_DELTA : best;
  }
  if (turning < TURNING_MIN || count < SMOOTHING_COUNT_MIN || !isNear(sampleCount)) return best;
  const eighths = chooseEighths(sampleCount, turning);
  return eighthsBits < bestBits - SMOOTHING_GAIN_BITS ? SMOOTHING + eighths : best;
}

/** Stretches one after the other, as distances from the first: their seams are few and hurt all alike. */
function takeSample(integers: Float64Array, count: number): number {
  const first = integers[0]!;
  const rowCount = count < SHORT_COUNT_MAX ? SHORT_STRETCH_ROW_COUNT : SAMPLE_STRETCH_ROW_COUNT;
  const sampleCount = SAMPLE_STRETCH_COUNT * rowCount;
  if (count <= sampleCount) {
    for (let i = 0; i < count; i++) sample[i] = integers[i]! - first;
    return count;
  }
  const gap = Math.floor((count - rowCount) / (SAMPLE_STRETCH_COUNT - 1)) - rowCount;
  for (let i = 0, from = 0, end = rowCount; i < sampleCount; from += gap, end += rowCount) {
    for (; i < end; i++) sample[i] = integers[from + i]! - first;
  }
  return sampleCount;
}

function isNear(count: number): boolean {
  for (let i = 1; i < count; i++)
    if (!(Math.abs(sample[i]!) <= SMOOTHING_DISTANCE_MAX)) return false;
  return true;
}

/** A product up to this times one more magnitude is below the largest double. */
const PRODUCT_MAX = 1e290;

/** Mean of log2(1 + |value - center|) over the first `count`, with few logarithms. */
function meanBits(values: Float64Array, count: number, center: number): number {
  let bits = 0;
  let product = 1;
  for (let i = 0; i < count; i++) {
    product *= 1 + Math.abs(values[i]! - center);
    if (product > PRODUCT_MAX) {
      bits += Math.log2(product);
      product = 1;
    }
  }
  return (bits + Math.log2(product)) / count;
}

/** Correlation of each delta in `trial` with the one before, with its sign turned. */
function turningOf(count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += Math.abs(trial[i]!);
  const most = (OUTLIER_RATIO * sum) / count;
  let squares = 0;
  let products = 0;
  let previous = 0;
  for (let i = 0; i < count; i++) {
    const delta = Math.max(-most, Math.min(most, trial[i]!));
    squares += delta * delta;
    products += delta * previous;
    previous = delta;
  }
  return squares === 0 ? 0 : -products / squares;
}

/** Mean bits of the share that was chosen last. */
let eighthsBits = 0;

/**
 * The share of the newest integer that suits best. A random walk under noise with so much turning has
 * a known best share; what is found from there on by trial is the best one for the sample.
 */
function chooseEighths(count: number, turning: number): number {
  const ratio = Math.max(0, 1 / turning - 2);
  const share = (Math.sqrt(ratio * ratio + 4 * ratio) - ratio) / 2;
  let best = Math.max(1, Math.min(EIGHTHS_MAX, Math.round(8 * share)));
  let bestBits = bitsOfSmoothed(count, best);
  const start = best;
  for (let eighths = start - 1; eighths >= 1; eighths--) {
    const bits = bitsOfSmoothed(count, eighths);
    if (bits >= bestBits) break;
    best = eighths;
    bestBits = bits;
  }
  for (let eighths = start + 1; best >= start && eighths <= EIGHTHS_MAX; eighths++) {
    const bits = bitsOfSmoothed(count, eighths);
    if (bits >= bestBits) break;
    best = eighths;
    bestBits = bits;
  }
  eighthsBits = bestBits;
  return best;
}

function bitsOfSmoothed(count: number, eighths: number): number {
  let level = 0;
  let bits = 0;
  let product = 1;
  for (let i = 1; i < count; i++) {
    const integer = sample[i]! | 0;
    product *= 1 + Math.abs((integer - ((level + 8) >> 4)) | 0);
    if (product > PRODUCT_MAX) {
      bits += Math.log2(product);
      product = 1;
    }
    level = nextLevel(level, integer, eighths);
  }
  return (bits + Math.log2(product)) / (count - 1);
}

/** Least and greatest of the residuals that were computed last. */
export const residualBounds: { min: number; max: number } = {
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
};

/** Writes the residuals after the lead. Returns false when the predictor does not suit some integer. */
export function computeResiduals(
  integers: Float64Array,
  count: number,
  predictor: number,
  residuals: Float64Array,
): boolean {
  if (predictor === NO_PREDICTION) copy(integers, count, residuals);
  else if (predictor === DELTA) differ(integers, count, residuals);
  else if (predictor === DELTA_OF_DELTA) differTwice(integers, count, residuals);
  else return smooth(integers, count, predictor - SMOOTHING, residuals);
  const { min, max } = residualBounds;
  return min >= -Number.MAX_SAFE_INTEGER && max <= Number.MAX_SAFE_INTEGER;
}

function copy(integers: Float64Array, count: number, residuals: Float64Array): void {
  let min = integers[0]!;
  let max = min;
  for (let i = 0; i < count; i++) {
    const integer = integers[i]!;
    residuals[i] = integer;
    if (integer < min) min = integer;
    if (integer > max) max = integer;
  }
  residualBounds.min = min;
  residualBounds.max = max;
}

function differ(integers: Float64Array, count: number, residuals: Float64Array): void {
  residualBounds.min = Number.POSITIVE_INFINITY;
  residualBounds.max = Number.NEGATIVE_INFINITY;
  for (let from = 1; from < count; from += CHUNK_ROW_COUNT) {
    differChunk(integers, from, Math.min(from + CHUNK_ROW_COUNT, count), residuals);
  }
}

function differChunk(
  integers: Float64Array,
  from: number,
  to: number,
  residuals: Float64Array,
): void {
  let { min, max } = residualBounds;
  let previous = integers[from - 1]!;
  for (let i = from; i < to; i++) {
    const integer = integers[i]!;
    const delta = integer - previous;
    residuals[i - 1] = delta;
    if (delta < min) min = delta;
    if (delta > max) max = delta;
    previous = integer;
  }
  residualBounds.min = min;
  residualBounds.max = max;
}

/** No bounds when a delta, which the sums of second deltas pass through, is no safe integer. */
function differTwice(integers: Float64Array, count: number, residuals: Float64Array): void {
  let previous = integers[1]!;
  let delta = previous - integers[0]!;
  let deltaMin = delta;
  let deltaMax = delta;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 2; i < count; i++) {
    const integer = integers[i]!;
    const nextDelta = integer - previous;
    const second = nextDelta - delta;
    residuals[i - 2] = second;
    if (second < min) min = second;
    if (second > max) max = second;
    if (nextDelta < deltaMin) deltaMin = nextDelta;
    if (nextDelta > deltaMax) deltaMax = nextDelta;
    delta = nextDelta;
    previous = integer;
  }
  const isSafe = deltaMax <= Number.MAX_SAFE_INTEGER && deltaMin >= -Number.MAX_SAFE_INTEGER;
  residualBounds.min = isSafe ? min : Number.NEGATIVE_INFINITY;
  residualBounds.max = max;
}

/**
 * The level, in sixteenths, after one more integer. 32 bits throughout: residuals that no writer made
 * overflow, but to the same integers in every reader.
 */
function nextLevel(level: number, integer: number, eighths: number): number {
  return (level + (Math.imul((integer << 4) - level, eighths) >> 3)) | 0;
}

function smooth(
  integers: Float64Array,
  count: number,
  eighths: number,
  residuals: Float64Array,
): boolean {
  residualBounds.min = SMOOTHING_DISTANCE_MAX * 2;
  residualBounds.max = -residualBounds.min;
  smoothing.eighths = eighths;
  smoothing.level = 0;
  for (let from = 1; from < count; from += CHUNK_ROW_COUNT) {
    const to = Math.min(from + CHUNK_ROW_COUNT, count);
    if (!smoothChunk(integers, from, to, residuals)) return false;
  }
  return true;
}

/** What goes over from one chunk of rows to the next. */
const smoothing: { eighths: number; level: number } = { eighths: 0, level: 0 };

function smoothChunk(
  integers: Float64Array,
  from: number,
  to: number,
  residuals: Float64Array,
): boolean {
  const first = integers[0]!;
  const { eighths } = smoothing;
  let { level } = smoothing;
  let { min, max } = residualBounds;
  for (let i = from; i < to; i++) {
    const distance = integers[i]! - first;
    if (!(Math.abs(distance) <= SMOOTHING_DISTANCE_MAX)) return false;
    const integer = distance | 0;
    const residual = (integer - ((level + 8) >> 4)) | 0;
    residuals[i - 1] = residual;
    if (residual < min) min = residual;
    if (residual > max) max = residual;
    level = nextLevel(level, integer, eighths);
  }
  smoothing.level = level;
  residualBounds.min = min;
  residualBounds.max = max;
  return true;
}

/** The rows `[at, at + count)` of a column, and what its integers are divided by: 1 for integers. */
export interface RestoredRows {
  readonly at: number;
  readonly count: number;
  readonly scale: number;
}

/** Turns the lead and the residuals after it into the integers, divided by the scale, in place. */
export function restoreIntegers(out: Float64Array, predictor: number, rows: RestoredRows): void {
  const { at, scale } = rows;
  const end = at + rows.count;
  if (predictor === DELTA_OF_DELTA) restoreTwice(out, rows);
  else if (predictor === DELTA) {
    let integer = 0;
    for (let from = at; from < end; from += CHUNK_ROW_COUNT) {
      integer = sumChunk(out, from, Math.min(from + CHUNK_ROW_COUNT, end), { integer, scale });
    }
  } else if (predictor > DELTA_OF_DELTA) restoreSmoothed(out, predictor - SMOOTHING, rows);
  else if (scale !== 1) {
    for (let from = at; from < end; from += CHUNK_ROW_COUNT) {
      divideChunk(out, from, Math.min(from + CHUNK_ROW_COUNT, end), scale);
    }
  }
}

function divideChunk(out: Float64Array, from: number, to: number, scale: number): void {
  for (let i = from; i < to; i++) out[i] = out[i]! / scale;
}

/** Begins with the integer before the chunk and returns its last one. */
function sumChunk(
  out: Float64Array,
  from: number,
  to: number,
  { integer, scale }: { readonly integer: number; readonly scale: number },
): number {
  let sum = integer;
  for (let i = from; i < to; i++) {
    sum += out[i]!;
    out[i] = sum / scale;
  }
  return sum;
}

function restoreTwice(out: Float64Array, { at, count, scale }: RestoredRows): void {
  let integer = out[at]!;
  let delta = 0;
  out[at] = integer / scale;
  for (let i = at + 1; i < at + count; i++) {
    delta += out[i]!;
    integer += delta;
    out[i] = integer / scale;
  }
}

function restoreSmoothed(
  out: Float64Array,
  eighths: number,
  { at, count, scale }: RestoredRows,
): void {
  const first = out[at]!;
  const end = at + count;
  out[at] = first / scale;
  smoothing.eighths = eighths;
  smoothing.level = 0;
  for (let from = at + 1; from < end; from += CHUNK_ROW_COUNT) {
    const to = Math.min(from + CHUNK_ROW_COUNT, end);
    restoreChunk(out, from, to, { first, scale });
  }
}

/**
 * The way to the next level is taken from the residual and from what rounding the level lost, not from
 * the integer: each row waits for the one before, and this is the shortest way from row to row.
 */
function restoreChunk(
  out: Float64Array,
  from: number,
  to: number,
  { first, scale }: { readonly first: number; readonly scale: number },
): void {
  const { eighths } = smoothing;
  let rounded = (smoothing.level + 8) | 0;
  for (let i = from; i < to; i++) {
    const residual = out[i]! | 0;
    out[i] = (first + (((rounded >> 4) + residual) | 0)) / scale;
    const distance = ((residual << 4) + 8 - (rounded & 15)) | 0;
    rounded = (rounded + (Math.imul(distance, eighths) >> 3)) | 0;
  }
  smoothing.level = rounded - 8;
}
