import { CHUNK_ROW_COUNT } from './chunks.ts';

/**
 * Splits of an integer into a token and extra bits, so that integers of one token are about equally
 * frequent whatever the distribution: a token says sign, exponent and the leading mantissa bits, as in
 * an HDR histogram. A token t >= 0 of `precision` bits p stands for the magnitude t alone while
 * t < 2^(p+1), and above for the 2^x magnitudes from (2^p + (t mod 2^p)) * 2^x on, x = floor(t / 2^p) - 1.
 * A negative integer has the token of its magnitude with the sign turned.
 */
export const PRECISION_MAX = 3;
const TWO_POW_31 = 2 ** 31;
const TWO_POW_32 = 2 ** 32;
const EXPONENT_BASE: number = 31 - PRECISION_MAX;

/** Powers of two: `2 ** n` is a call of a function where n is not known. */
export const POWERS_OF_TWO: readonly number[] = Array.from({ length: 64 }, (_, bits) => 2 ** bits);

/** Token of 2^53 - 1 in the finest precision, and so the number of tokens on each side of 0. */
export const TOKEN_MAX: number = tokenOfMagnitude(Number.MAX_SAFE_INTEGER, PRECISION_MAX);
export const TOKEN_COUNT: number = 2 * TOKEN_MAX + 1;

/** The token of a safe integer >= 0. */
function tokenOfMagnitude(magnitude: number, precision: number): number {
  if (magnitude < 2 << precision) return magnitude;
  const exponent = exponentOf(magnitude) - precision;
  return (exponent << precision) + Math.floor(magnitude / POWERS_OF_TWO[exponent]!);
}

function exponentOf(magnitude: number): number {
  return magnitude < TWO_POW_32
    ? 31 - Math.clz32(magnitude)
    : 63 - Math.clz32(Math.floor(magnitude / TWO_POW_32));
}

/** Extra bits of a token of either sign, 0 to 52. */
export function extraBitsOf(token: number, precision: number): number {
  return Math.max(0, (Math.abs(token) >> precision) - 1);
}

/** The least integer of a token: the others follow it, extra bits being the distance. */
export function leastOf(token: number, precision: number): number {
  const extraBits = extraBitsOf(token, precision);
  const magnitude = Math.abs(token);
  const width = POWERS_OF_TWO[extraBits]!;
  const first = (magnitude - (extraBits << precision)) * width;
  return token >= 0 ? first : 1 - first - width;
}

/** Coarse tokens, by precision and by fine token + TOKEN_MAX. */
export const COARSE_TOKENS: readonly Int16Array[] = Array.from(
  { length: PRECISION_MAX + 1 },
  (_, precision) =>
    Int16Array.from({ length: TOKEN_COUNT }, (_token, index) => {
      const token = index - TOKEN_MAX;
      const least = token < 0 ? -leastOf(-token, PRECISION_MAX) : leastOf(token, PRECISION_MAX);
      const coarse = tokenOfMagnitude(Math.abs(least), precision);
      return least < 0 ? -coarse : coarse;
    }),
);

/** Tokens of the integers from -SMALL_MAX to SMALL_MAX, which nearly all are. */
const SMALL_MAX = 1023;
const SMALL_TOKENS: Uint16Array = Uint16Array.from({ length: 2 * SMALL_MAX + 1 }, (_, index) => {
  const integer = index - SMALL_MAX;
  const token = tokenOfMagnitude(Math.abs(integer), PRECISION_MAX);
  return TOKEN_MAX + (integer < 0 ? -token : token);
});

/**
 * Tokens of the finest precision, plus TOKEN_MAX, of the first `count` integers, and how often each
 * one is there, added to `histogram`. `largest` is the largest magnitude.
 */
export function tokenize(
  integers: Float64Array,
  count: number,
  largest: number,
  tokens: Uint16Array,
  histogram: Int32Array,
): void {
  if (largest < TWO_POW_31) {
    const tokenizeRows = largest <= SMALL_MAX ? tokenizeSmallChunk : tokenizeChunk;
    for (let from = 0; from < count; from += CHUNK_ROW_COUNT) {
      tokenizeRows(
        integers,
        { from, to: Math.min(from + CHUNK_ROW_COUNT, count) },
        tokens,
        histogram,
      );
    }
    return;
  }
  for (let i = 0; i < count; i++) {
    const integer = integers[i]!;
    const token = tokenOfMagnitude(Math.abs(integer), PRECISION_MAX);
    const index = TOKEN_MAX + (integer < 0 ? -token : token);
    tokens[i] = index;
    histogram[index]!++;
  }
}

function tokenizeSmallChunk(
  integers: Float64Array,
  { from, to }: { readonly from: number; readonly to: number },
  tokens: Uint16Array,
  histogram: Int32Array,
): void {
  for (let i = from; i < to; i++) {
    const index = SMALL_TOKENS[(integers[i]! | 0) + SMALL_MAX]!;
    tokens[i] = index;
    histogram[index]!++;
  }
}

/** Without branches, which noise would make the processor guess wrong half of the time. */
function tokenizeChunk(
  integers: Float64Array,
  { from, to }: { readonly from: number; readonly to: number },
  tokens: Uint16Array,
  histogram: Int32Array,
): void {
  for (let i = from; i < to; i++) {
    const integer = integers[i]! | 0;
    const sign = integer >> 31;
    const magnitude = (integer ^ sign) - sign;
    const exponent = EXPONENT_BASE - Math.clz32(magnitude | (1 << PRECISION_MAX));
    const token = (exponent << PRECISION_MAX) + (magnitude >> exponent);
    const index = TOKEN_MAX + ((token ^ sign) - sign);
    tokens[i] = index;
    histogram[index]!++;
  }
}
