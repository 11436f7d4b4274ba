/** The naive computation of one bucket, out of all of its datapoints at once. */
import { moreOf } from './more-statistics.ts';

/** An already downsampled value. */
export interface Group {
  readonly m: number;
  readonly s: number;
  readonly l: number;
  readonly u: number;
  readonly q: number;
  readonly d: number;
  readonly c: number;
}

export interface Row {
  readonly t: number;
  readonly v: unknown;
}

export interface Bucket {
  readonly t: Readonly<Record<string, number | null>>;
  readonly v: Readonly<Record<string, unknown>>;
}

export function isGroup(v: unknown): v is Group {
  return typeof v === 'object' && v !== null;
}

/** The bucket that the datapoints, in order of time, make. */
export function bucketOf(
  all: readonly Row[],
  options: { start: number; seconds: number; isNumeric: boolean; hasMore: boolean },
): Bucket {
  const { start, seconds, isNumeric, hasMore } = options;
  const rows = all.filter(({ v }) => v !== null);
  const groups = isNumeric ? rows.map(({ v }) => (isGroup(v) ? v : groupOf([v as number]))) : [];
  const weights = isNumeric ? groups.map(({ c }) => c) : rows.map(() => 1);
  const c = add(weights);
  const usual = isNumeric ? numbers(groups) : nominals(rows.map((row) => row.v));
  const v = hasMore ? { ...usual, ...moreOf(rows, isNumeric) } : usual;
  if (rows.length === 0) {
    const t = { a: null, z: null, i: null, l: null, u: null, q: null, d: null };
    return { t: { m: start + Math.floor(seconds / 2), ...t }, v };
  }
  const offsets = rows.map((row, i) => (row.t - start) * weights[i]!);
  const gaps = rows.slice(1).map((row, i) => row.t - rows[i]!.t);
  const gap = gaps.length === 0 ? null : groupOf(gaps);
  return {
    t: {
      m: start + Math.floor(add(offsets) / c),
      a: rows[0]!.t,
      z: rows.at(-1)!.t,
      i: gap?.m ?? null,
      l: gap?.l ?? null,
      u: gap?.u ?? null,
      q: gap?.q ?? null,
      d: gap?.d ?? null,
    },
    v,
  };
}

/** The group that the numbers make. */
export function groupOf(values: readonly number[]): Group {
  const c = values.length;
  const s = add(values);
  const m = s / c;
  return {
    m,
    s,
    l: Math.min(...values),
    u: Math.max(...values),
    q: add(values.map((x) => x * x)),
    d: Math.sqrt(add(values.map((x) => (x - m) ** 2)) / c),
    c,
  };
}

function numbers(groups: readonly Group[]): Record<string, unknown> {
  const c = add(groups.map((g) => g.c));
  if (c === 0) return { m: null, s: null, l: null, u: null, q: null, d: null, c };
  const s = add(groups.map((g) => g.s));
  const m = s / c;
  // Deviations of each group around the common mean, its own spread and its distance.
  const deviations = groups.map((g) => g.c * (g.d ** 2 + (g.m - m) ** 2));
  return {
    m,
    s,
    l: Math.min(...groups.map((g) => g.l)),
    u: Math.max(...groups.map((g) => g.u)),
    q: add(groups.map((g) => g.q)),
    d: Math.sqrt(add(deviations) / c),
    c,
  };
}

function nominals(values: readonly unknown[]): Record<string, unknown> {
  if (values.length === 0) return { c: 0, o: null, r: null, f: null };
  const counts = new Map<unknown, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  // Sorting is stable: of equals, the one that appeared first.
  const byCount = [...counts].sort(([, a], [, b]) => b - a);
  const byCountUp = [...counts].sort(([, a], [, b]) => a - b);
  return {
    c: values.length,
    o: byCount[0]![0],
    r: byCountUp[0]![0],
    f: Object.fromEntries(counts),
  };
}

function add(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
