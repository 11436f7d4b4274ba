import { decimalAt, instantAt, integerAt, type TimeUnit } from './byte-numbers.ts';
import { type IngestBatch, SeriesSlot } from './ingest-batch.ts';
import { type BodyParser, LineFeed, type LineOutcome, OPEN } from './line-feed.ts';
import { type LineField, type LineSeries, lineSeriesOf, standsAt } from './line-series.ts';
import { abbreviate } from './problems.ts';
import { SeriesMemory } from './series-memory.ts';

const [TAB, SPACE, QUOTE, HASH, COMMA, EQUALS] = [0x09, 0x20, 0x22, 0x23, 0x2c, 0x3d];
const [BACKSLASH, LOWER_I, LOWER_U] = [0x5c, 0x69, 0x75];

const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;

const TRUE_TEXTS: ReadonlySet<string> = new Set(['t', 'T', 'true', 'True', 'TRUE']);
const FALSE_TEXTS: ReadonlySet<string> = new Set(['f', 'F', 'false', 'False', 'FALSE']);

/** Units of timestamps by the names that both versions of the write API have for them. */
export const TIME_UNITS: Readonly<Record<string, TimeUnit>> = Object.freeze({
  ns: { digitsFewer: 6, factor: 1 },
  n: { digitsFewer: 6, factor: 1 },
  us: { digitsFewer: 3, factor: 1 },
  u: { digitsFewer: 3, factor: 1 },
  µ: { digitsFewer: 3, factor: 1 },
  ms: { digitsFewer: 0, factor: 1 },
  s: { digitsFewer: 0, factor: 1000 },
  m: { digitsFewer: 0, factor: 60_000 },
  h: { digitsFewer: 0, factor: 3_600_000 },
});

export interface LineProtocolOptions {
  /** Of lines without a timestamp. */
  readonly nowMs: number;
  /** Default: nanoseconds. */
  readonly unit?: TimeUnit;
  /** How booleans are stored. */
  readonly booleans: 'nominal' | 'numeric';
  readonly recordSizeMaxBytes: number;
  /** Kept from request to request. */
  readonly memory: LineMemory;
}

/** Series of line protocol by measurement and tags as they stand in lines. */
export type LineMemory = SeriesMemory<LineSeries>;

export function newLineMemory(): LineMemory {
  return new SeriesMemory<LineSeries>();
}

/** A part of a line that is not as it has to be. */
const FAILED = -1;

/**
 * Reads InfluxDB line protocol: `measurement,tag=value field=1.5,other=2i 1700000000000000000`. Every field is a
 * series of its own. A line is taken in as a whole or refused.
 * @see https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/
 */
export class LineProtocolParser implements BodyParser {
  readonly #batch: IngestBatch;
  readonly #options: LineProtocolOptions;
  readonly #unit: TimeUnit;
  readonly #feed: LineFeed;
  /** Of the last line; null when there was none. */
  #previous: LineSeries | null = null;
  /** Fields of the line that is being read: the first ones of these lists. */
  #fieldCount = 0;
  readonly #slots: SeriesSlot[] = [];
  readonly #numbers: number[] = [];
  /** Values of these fields that are no numbers; undefined for numbers. */
  readonly #others: unknown[] = [];
  #number = 0;
  #other: unknown;
  #reason: LineOutcome = null;

