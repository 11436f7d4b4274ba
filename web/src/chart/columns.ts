import type { DataColumns, Json } from '../api/types.ts';
import { granularityMs } from '../time/units.ts';

/** What charts draw of a stream: a row for each datapoint or bucket. NaN-free: what is missing is null. */
export interface ChartColumns {
  readonly granularity: string;
  /** Whether rows are datapoints, rather than buckets. */
  readonly isRaw: boolean;
  /** Epoch milliseconds, ascending; of buckets their starts. */
  readonly timestamps: readonly number[];
  /** By letter of the downsampler; raw datapoints are under `m`. All as long as `timestamps`. */
  readonly letters: Readonly<Record<string, readonly Json[]>>;
}

export const NO_COLUMNS: ChartColumns = {
  granularity: '',
  isRaw: true,
  timestamps: [],
  letters: {},
};

/** Letters of what charts can draw, by the names of the value downsamplers. */
export const LETTERS: Readonly<Record<string, string>> = {
  mean: 'm',
  sum: 's',
  min: 'l',
  max: 'u',
  count: 'c',
  median: 'n',
  std_dev: 'd',
  most_often: 'o',
  least_often: 'r',
};

/** Takes an answer of the service. */
export function chartColumns({ granularity, timestamps, values, v }: DataColumns): ChartColumns {
  if (values !== undefined) return { granularity, isRaw: true, timestamps, letters: { m: values } };
  return { granularity, isRaw: false, timestamps, letters: v ?? {} };
}

/** Columns without rows that say that there is nothing: only nulls, or a count of none. */
export function knownRows(columns: ChartColumns): ChartColumns {
  const { timestamps, letters } = columns;
  const parts = Object.entries(letters);
  const known = [...timestamps.keys()].filter((row) =>
    parts.some(([letter, column]) => column[row] != null && !(letter === 'c' && column[row] === 0)),
  );
  if (known.length === timestamps.length) return columns;
  return {
    ...columns,
    timestamps: known.map((row) => timestamps[row]!),
    letters: Object.fromEntries(
      parts.map(([letter, column]) => [letter, known.map((row) => column[row]!)]),
    ),
  };
}

/** Numbers of a column; everything else, such as already downsampled values, by their mean, or null. */
export function numbersOf(column: readonly Json[] | undefined): (number | null)[] {
  return (column ?? []).map(numberOf);
}

export function numberOf(value: Json | undefined): number | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && value !== '') {
    const number = Number(value);
    return Number.isFinite(number) ? number : null;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && 'm' in value) {
    return numberOf((value as { m: Json }).m);
  }
  return null;
}

/** Where a row is drawn: a bucket in its middle, which is where its mean is true. */
export function drawnTimes({ isRaw, granularity, timestamps }: ChartColumns): readonly number[] {
  const halfMs = isRaw ? 0 : granularityMs(granularity) / 2;
  return halfMs === 0 ? timestamps : timestamps.map((timestampMs) => timestampMs + halfMs);
}

/** A distance so many times the usual one is a gap. */
const GAP_FACTOR = 4;
/** The same of buckets that follow each other nearly always. */
const DENSE_GAP_FACTOR = 1.5;
const DENSE_PART = 0.9;

/**
 * Rows behind which a gap begins: the distance to the next one is several times what is usual here, or a bucket is
 * missing where nearly all others are there. A line must not go over it.
 */
export function gapRows(timestamps: readonly number[], bucketMs: number): readonly number[] {
  const leastMs = gapLeastMs(timestamps, bucketMs);
  return distancesOf(timestamps).flatMap((distanceMs, row) => (distanceMs > leastMs ? [row] : []));
}

/** Longer distances are gaps; infinite where too few rows tell what is usual. */
export function gapLeastMs(timestamps: readonly number[], bucketMs: number): number {
  if (timestamps.length < 3) return Number.POSITIVE_INFINITY;
  const sorted = Float64Array.from(distancesOf(timestamps)).sort();
  const part = (share: number): number => sorted[Math.floor(sorted.length * share)]!;
  const usualMs = Math.max(bucketMs, part(0.5));
  const isDense = bucketMs > 0 && part(DENSE_PART) < bucketMs * DENSE_GAP_FACTOR;
  return usualMs * (isDense ? DENSE_GAP_FACTOR : GAP_FACTOR);
}

function distancesOf(timestamps: readonly number[]): readonly number[] {
  return timestamps.slice(1).map((timestampMs, row) => timestampMs - timestamps[row]!);
}

/** Times and columns with a row of nulls in each gap; `bucketMs` is 0 for raw datapoints. */
export function withGaps<T>(
  times: readonly number[],
  columns: readonly (readonly (T | null)[])[],
  bucketMs: number,
): { readonly times: number[]; readonly columns: (T | null)[][] } {
  const gaps = new Set(gapRows(times, bucketMs));
  const outTimes: number[] = [];
  const outColumns: (T | null)[][] = columns.map(() => []);
  for (const [row, time] of times.entries()) {
    outTimes.push(time);
    for (const [index, column] of columns.entries()) outColumns[index]!.push(column[row] ?? null);
    if (!gaps.has(row)) continue;
    outTimes.push((time + times[row + 1]!) / 2);
    for (const column of outColumns) column.push(null);
  }
  return { times: outTimes, columns: outColumns };
}
