import { CliError } from '../cli-error.ts';
import { withoutFullStop } from '../error-message.ts';

/** A line longer than this is no datapoint: the input is something else, and memory stays bounded. */
const LINE_LENGTH_MAX = 16 * 1024 * 1024;

export interface InputLine {
  /** From 1. */
  readonly lineNumber: number;
  readonly text: string;
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
 * @throws {CliError} INPUT_INVALID when a line has more than 16 million characters.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<InputLine, void, undefined> {
  const decoder = new TextDecoder();
  let lineNumber = 0;
  let rest = '';
  for await (const chunk of chunks) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop()!;
    if (rest.length > LINE_LENGTH_MAX) {
      throw new CliError('INPUT_INVALID', `line ${lineNumber + lines.length + 1}: too long`);
    }
    for (const line of lines) {
      lineNumber++;
      if (line.trim() !== '') yield { lineNumber, text: withoutReturn(line) };
    }
  }
  rest += decoder.decode();
  if (rest.trim() !== '') yield { lineNumber: lineNumber + 1, text: withoutReturn(rest) };
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
