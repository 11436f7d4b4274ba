import { CliError } from '../cli-error.ts';
import { withoutFullStop } from '../error-message.ts';

/** A line longer than this is no datapoint: the input is something else, and memory stays bounded. */
const LINE_SIZE_MAX_BYTES = 16 * 1024 * 1024;

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

export interface InputLine {
  /** From 1. */
  readonly lineNumber: number;
  readonly text: string;
}

/** Whole lines of UTF-8, with their ends; the last one of the input may lack its end. */
export interface LineBlock {
  readonly bytes: Buffer;
  /** Of the first line, from 1. */
  readonly lineNumber: number;
}

/** A line that cannot be used, and why. */
export class BadLine extends Error {
  readonly lineNumber: number;

  constructor(lineNumber: number, reason: string) {
    super(`line ${lineNumber}: ${withoutFullStop(reason)}`);
    this.lineNumber = lineNumber;
  }
}

/** The error that ends the input: that of a bad line has a code, any other is what it is. */
export function inputError(error: unknown): unknown {
  return error instanceof BadLine ? new CliError('INPUT_INVALID', error.message) : error;
}

/**
 * Splits UTF-8 input into lines, without their ends (LF or CRLF) and without a byte order mark. Lines
 * of nothing but white space are left out, but counted.
 * @throws {CliError} INPUT_INVALID when a line has more than 16 MiB.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<InputLine, void, undefined> {
  for await (const block of readLineBlocks(chunks)) yield* linesOf(block);
}

/** The lines of a block, as `readLines` gives them. */
export function* linesOf({ bytes, lineNumber }: LineBlock): Generator<InputLine, void, undefined> {
  let number = lineNumber;
  for (let at = 0; at < bytes.length; number++) {
    const endAt = lineEndAt(bytes, at);
    const text = lineText(bytes, { at, endAt });
    if (text.trim() !== '') yield { lineNumber: number, text };
    at = endAt + 1;
  }
}

/**
 * Cuts UTF-8 input at ends of lines, without a byte order mark. The blocks may share memory, and are the
 * caller's.
 * @throws {CliError} INPUT_INVALID when a line has more than 16 MiB.
 */
export async function* readLineBlocks(
  chunks: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<LineBlock, void, undefined> {
  let lineNumber = 1;
  let isFirst = true;
  /** Pieces of a line whose end is yet to come. */
  let rest: Buffer[] = [];
  let restSizeBytes = 0;
  for await (const chunk of chunks) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : asBuffer(chunk);
    const endAt = bytes.lastIndexOf(NEWLINE) + 1;
    if (endAt > 0) {
      const block = wholeLines(rest, bytes.subarray(0, endAt));
      yield { bytes: isFirst ? withoutMark(block) : block, lineNumber };
      isFirst = false;
      lineNumber += countNewlines(block);
      rest = [];
      restSizeBytes = 0;
    }
    rest.push(bytes.subarray(endAt));
    restSizeBytes += bytes.length - endAt;
    if (restSizeBytes > LINE_SIZE_MAX_BYTES) {
      throw new CliError('INPUT_INVALID', `line ${lineNumber}: too long`);
    }
  }
  const last = Buffer.concat(rest);
  if (last.length > 0) yield { bytes: isFirst ? withoutMark(last) : last, lineNumber };
}

/** Where the line ends: at its newline, or where the block ends. */
export function lineEndAt(bytes: Buffer, at: number): number {
  const endAt = bytes.indexOf(NEWLINE, at);
  return endAt < 0 ? bytes.length : endAt;
}

/** The line without its end. */
export function lineText(
  bytes: Buffer,
  { at, endAt }: { readonly at: number; readonly endAt: number },
): string {
  const hasReturn = endAt > at && bytes[endAt - 1] === RETURN;
  return bytes.toString('utf8', at, hasReturn ? endAt - 1 : endAt);
}

function wholeLines(rest: readonly Buffer[], bytes: Buffer): Buffer {
  return rest.every(({ length }) => length === 0) ? bytes : Buffer.concat([...rest, bytes]);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function withoutMark(bytes: Buffer): Buffer {
  const hasMark = bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
  return hasMark ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes;
}

function countNewlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}
