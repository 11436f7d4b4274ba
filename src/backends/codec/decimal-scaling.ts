import { CHUNK_ROW_COUNT } from './chunks.ts';
import { bitDistance } from './float-words.ts';
import { ScratchColumn } from './scratch-columns.ts';

/**
 * Decimal fractions as integers: a value v is `i / 10^digits` with a safe integer i. Division is
 * exactly rounded and both operands are exact, so the quotient is the same double wherever it is
 * computed. Sums of decimals are off by a few of the smallest steps that a double can make: these have a
 * correction k, with which the bits of v, as an integer, are those of the quotient plus k.
 */
const DECIMAL_DIGITS_MAX = 15;
export const CORRECTION_MAX = 1024;

/** Powers of ten by their number of digits; all are exact. */
export const DECIMAL_SCALES: readonly number[] = Array.from({ length: 16 }, (_, digits) =>
  Number(`1e${digits}`),
);

/** More digits are only looked for when they leave no correction: they would fit nearly any double. */
const CORRECTED_DIGITS_MAX = 9;
/** Corrections that a choice of digits expects; rows further on may have larger ones. */
const CORRECTION_EXPECTED_MAX = 64;
const SAMPLE_COUNT = 12;
const ATTEMPT_COUNT_MAX = 3;
/** One row in so many may be an exception. */
const EXCEPTION_DIVISOR = 10;
/** Added and taken away again, it rounds a double to an integer, if that is below 2^51. */
const ROUNDING = 1.5 * 2 ** 52;
const ROUNDED_MAX = 2 ** 51;

const integerScratch = new ScratchColumn();
const correctionScratch = new ScratchColumn();
const exceptionScratch = new ScratchColumn();

/** Values as integers. Valid until the next call of `scaleToIntegers`. */
export interface ScaledDecimals {
  digits: number;
  integers: Float64Array;
  /** Of all rows when any has one. */
  corrections: Float64Array;
  correctionCount: number;
  /** Ascending rows that are no such decimals; their integer repeats the one before, so as to cost little. */
  exceptions: Float64Array;
  exceptionCount: number;
}

const scaled: ScaledDecimals = {
  digits: 0,
  integers: integerScratch.ensure(0),
  corrections: correctionScratch.ensure(0),
  correctionCount: 0,
  exceptions: exceptionScratch.ensure(0),
  exceptionCount: 0,
};

/** The correction that `integer / scale` needs to be the value; NaN when there is none so small. */
function correctionOf(value: number, integer: number, scale: number): number {
  if (!(Math.abs(integer) <= Number.MAX_SAFE_INTEGER)) return Number.NaN;
  const correction = bitDistance(value, integer / scale);
  return Math.abs(correction) <= CORRECTION_MAX ? correction : Number.NaN;
}

/** Not -0, of which integers know nothing. */
function scale(value: number, factor: number): number {
  return Math.round(value * factor) + 0;
}

/** The fewest digits, `from` at least, that hold the value with a small correction; -1 when none do. */
function digitsOf(value: number, from: number): number {
  if (!Number.isFinite(value)) return -1;
  for (let digits = from; digits <= DECIMAL_DIGITS_MAX; digits++) {
    const factor = DECIMAL_SCALES[digits]!;
    const integer = scale(value, factor);
    const correctionMax = digits <= CORRECTED_DIGITS_MAX ? CORRECTION_EXPECTED_MAX : 0;
    if (Math.abs(correctionOf(value, integer, factor)) <= correctionMax) return digits;
  }
  return -1;
}

/** Digits that most of a few evenly spread values need; -1 when they are no decimals. */
function sampleDigits(values: Float64Array, count: number): number {
  const step = Math.max(1, Math.floor(count / SAMPLE_COUNT));
  let digits = 0;
  let misses = 0;
  let looked = 0;
  for (let i = 0; i < count; i += step) {
    looked++;
    const needed = digitsOf(values[i]!, digits);
    if (needed >= 0) digits = needed;
    else if (++misses > 2) return -1;
  }
  return 2 * misses > looked ? -1 : digits;
}

