import type { IngestBatch } from './ingest-batch.ts';
import { PROBLEM } from './problems.ts';

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const QUOTE = 0x22;
/** How often a record is read again because a quotation mark came: bounds what a body of them costs. */
const TRY_COUNT_MAX = 100;
const BYTE_ORDER_MARK = Buffer.from('\ufeff');
const NOTHING: Buffer = Buffer.alloc(0);

/** What the feed itself says of a record. */
const TOO_LONG = 'too long';

/** What a reader says of a record that goes on in the next line. */
export const OPEN: unique symbol = Symbol('open');

/** null: the record was taken in, or there was nothing; a text: why it is refused. */
export type LineOutcome = null | string | typeof OPEN;

/** Reads one record, without the end of its line. It may be given a record that was open again, with more lines. */
export type LineReader = (bytes: Buffer, from: number, to: number) => LineOutcome;

/** Takes a body in pieces, in whatever sizes they come. */
export interface BodyParser {
  /** The bytes must not change any more. */
  push(bytes: Uint8Array): void;
  /** Takes in what is left. */
  end(): void;
}

/**
 * Cuts a body into lines, which end with LF or CRLF, for a reader of records. The batch knows the line that is
 * read, and why one is refused. A record that is open when the body ends, or that grows too long, is refused, and
 * reading goes on with the line after its first one: a quotation mark that is missing costs one line.
 */
export class LineFeed implements BodyParser {
  readonly #batch: IngestBatch;
  readonly #read: LineReader;
  readonly #recordSizeMaxBytes: number;
  /** Lines of a record that is open. */
  #open: Buffer = NOTHING;
  /** Of the record that is open: how far it was looked at, in bytes and lines, and how often it was read. */
  #triedSizeBytes = 0;
  #triedLineCount = 1;
  #tryCount = 1;
  /** Pieces of a line whose end is yet to come. */
  #partial: Buffer[] = [];
  #partialSizeBytes = 0;
  /** Whether the end of a line that is too long is yet to come. */
  #isSkipping = false;
  #isFirst = true;
  #line = 1;

  constructor(
    batch: IngestBatch,
    {
      read,
      recordSizeMaxBytes,
    }: { readonly read: LineReader; readonly recordSizeMaxBytes: number },
  ) {
    this.#batch = batch;
    this.#read = read;
    this.#recordSizeMaxBytes = recordSizeMaxBytes;
  }

  push(bytes: Uint8Array): void {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const endAt = chunk.lastIndexOf(NEWLINE) + 1;
    if (endAt > 0) this.#takeLines(chunk.subarray(0, endAt));
    this.#keep(chunk.subarray(endAt));
  }

  end(): void {
    if (this.#partialSizeBytes > 0 || this.#isSkipping) this.#takeLines(Buffer.of(NEWLINE));
    const refuse = (): void => this.#batch.refuseLine('A quoted text begins that has no end.');
    while (this.#open.length > 0) this.#refuseOpen(refuse);
  }

  /** `bytes` end with the end of a line. */
  #takeLines(bytes: Buffer): void {
    let rest = bytes;
    if (this.#isSkipping) {
      this.#isSkipping = false;
      this.#line++;
      rest = bytes.subarray(bytes.indexOf(NEWLINE) + 1);
    }
    const pieces = [this.#open, ...this.#partial, rest].filter(({ length }) => length > 0);
    this.#partial = [];
    this.#partialSizeBytes = 0;
    this.#readAll(this.#withoutMark(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)));
  }

  #withoutMark(bytes: Buffer): Buffer {
    if (!this.#isFirst || bytes.length === 0) return bytes;
    this.#isFirst = false;
    const hasMark = bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
    return hasMark ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes;
  }

  /** Keeps a piece of a line, unless it is too long by now. */
  #keep(piece: Buffer): void {
    if (this.#isSkipping || piece.length === 0) return;
    // A copy: a few bytes are not to hold all that came with them.
    this.#partial.push(Buffer.from(piece));
    this.#partialSizeBytes += piece.length;
    if (this.#partialSizeBytes <= this.#recordSizeMaxBytes) return;
    while (this.#open.length > 0) this.#refuseOpen(() => this.#refuseLong());
    this.#partial = [];
    this.#partialSizeBytes = 0;
    this.#isSkipping = true;
    this.#isFirst = false;
    this.#batch.line = this.#line;
    this.#refuseLong();
  }

  /** Reads records until one is open. */
  #readAll(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      const nextAt = this.#readRecord(bytes, at);
      if (nextAt < 0) break;
      at = nextAt;
    }
    this.#open = bytes.subarray(at);
  }

  /** Where the next record begins; -1 when this one is open. */
  #readRecord(bytes: Buffer, at: number): number {
    this.#batch.line = this.#line;
    const firstEnd = bytes.indexOf(NEWLINE, at);
    let end = at + this.#triedSizeBytes;
    let outcome: LineOutcome = OPEN;
    if (this.#triedSizeBytes === 0) {
      end = firstEnd;
      outcome = this.#readTo(bytes, at, end);
    }
    while (outcome === OPEN) {
      const nextEnd = bytes.indexOf(NEWLINE, end + 1);
      if (nextEnd < 0) {
        this.#triedSizeBytes = end - at;
        return -1;
      }
      this.#triedLineCount++;
      // Nothing but a quotation mark ends what is open.
      const hasQuote = bytes.subarray(end, nextEnd).includes(QUOTE);
      end = nextEnd;
      if (hasQuote) this.#tryCount++;
      if (hasQuote || end - at > this.#recordSizeMaxBytes) outcome = this.#readTo(bytes, at, end);
    }
    const lineCount = outcome === null ? this.#triedLineCount : 1;
    this.#forgetTries();
    if (outcome === TOO_LONG) this.#refuseLong();
    else if (outcome !== null) this.#batch.refuseLine(outcome);
    this.#line += lineCount;
    return (outcome === null ? end : firstEnd) + 1;
  }

  #readTo(bytes: Buffer, at: number, end: number): LineOutcome {
    if (end - at > this.#recordSizeMaxBytes || this.#tryCount > TRY_COUNT_MAX) return TOO_LONG;
    const hasReturn = end > at && bytes[end - 1] === RETURN;
    return this.#read(bytes, at, hasReturn ? end - 1 : end);
  }

  #forgetTries(): void {
    this.#triedSizeBytes = 0;
    this.#triedLineCount = 1;
    this.#tryCount = 1;
  }

  #refuseLong(): void {
    this.#batch.refuseLine(
      `The line has more than ${this.#recordSizeMaxBytes} bytes, or too many quotation marks.`,
      PROBLEM.tooLong,
    );
  }

  /** Gives up the first line of the record that is open. */
  #refuseOpen(refuse: () => void): void {
    this.#batch.line = this.#line;
    refuse();
    this.#line++;
    this.#forgetTries();
    this.#readAll(this.#open.subarray(this.#open.indexOf(NEWLINE) + 1));
  }
}
