import type { LineFormat } from './datapoint-line.ts';

/** Rows of one run, at most. */
const ROW_COUNT_MAX = 10_000;

/** So many decimal digits, and a power of ten of at most 22, make a double without rounding twice. */
const EXACT_DIGIT_COUNT_MAX = 15;
const POWERS_OF_TEN = Float64Array.from({ length: EXACT_DIGIT_COUNT_MAX + 1 }, (_, i) =>
  Number(`1e${i}`),
);
/** Epoch numbers below it are seconds, as in `parseTime`. */
const EPOCH_SECONDS_LIMIT = 1e11;
const DAY_MS = 86_400_000;

const [NEWLINE, RETURN, QUOTE, PLUS, COMMA, MINUS, POINT] = [10, 13, 34, 43, 44, 45, 46];
const [ZERO, NINE, COLON, UPPER_E, UPPER_T, UPPER_Z, LOWER_E] = [48, 57, 58, 69, 84, 90, 101];
const CLOSING_BRACE = 125;

const KEY_OF_TIME = Buffer.from('{"t":');
const KEY_OF_VALUE = Buffer.from(',"v":');
const NULL = Buffer.from('null');
/** What JSON and the command line both take for a number. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Consecutive lines of one stream as columns. */
export interface PlainRun {
  readonly rowCount: number;
  /** Where the first line begins that is no part of the run. */
  readonly endAt: number;
}

/** What the lines of a run have to follow. */
export interface PlainBounds {
  /** Epoch milliseconds; no row is earlier. */
  readonly latestMs: number;
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * Reads lines in the form that exports have them, datapoints of plain numeric streams, from bytes into
 * columns: a tenth of the time of taking each apart as text. It stops at every line of another form, or whose
 * time is out of bounds or order: what that is, the reader of single lines says.
 */
export class PlainLines {
  /** Epoch milliseconds and values (NaN = null) of the last run; overwritten by the next. */
  readonly timestamps: Float64Array = new Float64Array(ROW_COUNT_MAX);
  readonly values: Float64Array = new Float64Array(ROW_COUNT_MAX);
  readonly #isCsv: boolean;
  /** The next byte to be read. */
  #at = 0;
  /** What the last part of a line was. */
  #number = 0;
  /** The day of the last line, as eight digits, and when it begins. */
  #day = 0;
  #dayMs = 0;

  constructor(format: LineFormat) {
    this.#isCsv = format === 'csv';
  }

