/**
 * Decimal fractions as integers: a value v is `i / 10^digits` with a safe integer i. Division is
 * exactly rounded and both operands are exact, so the quotient is the same double wherever it is
 * computed; that it is v, bit by bit, is checked for every value before the scaling is used.
 */
export const DECIMAL_DIGITS_MAX = 9;

/** Powers of ten by their number of digits. */
export const DECIMAL_SCALES: readonly number[] = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

const SAMPLE_COUNT = 8;
const NOT_DECIMAL = -1;

/** Whether `scaled / scale` gives back the value by bits; -0 and infinities never do. */
function isExact(value: number, scaled: number, scale: number): boolean {
  return (
    scaled / scale === value &&
    Math.abs(scaled) <= Number.MAX_SAFE_INTEGER &&
    (value !== 0 || 1 / value > 0)
  );
}

/** The fewest digits, `from` at least, that hold the value exactly; -1 when none do. */
function digitsOf(value: number, from: number): number {
  for (let digits = from; digits <= DECIMAL_DIGITS_MAX; digits++) {
    const scale = DECIMAL_SCALES[digits]!;
    if (isExact(value, Math.round(value * scale), scale)) return digits;
  }
  return NOT_DECIMAL;
}

/** Digits that a few evenly spread values need: turns most other series away before a full pass. */
function sampleDigits(values: Float64Array, count: number): number {
  const step = Math.max(1, Math.floor(count / SAMPLE_COUNT));
  let digits = 0;
  for (let i = 0; i < count && digits !== NOT_DECIMAL; i += step) {
    digits = digitsOf(values[i]!, digits);
  }
  return digits;
}

/** Scales until a value does not fit; returns its index, or `count`. */
function scaleWhileExact(
  values: Float64Array,
  count: number,
  scale: number,
  scaled: Float64Array,
): number {
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    const integer = Math.round(value * scale);
    if (
      integer / scale !== value ||
      integer > Number.MAX_SAFE_INTEGER ||
      integer < -Number.MAX_SAFE_INTEGER ||
      (value === 0 && 1 / value < 0)
    ) {
      return i;
    }
    scaled[i] = integer;
  }
  return count;
}

/**
 * Writes the first `count` values as integers `scaled[i]` with `scaled[i] / 10^digits` equal to
 * `values[i]` by bits, and returns the digits; -1 when some value cannot be had that way.
 */
export function scaleToIntegers(values: Float64Array, count: number, scaled: Float64Array): number {
  let digits = sampleDigits(values, count);
  while (digits !== NOT_DECIMAL) {
    const reached = scaleWhileExact(values, count, DECIMAL_SCALES[digits]!, scaled);
    if (reached === count) return digits;
    digits = digitsOf(values[reached]!, digits + 1);
  }
  return NOT_DECIMAL;
}
