import { TIME_DOWNSAMPLERS } from '../downsamplers/registry.ts';
import { type Column, reverseColumns } from '../model/block.ts';
import type { Datapoint, DatapointColumns } from './types.ts';

/** The columns with their rows in the opposite order. */
export function reverseDatapoints(columns: DatapointColumns): DatapointColumns {
  const { timestamps, values, v, t, live } = columns;
  return {
    timestamps: timestamps.toReversed(),
    ...(values === undefined ? {} : { values: values.toReversed() }),
    ...(v === undefined ? {} : { v: reverseColumns(v) }),
    ...(t === undefined ? {} : { t: reverseColumns(t) as Record<string, Float64Array> }),
    ...(live === undefined ? {} : { live: live.toReversed() }),
  };
}

/** An object of the same keys. */
export function mapColumns<From, To>(
  columns: Readonly<Record<string, From>>,
  map: (column: From, letter: string) => To,
): Record<string, To> {
  return Object.fromEntries(
    Object.entries(columns).map(([letter, column]) => [letter, map(column, letter)]),
  );
}

/** The rows `[from, to)` in arrays of their own. */
export function sliceDatapoints(
  { timestamps, values, v, t, live }: DatapointColumns,
  from: number,
  to: number,
): DatapointColumns {
  const slice = <Rows extends { slice(from: number, to: number): unknown }>(rows: Rows): Rows =>
    rows.slice(from, to) as Rows;
  return {
    timestamps: slice(timestamps),
    ...(values === undefined ? {} : { values: slice(values) }),
    ...(v === undefined ? {} : { v: mapColumns(v, slice) }),
    ...(t === undefined ? {} : { t: mapColumns(t, slice) }),
    ...(live === undefined ? {} : { live: slice(live) }),
  };
}

const INSTANT_LETTERS: ReadonlySet<string> = new Set(
  TIME_DOWNSAMPLERS.filter(({ isInstant }) => isInstant).map(({ letter }) => letter),
);

/** Whether a time statistic is an instant, and no length of time. */
export function isInstantLetter(letter: string): boolean {
  return INSTANT_LETTERS.has(letter);
}

/** One row as a datapoint. */
export function datapointAt(columns: DatapointColumns, row: number): Datapoint {
  const { timestamps, values, v, t, live } = columns;
  if (values !== undefined) return { t: new Date(timestamps[row]!), v: cellOf(values, row) };
  return {
    ...(t && { t: mapColumns(t, (column, letter) => timeOf(letter, cellOf(column, row))) }),
    ...(v && { v: mapColumns(v, (column) => cellOf(column, row)) }),
    ...(live?.[row] === 1 ? { live: true } : {}),
  } as Datapoint;
}

function cellOf(column: Column, row: number): unknown {
  const value = column[row];
  return typeof value === 'number' && Number.isNaN(value) ? null : value;
}

function timeOf(letter: string, time: unknown): unknown {
  return time !== null && isInstantLetter(letter) ? new Date(time as number) : time;
}
