/** Statistics of values that only some streams of a history have, of one bucket, out of all of its datapoints. */
import type { Row } from './bucket.ts';

/** Beyond so many values, percentiles come from a sketch, and so many distinct ones are counted exactly. */
const EXACT_VALUE_COUNT_MAX = 128;
const EXACT_DISTINCT_COUNT_MAX = 400;

/** Names and letters. */
export const MORE_NUMERIC = {
  first: 'a',
  last: 'z',
  range: 'g',
  variance: 'v',
  rate_of_change: 'k',
  distinct: 'h',
  percentile_0: 'p0',
  percentile_50: 'p50',
  'percentile_99.9': 'p99.9',
  integral: 'i',
  time_weighted_mean: 'w',
  coverage: 'e',
} as const;
export const MORE_NOMINAL = { first: 'a', last: 'z', distinct: 'h' } as const;

/** The statistics of datapoints in order of time, nulls left out. */
export function moreOf(rows: readonly Row[], isNumeric: boolean): Record<string, unknown> {
  const [first] = rows;
  const last = rows.at(-1);
  const nothing = { a: null, z: null, h: null };
  if (first === undefined || last === undefined) {
    const numbers = { g: null, v: null, k: null, p0: null, p50: null, 'p99.9': null };
    return isNumeric ? { ...nothing, ...numbers } : nothing;
  }
  const edges = { a: first.v, z: last.v, h: new Set(rows.map(({ v }) => v)).size };
  if (!isNumeric) return edges;
  const values = rows.map(({ v }) => v as number);
  const mean = sum(values) / values.length;
  return {
    ...edges,
    g: Math.max(...values) - Math.min(...values),
    v: sum(values.map((value) => (value - mean) ** 2)) / values.length,
    k: first.t === last.t ? null : (values.at(-1)! - values[0]!) / (last.t - first.t),
    p0: percentile(values, 0),
    p50: percentile(values, 0.5),
    'p99.9': percentile(values, 0.999),
  };
}

/** Of values that are held until the next datapoint: known in buckets without data, too. */
export const HELD_LETTERS: readonly string[] = ['i', 'w', 'e'];

/** What is held in a bucket, of all datapoints of a stream in order of time, nulls left out. */
export function heldIn(
  rows: readonly Row[],
  { start, seconds, heartbeat }: { start: number; seconds: number; heartbeat: number },
): Record<string, unknown> {
  const end = start + seconds;
  let area = 0;
  let held = 0;
  for (let index = Math.max(0, firstAt(rows, start) - 1); index < rows.length; index++) {
    const { t, v } = rows[index]!;
    if (t >= end) break;
    const until = Math.min(rows[index + 1]?.t ?? end, t + heartbeat, end);
    const time = Math.max(0, until - Math.max(t, start));
    area += (v as number) * time;
    held += time;
  }
  return { i: held === 0 ? null : area, w: held === 0 ? null : area / held, e: held / seconds };
}

/** Index of the first row at or after a time. */
function firstAt(rows: readonly Row[], time: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]!.t < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How far off the statistic may be, as a fraction of it; 0: not at all. */
export function toleranceOf(letter: string, v: Readonly<Record<string, unknown>>): number {
  if (letter === 'v') return 1e-9;
  if (letter === 'h') return (v['h'] as number) > EXACT_DISTINCT_COUNT_MAX ? 0.1 : 0;
  if (!letter.startsWith('p')) return 0;
  return (v['c'] as number) > EXACT_VALUE_COUNT_MAX ? 0.0101 : 1e-12;
}

function percentile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = fraction * (values.length - 1);
  const low = sorted[Math.floor(rank)]!;
  if (values.length > EXACT_VALUE_COUNT_MAX) return low;
  return low + (sorted[Math.ceil(rank)]! - low) * (rank - Math.floor(rank));
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