  read(bytes: Buffer, at: number, { latestMs, startMs, endMs }: PlainBounds): PlainRun {
    let previousMs = latestMs;
    let endAt = at;
    let row = 0;
    while (row < ROW_COUNT_MAX && endAt < bytes.length) {
      this.#at = endAt;
      if (!(this.#isCsv ? this.#timeOfCsv(bytes) : this.#timeOfJson(bytes))) break;
      const timestampMs = this.#number;
      // Negated, so that NaN would not pass either.
      if (!(timestampMs >= previousMs && timestampMs >= startMs && timestampMs < endMs)) break;
      if (!this.#value(bytes) || !this.#end(bytes)) break;
      this.timestamps[row] = timestampMs;
      this.values[row] = this.#number;
      previousMs = timestampMs;
      endAt = this.#at;
      row++;
    }
    return { rowCount: row, endAt };
  }

  #timeOfCsv(bytes: Buffer): boolean {
    const isRead = this.#isIso(bytes) ? this.#iso(bytes) : this.#epoch(bytes);
    return isRead && bytes[this.#at++] === COMMA;
  }

  #timeOfJson(bytes: Buffer): boolean {
    if (!this.#skip(bytes, KEY_OF_TIME)) return false;
    if (bytes[this.#at] !== QUOTE) return this.#epoch(bytes) && this.#skip(bytes, KEY_OF_VALUE);
    this.#at++;
    return this.#iso(bytes) && bytes[this.#at++] === QUOTE && this.#skip(bytes, KEY_OF_VALUE);
  }

  #isIso(bytes: Buffer): boolean {
    return bytes[this.#at + 4] === MINUS;
  }

  /** Whole seconds of UTC: `2026-01-01T12:00:00Z`. */
  #iso(bytes: Buffer): boolean {
    const at = this.#at;
    const hasMarks =
      bytes[at + 4] === MINUS &&
      bytes[at + 7] === MINUS &&
      bytes[at + 10] === UPPER_T &&
      bytes[at + 13] === COLON &&
      bytes[at + 16] === COLON &&
      bytes[at + 19] === UPPER_Z;
    if (!hasMarks) return false;
    const year = twoDigits(bytes, at) * 100 + twoDigits(bytes, at + 2);
    const day = year * 10_000 + twoDigits(bytes, at + 5) * 100 + twoDigits(bytes, at + 8);
    if (day !== this.#day && !this.#changeDay(day)) return false;
    const hour = twoDigits(bytes, at + 11);
    const minute = twoDigits(bytes, at + 14);
    const second = twoDigits(bytes, at + 17);
    if (!(hour < 24 && minute < 60 && second < 60)) return false;
    this.#at = at + 20;
    this.#number = this.#dayMs + ((hour * 60 + minute) * 60 + second) * 1000;
    return true;
  }

  /** Whether there is such a day. Years of one or two digits are left to others: `Date` has its own idea of them. */
  #changeDay(day: number): boolean {
    const [year, month, dayOfMonth] = [
      Math.floor(day / 10_000),
      Math.floor(day / 100) % 100,
      day % 100,
    ];
    const startMs = Date.UTC(year, month - 1, dayOfMonth);
    const isDay =
      year >= 100 && startMs % DAY_MS === 0 && new Date(startMs).getUTCDate() === dayOfMonth;
    if (!isDay || month < 1 || month > 12) return false;
    this.#day = day;
    this.#dayMs = startMs;
    return true;
  }

  /** Digits alone. */
  #epoch(bytes: Buffer): boolean {
    const startAt = this.#at;
    const value = this.#digits(bytes, 0);
    const digitCount = this.#at - startAt;
    // JSON has no numbers that begin with further zeros.
    if (digitCount === 0 || digitCount > EXACT_DIGIT_COUNT_MAX) return false;
    if (digitCount > 1 && bytes[startAt] === ZERO) return false;
    this.#number = value < EPOCH_SECONDS_LIMIT ? value * 1000 : value;
    return true;
  }

  #value(bytes: Buffer): boolean {
    const startAt = this.#at;
    if (bytes[startAt] === NULL[0]) {
      this.#number = Number.NaN;
      return this.#skip(bytes, NULL);
    }
    const isNegative = bytes[startAt] === MINUS;
    const digitsAt = isNegative ? startAt + 1 : startAt;
    this.#at = digitsAt;
    let digits = this.#digits(bytes, 0);
    const wholeCount = this.#at - digitsAt;
    let fractionCount = 0;
    if (bytes[this.#at] === POINT) {
      const fractionAt = ++this.#at;
      digits = this.#digits(bytes, digits);
      fractionCount = this.#at - fractionAt;
      if (fractionCount === 0) return false;
    }
    const isLong = wholeCount + fractionCount > EXACT_DIGIT_COUNT_MAX;
    const byte = bytes[this.#at];
    if (isLong || byte === LOWER_E || byte === UPPER_E) return this.#longValue(bytes, startAt);
    if (wholeCount === 0 || (wholeCount > 1 && bytes[digitsAt] === ZERO)) return false;
    const size = fractionCount === 0 ? digits : digits / POWERS_OF_TEN[fractionCount]!;
    this.#number = isNegative ? -size : size;
    return true;
  }

  /** A number with more digits, or an exponent. */
  #longValue(bytes: Buffer, startAt: number): boolean {
    while (isOfNumber(bytes[this.#at]!)) this.#at++;
    const text = bytes.toString('latin1', startAt, this.#at);
    this.#number = Number(text);
    return NUMBER.test(text) && Number.isFinite(this.#number);
  }

  #end(bytes: Buffer): boolean {
    if (!this.#isCsv && bytes[this.#at++] !== CLOSING_BRACE) return false;
    if (bytes[this.#at] === RETURN) this.#at++;
    if (this.#at === bytes.length) return true;
    return bytes[this.#at++] === NEWLINE;
  }

  /** Digits behind those that were read before. */
  #digits(bytes: Buffer, before: number): number {
    let value = before;
    let at = this.#at;
    for (let byte = bytes[at]!; byte >= ZERO && byte <= NINE; byte = bytes[++at]!) {
      value = value * 10 + (byte - ZERO);
    }
    this.#at = at;
    return value;
  }

  #skip(bytes: Buffer, wanted: Buffer): boolean {
    for (let i = 0; i < wanted.length; i++) if (bytes[this.#at + i] !== wanted[i]) return false;
    this.#at += wanted.length;
    return true;
  }
}

/** NaN where there is something else. */
function twoDigits(bytes: Buffer, at: number): number {
  const tens = bytes[at]! - ZERO;
  const units = bytes[at + 1]! - ZERO;
  const areDigits = tens >= 0 && tens <= 9 && units >= 0 && units <= 9;
  return areDigits ? tens * 10 + units : Number.NaN;
}

function isOfNumber(byte: number): boolean {
  if (byte >= ZERO && byte <= NINE) return true;
  return byte === LOWER_E || byte === UPPER_E || byte === MINUS || byte === PLUS || byte === POINT;
}
