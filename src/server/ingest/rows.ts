import type { SeriesRows } from './ingest-batch.ts';

/** Rows of one stream. */
export type Rows = Omit<SeriesRows, 'series'>;

/** The rows `[from, to)`, sharing memory. */
export function sliceRows({ timestamps, values, lines }: Rows, from: number, to: number): Rows {
  return {
    timestamps: timestamps.subarray(from, to),
    values: values instanceof Float64Array ? values.subarray(from, to) : values.slice(from, to),
    lines: lines.subarray(from, to),
  };
}

/** The rows at these positions, which are all different and ascending where they are all of them. */
export function pickRows(rows: Rows, positions: readonly number[]): Rows {
  return positions.length === rows.timestamps.length ? rows : orderedRows(rows, positions);
}

function orderedRows({ timestamps, values, lines }: Rows, positions: readonly number[]): Rows {
  return {
    timestamps: Float64Array.from(positions, (row) => timestamps[row]!),
    values:
      values instanceof Float64Array
        ? Float64Array.from(positions, (row) => values[row]!)
        : positions.map((row) => values[row]),
    lines: Float64Array.from(positions, (row) => lines[row]!),
  };
}

/** All rows, in the order of their lines. */
export function joinRows(parts: readonly Rows[]): Rows {
  const all: Rows = {
    timestamps: Float64Array.from(parts.flatMap(({ timestamps }) => [...timestamps])),
    values: parts.every(({ values }) => values instanceof Float64Array)
      ? Float64Array.from(parts.flatMap(({ values }) => [...(values as Float64Array)]))
      : parts.flatMap((part) => Array.from(part.values, (_value, row) => valueAt(part, row))),
    lines: Float64Array.from(parts.flatMap(({ lines }) => [...lines])),
  };
  const order = [...all.lines.keys()].sort((a, b) => all.lines[a]! - all.lines[b]! || a - b);
  return orderedRows(all, order);
}

/** The value of a row as callers of the engine have it: null for no data. */
export function valueAt({ values }: Pick<Rows, 'values'>, row: number): unknown {
  const value = values[row];
  return Number.isNaN(value) ? null : value;
}

export function cutMs(timestampMs: number, stepMs: number): number {
  return Math.floor(timestampMs / stepMs) * stepMs;
}

/** Whether all rows, as they will be stored, are later than an instant, and each is later than the one before it. */
export function areAllNewer({ timestamps }: Rows, stepMs: number, thanMs: number): boolean {
  let previousMs = thanMs;
  for (let row = 0; row < timestamps.length; row++) {
    const timestampMs = cutMs(timestamps[row]!, stepMs);
    if (!(timestampMs > previousMs)) return false;
    previousMs = timestampMs;
  }
  return true;
}
