import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { exactJson, isDecimal, timeText } from './exact-json.ts';

/**
 * The cells of one line of CSV (RFC 4180, but a record never spans lines, so that a quote left open
 * spoils its own line only).
 * @throws {Error} when quotes do not match.
 */
export function parseCsvLine(line: string): readonly string[] {
  if (!line.includes('"')) return line.split(',');
  return parse(line, { relax_column_count: true })[0] ?? [];
}

/** Lines of CSV, each ended by a newline; cells are quoted where they must be. */
export function csvText(rows: readonly (readonly string[])[]): string {
  if (rows.every((row) => row.every((cell) => !/[",\r\n]/.test(cell) && cell !== ''))) {
    return rows.map((row) => `${row.join(',')}\n`).join('');
  }
  return stringify(rows as string[][]);
}

/** The cell of a CSV file, which `append` reads back to the same value. */
export function csvCell(value: unknown): string {
  if (value instanceof Date) return timeText(value);
  return typeof value === 'string' ? JSON.stringify(value) : unquoted(exactJson(value), value);
}

/** Digits beyond a double stand in JSON as strings; a cell needs no quotes for them. */
function unquoted(json: string, value: unknown): string {
  return typeof value === 'bigint' || isDecimal(value) ? json.slice(1, -1) : json;
}
