import type { Json, StreamInfo } from '../api/types.ts';
import { streamTitle, streamUnit } from '../format/stream-title.ts';
import type { TimeWindow } from '../time/time-window.ts';
import { type ChartColumns, LETTERS } from './columns.ts';

/** A stream and what is loaded of it. */
export interface ExportPart {
  readonly stream: StreamInfo;
  readonly columns: ChartColumns;
}

/**
 * What a chart shows of several streams as CSV (RFC 4180): a line for each instant that some of them have, ascending,
 * and a column for each stream and downsampler. Buckets are at their start.
 */
export function exportCsv(parts: readonly ExportPart[], window: TimeWindow): string {
  const cells = parts.flatMap((part) => cellsOf(part, window));
  const times = [...new Set(cells.flatMap(({ values }) => [...values.keys()]))];
  times.sort((a, b) => a - b);
  const lines = [
    ['time', ...cells.map(({ name }) => name)],
    ...times.map((timeMs) => [
      new Date(timeMs).toISOString(),
      ...cells.map(({ values }) => values.get(timeMs) ?? null),
    ]),
  ];
  return lines.map((line) => `${line.map(csvField).join(',')}\r\n`).join('');
}

/** The same as JSON: for each stream what the API calls columns. */
export function exportJson(parts: readonly ExportPart[], window: TimeWindow): string {
  const series = parts.map(({ stream, columns }) => {
    const { granularity, isRaw, timestamps, letters } = columns;
    const rows = rowsWithin(columns, window);
    const pick = (column: readonly Json[]): readonly Json[] =>
      rows.map((row) => column[row] ?? null);
    const picked = Object.entries(letters).map(([letter, column]) => [letter, pick(column)]);
    return {
      stream: stream.id,
      title: streamTitle(stream),
      unit: streamUnit(stream),
      granularity,
      timestamps: rows.map((row) => timestamps[row]!),
      ...(isRaw ? { values: pick(letters['m'] ?? []) } : { v: Object.fromEntries(picked) }),
    };
  });
  return `${JSON.stringify({ series }, null, 1)}\n`;
}

interface Cells {
  readonly name: string;
  readonly values: ReadonlyMap<number, Json>;
}

function cellsOf({ stream, columns }: ExportPart, window: TimeWindow): readonly Cells[] {
  const rows = rowsWithin(columns, window);
  return Object.entries(columns.letters).map(([letter, column]) => ({
    name: columns.isRaw ? streamTitle(stream) : `${streamTitle(stream)} ${nameOf(letter)}`,
    values: new Map(rows.map((row) => [columns.timestamps[row]!, column[row] ?? null])),
  }));
}

function nameOf(letter: string): string {
  return Object.entries(LETTERS).find(([, other]) => other === letter)?.[0] ?? letter;
}

function rowsWithin({ timestamps }: ChartColumns, { startMs, endMs }: TimeWindow): number[] {
  return [...timestamps.keys()].filter(
    (row) => timestamps[row]! >= startMs && timestamps[row]! <= endMs,
  );
}

function csvField(value: Json): string {
  if (value === null) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
