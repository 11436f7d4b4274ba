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
const SAMPLE_COUNT_MAX: number = SAMPLE_STRETCH_COUNT * SAMPLE_STRETCH_ROW_COUNT;
/** Shorter series do not gain a byte. */
const SMOOTHING_COUNT_MIN = 64;
/** Bits a row that a slower prediction must save. */
const SMOOTHING_GAIN_BITS = 0.03;
const DELTA_OF_DELTA_GAIN_BITS = 0.1;
const DELTA_GAIN_BITS = 0.02;

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
  let bestBits = bitsOfValues(sampleCount);
  const deltaBits = bitsOfDeltas(sampleCount);
  if (deltaBits < bestBits - DELTA_GAIN_BITS) {
    best = DELTA;
    bestBits = deltaBits;
  }
  const secondBits = bitsOfSecondDeltas(sampleCount);
  if (secondBits < bestBits - DELTA_OF_DELTA_GAIN_BITS) return DELTA_OF_DELTA;
  if (count < SMOOTHING_COUNT_MIN || !isNear(sampleCount)) return best;
  let smoothedBits = bestBits - SMOOTHING_GAIN_BITS;
  for (let eighths = 6; eighths >= 1; eighths--) {
    const bits = bitsOfSmoothed(sampleCount, eighths);
    if (bits < smoothedBits) {
      best = SMOOTHING + eighths;
      smoothedBits = bits;
    } else if (best > SMOOTHING) break;
  }
  return best;
}

/** Stretches one after the other, as distances from the first: their seams are few and hurt all alike. */
function takeSample(integers: Float64Array, count: number): number {
  const first = integers[0]!;
  if (count <= SAMPLE_COUNT_MAX) {
    for (let i = 0; i < count; i++) sample[i] = integers[i]! - first;
    return count;
  }
  const stride = Math.floor((count - SAMPLE_STRETCH_ROW_COUNT) / (SAMPLE_STRETCH_COUNT - 1));
  for (let i = 0; i < SAMPLE_COUNT_MAX; i++) {
    const stretch = (i / SAMPLE_STRETCH_ROW_COUNT) | 0;
    sample[i] = integers[stretch * stride + (i % SAMPLE_STRETCH_ROW_COUNT)]! - first;
  }
  return SAMPLE_COUNT_MAX;
}

function isNear(count: number): boolean {
  for (let i = 1; i < count; i++)
    if (!(Math.abs(sample[i]!) <= SMOOTHING_DISTANCE_MAX)) return false;
  return true;
}

/** Sixteen magnitudes up to 2^55, multiplied, are below the largest double. */
const FACTORS_PER_LOG = 16;

/** Mean of log2(1 + |trial - center|) over the first `count` trials, with few logarithms. */
function meanBits(count: number, center: number): number {
  let bits = 0;
  for (let start = 0; start < count; start += FACTORS_PER_LOG) {
    const end = Math.min(start + FACTORS_PER_LOG, count);
    let product = 1;
    for (let i = start; i < end; i++) product *= 1 + Math.abs(trial[i]! - center);
    bits += Math.log2(product);
  }
  return bits / count;
}

/** Around their median, because what residuals have in common costs nothing. */
function bitsOfValues(count: number): number {
  trial.set(sample);
  return meanBits(count, typicalValue(trial, count));
}

function bitsOfDeltas(count: number): number {
  for (let i = 1; i < count; i++) trial[i - 1] = sample[i]! - sample[i - 1]!;
  return meanBits(count - 1, typicalValue(trial, count - 1));
}

function bitsOfSecondDeltas(count: number): number {
  for (let i = 2; i < count; i++) trial[i - 2] = sample[i]! - 2 * sample[i - 1]! + sample[i - 2]!;
  return meanBits(count - 2, 0);
}

function bitsOfSmoothed(count: number, eighths: number): number {
  let level = 0;
  for (let i = 1; i < count; i++) {
    const integer = sample[i]! | 0;
    trial[i - 1] = (integer - ((level + 8) >> 4)) | 0;
    level = nextLevel(level, integer, eighths);
  }
  return meanBits(count - 1, 0);
}

/** Least and greatest of the residuals that were computed last. */
export const residualBounds: { min: number; max: number } = { min: 0, max: 0 };

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
  let previous = integers[0]!;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 1; i < count; i++) {
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
  const first = integers[0]!;
  let level = 0;
  let min = SMOOTHING_DISTANCE_MAX * 2;
  let max = -min;
  for (let i = 1; i < count; i++) {
    const distance = integers[i]! - first;
    if (!(Math.abs(distance) <= SMOOTHING_DISTANCE_MAX)) return false;
    const integer = distance | 0;
    const residual = (integer - ((level + 8) >> 4)) | 0;
    residuals[i - 1] = residual;
    if (residual < min) min = residual;
    if (residual > max) max = residual;
    level = nextLevel(level, integer, eighths);
  }
  residualBounds.min = min;
  residualBounds.max = max;
  return true;
}

/** Turns the lead and the residuals after it into the integers, in place. */
export function restoreIntegers(
  out: Float64Array,
  at: number,
  count: number,
  predictor: number,
): void {
  const end = at + count;
  if (predictor === DELTA) {
    let integer = 0;
    for (let i = at; i < end; i++) {
      integer += out[i]!;
      out[i] = integer;
    }
  } else if (predictor === DELTA_OF_DELTA) {
    let integer = out[at]!;
    let delta = 0;
    for (let i = at + 1; i < end; i++) {
      delta += out[i]!;
      integer += delta;
      out[i] = integer;
    }
  } else if (predictor > DELTA_OF_DELTA) restoreSmoothed(out, at, end, predictor - SMOOTHING);
}

function restoreSmoothed(out: Float64Array, at: number, end: number, eighths: number): void {
  const first = out[at]!;
  let level = 0;
  for (let i = at + 1; i < end; i++) {
    const integer = (((level + 8) >> 4) + (out[i]! | 0)) | 0;
    out[i] = first + integer;
    level = nextLevel(level, integer, eighths);
  }
}