/**
 * The same as `scaleToIntegers` when it finds neither corrections nor exceptions; null when there are
 * some, or nulls.
 */
export function scaleExactly(values: Float64Array, count: number): ScaledDecimals | null {
  const digits = sampleDigits(values, count);
  if (digits < 0) return null;
  const factor = DECIMAL_SCALES[digits]!;
  const integers = integerScratch.ensure(count);
  for (let from = 0; from < count; from += CHUNK_ROW_COUNT) {
    const to = Math.min(from + CHUNK_ROW_COUNT, count);
    if (!scaleChunk(values, { from, to, factor }, integers)) return null;
  }
  scaled.digits = digits;
  scaled.integers = integers;
  scaled.correctionCount = 0;
  scaled.exceptionCount = 0;
  return scaled;
}

/** Returns false at a value that is no decimal. */
function scaleChunk(
  values: Float64Array,
  { from, to, factor }: { readonly from: number; readonly to: number; readonly factor: number },
  integers: Float64Array,
): boolean {
  let least = 0;
  let most = 0;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    const integer = value * factor + ROUNDING - ROUNDING;
    integers[i] = integer;
    if (integer < least) least = integer;
    else if (integer > most) most = integer;
    else if (integer === 0 && 1 / value < 0) return false;
    if (integer / factor !== value) return false;
  }
  return most < ROUNDED_MAX && least > -ROUNDED_MAX;
}

/**
 * Scales the first `count` values by the fewest digits that suit nearly all of them; null when they
 * are no decimals. Each value is an integer, with or without correction, or an exception.
 */
export function scaleToIntegers(values: Float64Array, count: number): ScaledDecimals | null {
  let digits = sampleDigits(values, count);
  scaled.integers = integerScratch.ensure(count);
  for (let attempt = 0; digits >= 0 && attempt < ATTEMPT_COUNT_MAX; attempt++) {
    scaled.digits = digits;
    scaleAll(values, count);
    if (scaled.exceptionCount * EXCEPTION_DIVISOR <= count) return scaled;
    digits = digitsOf(values[scaled.exceptions[0]!]!, digits + 1);
  }
  return null;
}

function scaleAll(values: Float64Array, count: number): void {
  const { digits, integers } = scaled;
  const factor = DECIMAL_SCALES[digits]!;
  scaled.correctionCount = 0;
  scaled.exceptionCount = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    const integer = value * factor + ROUNDING - ROUNDING;
    if (!(integer < ROUNDED_MAX && integer > -ROUNDED_MAX && value !== 0)) {
      scaleInexact(value, i, count, factor);
      continue;
    }
    const quotient = integer / factor;
    const correction = quotient === value ? 0 : bitDistance(value, quotient);
    integers[i] = integer;
    if (correction === 0) continue;
    if (Math.abs(correction) <= CORRECTION_MAX) correct(i, correction, count);
    else scaleInexact(value, i, count, factor);
  }
}

function scaleInexact(value: number, row: number, count: number, factor: number): void {
  const { integers } = scaled;
  const integer = scale(value, factor);
  const correction = correctionOf(value, integer, factor);
  if (Number.isNaN(correction)) {
    if (scaled.exceptionCount === 0) scaled.exceptions = exceptionScratch.ensure(count);
    scaled.exceptions[scaled.exceptionCount++] = row;
    integers[row] = row === 0 ? 0 : integers[row - 1]!;
    if (scaled.correctionCount > 0) scaled.corrections[row] = 0;
    return;
  }
  integers[row] = integer;
  if (correction !== 0) correct(row, correction, count);
}

function correct(row: number, correction: number, count: number): void {
  if (scaled.correctionCount === 0) {
    scaled.corrections = correctionScratch.ensure(count);
    scaled.corrections.fill(0, 0, count);
  }
  scaled.correctionCount++;
  scaled.corrections[row] = correction;
}
