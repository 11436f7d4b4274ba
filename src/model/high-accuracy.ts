import { Decimal } from 'decimal.js';
import { InvalidValue } from '../exceptions/errors.ts';

/** Significant digits of quotients and roots; sums, differences and products are exact. */
const HIGH_ACCURACY_DIGITS = 64;

/**
 * Powers of ten beyond this are refused, unless the digits are spelled out: an exact sum of `1e999999`
 * and 1 would take a megabyte.
 */
export const DECIMAL_EXPONENT_MAX = 10_000;

const EXACT_DIGITS = 1e9;
const DECIMAL_TEXT: RegExp = /^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const SAFE_WHOLE_MAX = 2 ** 53;

// Never divide or take roots in this one: it would compute a thousand million digits.
const Exact: Decimal.Constructor = Decimal.clone({ precision: EXACT_DIGITS, defaults: true });
const Rounded: Decimal.Constructor = Decimal.clone({
  precision: HIGH_ACCURACY_DIGITS,
  defaults: true,
});

/**
 * Makes decimals that callers get: of 64 digits, and taken by any mathjs instance as its own BigNumber,
 * which looks at these members of the prototype.
 */
const BigNumber: Decimal.Constructor = Decimal.clone({
  precision: HIGH_ACCURACY_DIGITS,
  modulo: Decimal.EUCLID,
  defaults: true,
});
// Clones share one prototype: marking it would mark every Decimal of the process.
Object.defineProperty(BigNumber, 'prototype', {
  value: Object.create(BigNumber.prototype, {
    type: { value: 'BigNumber' },
    isBigNumber: { value: true },
    toJSON: {
      value(this: Decimal): { mathjs: string; value: string } {
        return { mathjs: 'BigNumber', value: this.toString() };
      },
    },
  }),
});

/** Adds without rounding. */
export function addExact(a: Decimal, b: Decimal): Decimal {
  return new Exact(a).plus(b);
}

/** Subtracts without rounding. */
export function subtractExact(a: Decimal, b: Decimal): Decimal {
  return new Exact(a).minus(b);
}

/** Multiplies without rounding. */
export function multiplyExact(a: Decimal, b: Decimal): Decimal {
  return new Exact(a).times(b);
}

const DIVIDERS: Map<number, Decimal.Constructor> = new Map();

/** The exact quotient where it ends within the digits of both operands, otherwise 64 significant digits. */
export function divideDecimals(a: Decimal, b: Decimal): Decimal {
  const digits = a.precision() + b.precision();
  if (digits > HIGH_ACCURACY_DIGITS) {
    const quotient = new (dividerOf(digits))(a).div(b);
    if (multiplyExact(quotient, b).eq(a)) return new Rounded(quotient);
  }
  return new Rounded(a).div(b);
}

// In steps, since making a clone costs more than a longer division.
function dividerOf(digits: number): Decimal.Constructor {
  const precision = Math.ceil(digits / HIGH_ACCURACY_DIGITS) * HIGH_ACCURACY_DIGITS;
  let divider = DIVIDERS.get(precision);
  if (divider === undefined) {
    divider = Decimal.clone({ precision, defaults: true });
    DIVIDERS.set(precision, divider);
  }
  return divider;
}

/** 64 significant digits. */
export function sqrtDecimal(value: Decimal): Decimal {
  return new Rounded(value).sqrt();
}

/** Reads a stored decimal string, or a number of a computation; never rounds. */
export function decimalOf(value: Decimal.Value): Decimal {
  return new Exact(value);
}

/** Canonical text of a decimal: equal values have equal texts. */
export function decimalText(value: Decimal): string {
  return value.toString();
}

/** What callers get: bigint for whole numbers beyond 2^53, otherwise a BigNumber that mathjs takes. */
export function toCallerNumber(value: Decimal): bigint | Decimal {
  return value.isInteger() && value.abs().gt(SAFE_WHOLE_MAX)
    ? BigInt(value.toFixed())
    : new BigNumber(value);
}

/**
 * Reads a number, bigint, decimal string or mathjs BigNumber of any mathjs instance, without rounding.
 * @throws {InvalidValue} for anything else, and for what is not finite or has an absurd exponent.
 */
export function decimalFromCaller(value: unknown): Decimal {
  if (typeof value === 'bigint') return new Exact(value.toString());
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw notFinite(value);
    return new Exact(exactly(value));
  }
  if (typeof value === 'string') {
    if (!DECIMAL_TEXT.test(value)) {
      throw new InvalidValue(`${excerpt(value)} is not a decimal number.`);
    }
    const decimal = new Exact(value);
    // Below the library's own least exponent, text reads as 0.
    if (decimal.isZero() && /^[^e]*[1-9]/i.test(value)) throw exponentRefused();
    return checkedExponent(decimal, value.length);
  }
  if (isBigNumber(value)) {
    const decimal = new Exact(value.toString());
    if (!decimal.isFinite()) throw notFinite(decimal.toNumber());
    return checkedExponent(decimal, decimal.precision());
  }
  throw new InvalidValue(
    'A high-accuracy stream takes numbers, bigints, decimal strings and BigNumbers, ' +
      `null for no data, or an already downsampled value; not ${describeType(value)}.`,
  );
}

/** Why NaN and the infinities are refused. */
export function notFinite(value: number): InvalidValue {
  return new InvalidValue(`${value} is not a value: append null to say "no data here".`);
}

/** Names the type of a refused value. */
export function describeType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'undefined' ? 'undefined' : `a value of type ${typeof value}`;
}

/**
 * The arithmetic of derive operators on high-accuracy streams: sums, differences and products are exact,
 * quotients have 64 significant digits.
 */
export const DECIMAL_ARITHMETIC: {
  of(value: number): Decimal;
  add(a: Decimal, b: Decimal): Decimal;
  subtract(a: Decimal, b: Decimal): Decimal;
  multiply(a: Decimal, b: Decimal): Decimal;
  divide(a: Decimal, b: Decimal): Decimal;
  isLess(a: Decimal, b: Decimal): boolean;
} = {
  of: (value) => new Rounded(exactly(value)),
  add: (a, b) => new Rounded(addExact(a, b)),
  subtract: (a, b) => new Rounded(subtractExact(a, b)),
  multiply: (a, b) => new Rounded(multiplyExact(a, b)),
  divide: divideDecimals,
  isLess: (a, b) => a.lt(b),
};

function isBigNumber(value: unknown): value is { toString(): string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'isBigNumber' in value &&
    value.isBigNumber === true
  );
}

function checkedExponent(value: Decimal, spelledDigitCount: number): Decimal {
  // Above the library's own largest exponent, text reads as Infinity.
  if (value.isFinite() && Math.abs(value.e) <= Math.max(DECIMAL_EXPONENT_MAX, spelledDigitCount)) {
    return value;
  }
  throw exponentRefused();
}

function exponentRefused(): InvalidValue {
  return new InvalidValue(`Powers of ten beyond ${DECIMAL_EXPONENT_MAX} are not taken.`);
}

function excerpt(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

// decimal.js reads the shortest text of a float, which for whole numbers from 2^53 on is another number.
function exactly(value: number): number | string {
  return Number.isInteger(value) ? BigInt(value).toString() : value;
}
