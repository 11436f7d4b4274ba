/** So many decimal digits, and a power of ten of at most 22, make a double without rounding twice. */
const EXACT_DIGIT_COUNT_MAX = 15;
const POWERS_OF_TEN: Float64Array = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

const [PLUS, MINUS, POINT, ZERO, NINE] = [0x2b, 0x2d, 0x2e, 0x30, 0x39];

/** Epoch milliseconds of a `Date`, at most. */
const TIME_MAX_MS = 8.64e15;

/** How many digits fewer a timestamp has in milliseconds; of the other units, how many milliseconds they have. */
export interface TimeUnit {
  readonly digitsFewer: number;
  readonly factor: number;
}

/**
 * Reads a number with or without a fraction or an exponent, all bytes of it: NaN when it is none, or not finite. The
 * result is the nearest double, as that of `Number`.
 */
export function decimalAt(bytes: Buffer, from: number, to: number): number {
  let at = from;
  const sign = bytes[at];
  if (sign === MINUS || sign === PLUS) at++;
  let digits = 0;
  let digitCount = 0;
  let fractionCount = 0;
  let isFraction = false;
  for (; at < to; at++) {
    const byte = bytes[at]!;
    if (byte >= ZERO && byte <= NINE) {
      digits = digits * 10 + (byte - ZERO);
      digitCount++;
      if (isFraction) fractionCount++;
    } else if (byte === POINT && !isFraction) isFraction = true;
    else return otherDecimalAt(bytes, from, to);
  }
  if (digitCount === 0) return Number.NaN;
  if (digitCount > EXACT_DIGIT_COUNT_MAX) return otherDecimalAt(bytes, from, to);
  const size = fractionCount === 0 ? digits : digits / POWERS_OF_TEN[fractionCount]!;
  return sign === MINUS ? -size : size;
}

/** A number with more digits, or an exponent. */
function otherDecimalAt(bytes: Buffer, from: number, to: number): number {
  const text = bytes.toString('latin1', from, to);
  const number = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(number) ? number : Number.NaN;
}

/** Reads a whole number: a bigint where a double might round it, null when it is none. */
export function integerAt(bytes: Buffer, from: number, to: number): number | bigint | null {
  const digitsAt = bytes[from] === MINUS || bytes[from] === PLUS ? from + 1 : from;
  if (!areDigits(bytes, digitsAt, to)) return null;
  if (to - digitsAt <= EXACT_DIGIT_COUNT_MAX) return decimalAt(bytes, from, to);
  const digits = BigInt(bytes.toString('latin1', digitsAt, to));
  const integer = bytes[from] === MINUS ? -digits : digits;
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : integer;
}

/** Reads a whole number of a unit as epoch milliseconds, at or before the instant; NaN when there is no such `Date`. */
export function instantAt(bytes: Buffer, from: number, to: number, unit: TimeUnit): number {
  const isNegative = bytes[from] === MINUS;
  const digitsAt = isNegative ? from + 1 : from;
  if (digitsAt >= to) return Number.NaN;
  const cutAt = Math.max(digitsAt, to - unit.digitsFewer);
  let ms = 0;
  let isCut = false;
  for (let at = digitsAt; at < to; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    if (at < cutAt) ms = ms * 10 + digit;
    else if (digit !== 0) isCut = true;
  }
  ms *= unit.factor;
  if (isNegative) ms = isCut ? -ms - 1 : -ms;
  // Negative zero becomes zero.
  return Math.abs(ms) <= TIME_MAX_MS ? ms + 0 : Number.NaN;
}

/** Whether there is at least one, and nothing else. */
function areDigits(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    if (byte < ZERO || byte > NINE) return false;
  }
  return to > from;
}
