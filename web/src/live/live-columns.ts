import type { Json } from '../api/types.ts';
import type { ChartColumns } from '../chart/columns.ts';

/** Datapoints that an event tells of. */
export interface LiveRows {
  /** Epoch milliseconds, ascending. */
  readonly timestamps: readonly number[];
  readonly values: readonly Json[];
}

/**
 * Raw columns with new datapoints behind them. Null when these are not all newer than what is there: a correction, or
 * one that an answer had already brought. The columns then have to be read anew.
 */
export function appendRows(columns: ChartColumns, rows: LiveRows): ChartColumns | null {
  if (rows.timestamps.length === 0) return columns;
  if (!columns.isRaw) return null;
  const lastMs = columns.timestamps.at(-1);
  if (lastMs !== undefined && rows.timestamps[0]! <= lastMs) return null;
  return {
    ...columns,
    timestamps: [...columns.timestamps, ...rows.timestamps],
    letters: { m: [...(columns.letters['m'] ?? []), ...rows.values] },
  };
}

/**
 * Columns whose rows from the first one of `tail` on are those of `tail`. An empty tail from `fromMs` on means that
 * nothing is there any more. Null when the two are of different levels.
 */
export function replaceTail(
  columns: ChartColumns,
  tail: ChartColumns,
  fromMs: number,
): ChartColumns | null {
  if (columns.granularity !== tail.granularity || columns.isRaw !== tail.isRaw) return null;
  const startMs = Math.min(fromMs, tail.timestamps[0] ?? fromMs);
  const found = columns.timestamps.findIndex((timestampMs) => timestampMs >= startMs);
  const keptCount = found === -1 ? columns.timestamps.length : found;
  const letters = Object.fromEntries(
    Object.entries(columns.letters).map(([letter, column]) => [
      letter,
      [...column.slice(0, keptCount), ...(tail.letters[letter] ?? [])],
    ]),
  );
  return {
    ...columns,
    timestamps: [...columns.timestamps.slice(0, keptCount), ...tail.timestamps],
    letters,
  };
}

/** Columns without rows before an instant, so that a page that stays open for days does not grow. */
export function dropBefore(columns: ChartColumns, startMs: number): ChartColumns {
  const first = columns.timestamps.findIndex((timestampMs) => timestampMs >= startMs);
  if (first <= 0) return columns;
  return {
    ...columns,
    timestamps: columns.timestamps.slice(first),
    letters: Object.fromEntries(
      Object.entries(columns.letters).map(([letter, column]) => [letter, column.slice(first)]),
    ),
  };
}