  constructor(batch: IngestBatch, options: LineProtocolOptions) {
    this.#batch = batch;
    this.#options = options;
    this.#unit = options.unit ?? TIME_UNITS['ns']!;
    this.#feed = new LineFeed(batch, {
      read: (bytes, from, to) => this.#readLine(bytes, from, to),
      recordSizeMaxBytes: options.recordSizeMaxBytes,
    });
  }

  push(bytes: Uint8Array): void {
    this.#feed.push(bytes);
  }

  end(): void {
    this.#feed.end();
  }

  #readLine(bytes: Buffer, from: number, to: number): LineOutcome {
    const keyAt = skipBlanks(bytes, from, to);
    if (keyAt === to || bytes[keyAt] === HASH) return null;
    const line = this.#seriesAt(bytes, keyAt, to);
    if (typeof line === 'string') return line;
    this.#fieldCount = 0;
    let at = skipBlanks(bytes, keyAt + line.bytes.length, to);
    if (at === to) return 'The line has no fields: expected name=value behind the tags.';
    for (;;) {
      at = this.#fieldAt(bytes, line, at, to);
      if (at === FAILED) return this.#reason;
      if (at === to || bytes[at] !== COMMA) break;
      at++;
    }
    return this.#take(bytes, at, to);
  }

  /** Takes the fields in, at the time that stands behind them. */
  #take(bytes: Buffer, fieldsEnd: number, to: number): LineOutcome {
    const timeAt = skipBlanks(bytes, fieldsEnd, to);
    let timeEnd = to;
    while (timeEnd > timeAt && isBlank(bytes[timeEnd - 1]!)) timeEnd--;
    const timestampMs =
      timeAt === timeEnd ? this.#options.nowMs : instantAt(bytes, timeAt, timeEnd, this.#unit);
    if (Number.isNaN(timestampMs)) {
      return `${textAt(bytes, timeAt, timeEnd)} is not a timestamp: expected a whole number.`;
    }
    for (let field = 0; field < this.#fieldCount; field++) {
      const other = this.#others[field];
      const slot = this.#slots[field]!;
      if (other === undefined) this.#batch.add(slot, timestampMs, this.#numbers[field]!);
      else this.#batch.addAny(slot, timestampMs, other);
    }
    return null;
  }

  #seriesAt(bytes: Buffer, from: number, to: number): LineSeries | string {
    const expected = this.#previous?.next ?? null;
    const isExpected =
      expected !== null &&
      standsAt(bytes, from, expected) &&
      bytes[from + expected.bytes.length] === SPACE;
    if (isExpected) {
      this.#previous = expected;
      return expected;
    }
    const keyEnd = keyEndAt(bytes, from, to);
    const name = bytes.toString('latin1', from, keyEnd);
    let found = this.#options.memory.get(name);
    if (found === undefined) {
      const made = lineSeriesOf(bytes.subarray(from, keyEnd));
      if (typeof made === 'string') return made;
      found = this.#options.memory.set(name, made);
    }
    if (this.#previous !== null) this.#previous.next = found;
    this.#previous = found;
    return found;
  }

  /** Reads a field; where it ends, or FAILED. */
  #fieldAt(bytes: Buffer, line: LineSeries, from: number, to: number): number {
    const place = this.#fieldCount;
    const expected = line.lastFields[place];
    const isExpected =
      expected !== undefined &&
      standsAt(bytes, from, expected) &&
      bytes[from + expected.bytes.length] === EQUALS;
    const field = isExpected ? expected : this.#newFieldAt(bytes, line, from, to);
    if (field === null) return FAILED;
    const equalsAt = from + field.bytes.length;
    const end =
      bytes[equalsAt + 1] === QUOTE
        ? this.#textAt(bytes, equalsAt + 2, to)
        : this.#plainAt(bytes, equalsAt + 1, to);
    this.#slots[place] = field.slot;
    this.#numbers[place] = this.#number;
    this.#others[place] = this.#other;
    this.#fieldCount++;
    return end;
  }

  /** The field whose name stands there, which is not the one that stood in this place before. */
  #newFieldAt(bytes: Buffer, line: LineSeries, from: number, to: number): LineField | null {
    let equalsAt = from;
    while (equalsAt < to && bytes[equalsAt] !== EQUALS) {
      const byte = bytes[equalsAt]!;
      if (byte === SPACE || byte === COMMA) break;
      equalsAt += byte === BACKSLASH ? 2 : 1;
    }
    if (equalsAt >= to || bytes[equalsAt] !== EQUALS || equalsAt === from) {
      const found = textAt(bytes, from, Math.min(equalsAt, to));
      this.#reason = `Expected a field as name=value, not ${found}.`;
      return null;
    }
    const name = bytes.toString('latin1', from, equalsAt);
    let field = line.fields.get(name);
    if (field === undefined) {
      const series = line.seriesOf(bytes.toString('utf8', from, equalsAt));
      field = { bytes: Buffer.from(bytes.subarray(from, equalsAt)), slot: new SeriesSlot(series) };
      this.#options.memory.noteSize(name.length);
      line.fields.set(name, field);
    }
    line.lastFields[this.#fieldCount] = field;
    return field;
  }

  /** Reads a quoted text behind its first quotation mark. */
  #textAt(bytes: Buffer, from: number, to: number): number {
    let at = from;
    let isEscaped = false;
    while (at < to && bytes[at] !== QUOTE) {
      if (bytes[at] === BACKSLASH) {
        isEscaped = true;
        at++;
      }
      at++;
    }
    if (at >= to) {
      this.#reason = OPEN;
      return FAILED;
    }
    const text = bytes.toString('utf8', from, at);
    this.#other = isEscaped ? text.replace(/\\(["\\])/g, '$1') : text;
    const end = at + 1;
    if (end < to && bytes[end] !== COMMA && !isBlank(bytes[end]!)) {
      return this.#fail(`Expected a comma or a space behind the text ${abbreviate(text)}.`);
    }
    return end;
  }

  /** Reads a number or a boolean. */
  #plainAt(bytes: Buffer, from: number, to: number): number {
    let end = from;
    while (end < to && bytes[end] !== COMMA && !isBlank(bytes[end]!)) end++;
    const suffix = bytes[end - 1];
    const isRead =
      suffix === LOWER_I || suffix === LOWER_U
        ? this.#isInteger(bytes, from, end - 1)
        : this.#isFloat(bytes, from, end) || this.#isBoolean(bytes.toString('latin1', from, end));
    if (isRead) return end;
    const found = textAt(bytes, from, end);
    return this.#fail(
      `${found} is no value: expected a number, a whole number with i or u, a boolean, or a text in quotes.`,
    );
  }

  #isFloat(bytes: Buffer, from: number, to: number): boolean {
    const number = decimalAt(bytes, from, to);
    this.#number = number;
    this.#other = undefined;
    return !Number.isNaN(number);
  }

  #isInteger(bytes: Buffer, from: number, to: number): boolean {
    const integer = integerAt(bytes, from, to);
    if (integer === null) return false;
    this.#number = Number(integer);
    this.#other = typeof integer === 'bigint' ? integer : undefined;
    const isUnsigned = bytes[to] === LOWER_U;
    if (typeof integer === 'number') return !isUnsigned || integer >= 0;
    return isUnsigned
      ? integer >= 0n && integer <= UINT64_MAX
      : integer >= -INT64_MAX - 1n && integer <= INT64_MAX;
  }

  #isBoolean(text: string): boolean {
    const isTrue = TRUE_TEXTS.has(text);
    if (!isTrue && !FALSE_TEXTS.has(text)) return false;
    this.#number = Number(isTrue);
    this.#other = this.#options.booleans === 'nominal' ? isTrue : undefined;
    return true;
  }

  #fail(reason: string): number {
    this.#reason = reason;
    return FAILED;
  }
}

/** Where measurement and tags end: at a space that is not escaped. */
function keyEndAt(bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== SPACE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return Math.min(at, to);
}

function skipBlanks(bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to && isBlank(bytes[at]!)) at++;
  return at;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

function textAt(bytes: Buffer, from: number, to: number): string {
  return abbreviate(bytes.toString('utf8', from, to));
}
