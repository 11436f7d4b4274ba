import { parseCsvLine } from '../../text/csv.ts';
import { CliError } from '../cli-error.ts';
import { parseTime } from '../parse/time.ts';
import {
  abbreviate,
  parseJsonValue,
  parseValue,
  type ValueSyntax,
  ValueSyntaxError,
} from '../parse/value.ts';
import { BadLine, type InputLine } from './lines.ts';

export type LineFormat = 'csv' | 'ndjson';

/** A datapoint as a line gives it; the engine has still to accept it. */
export interface ParsedDatapoint {
  readonly lineNumber: number;
  readonly timestamp: Date;
  readonly value: unknown;
}

const TIMESTAMP_TITLES: ReadonlySet<string> = new Set(['timestamp', 'time', 't']);

/** The format of an input, told by its first line: NDJSON starts with a brace. */
export function detectFormat(firstLine: string): LineFormat {
  return firstLine.trimStart().startsWith('{') ? 'ndjson' : 'csv';
}

/** Whether a CSV line holds the column titles (`timestamp,value`). */
export function isCsvHeader(text: string): boolean {
  const [first, second] = text.toLowerCase().split(',');
  return TIMESTAMP_TITLES.has(first!.trim()) && ['value', 'v'].includes(second?.trim() ?? '');
}

/**
 * Reads a line of `timestamp,value` or of `{"t": …, "v": …}`.
 * @throws {BadLine} with the number of the line and the reason.
 */
export function parseDatapointLine(
  line: InputLine,
  options: { readonly format: LineFormat; readonly syntax: ValueSyntax; readonly now: Date },
): ParsedDatapoint {
  try {
    const { timestampText, value } =
      options.format === 'csv'
        ? csvFields(line.text, options.syntax)
        : jsonFields(line.text, options.syntax);
    const timestamp = parseTime(timestampText, options.now);
    return { lineNumber: line.lineNumber, timestamp, value };
  } catch (error) {
    if (error instanceof ValueSyntaxError || error instanceof CliError) {
      throw new BadLine(line.lineNumber, error.message);
    }
    throw error;
  }
}

interface Fields {
  readonly timestampText: string;
  readonly value: unknown;
}

function csvFields(text: string, syntax: ValueSyntax): Fields {
  const cells = csvCells(text);
  if (cells.length !== 2) {
    throw new ValueSyntaxError(
      `expected timestamp,value and found ${cells.length} column${cells.length === 1 ? '' : 's'}`,
    );
  }
  return { timestampText: cells[0]!, value: parseValue(cells[1]!, syntax) };
}

function csvCells(text: string): readonly string[] {
  try {
    return parseCsvLine(text);
  } catch {
    throw new ValueSyntaxError(`quotes do not match: ${abbreviate(text)}`);
  }
}

function jsonFields(text: string, syntax: ValueSyntax): Fields {
  // The time of a high accuracy datapoint becomes a text of digits too, which reads the same.
  const parsed = parseJsonValue(text, syntax);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new ValueSyntaxError(`expected {"t": …, "v": …}: ${abbreviate(text)}`);
  }
  const { t, v, ...others } = parsed as Record<string, unknown>;
  if (typeof t !== 'string' && typeof t !== 'number') {
    throw new ValueSyntaxError(`"t" is missing or no time: ${abbreviate(text)}`);
  }
  if (v === undefined) throw new ValueSyntaxError(`"v" is missing: ${abbreviate(text)}`);
  const unknown = Object.keys(others);
  if (unknown.length > 0) throw new ValueSyntaxError(`unknown key ${abbreviate(unknown[0]!)}`);
  return { timestampText: String(t), value: v };
}
