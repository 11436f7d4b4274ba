import { bucketBeforeMs, bucketEndMs, type Granularity } from './granularity.ts';
import { isEmptyRange, type TimeRange } from './time-range.ts';

/** How many buckets a range has that is on bucket boundaries. Where buckets differ, all of them are looked at. */
export function bucketCountOf(range: TimeRange, granularity: Granularity): number {
  if (isEmptyRange(range)) return 0;
  if (granularity.calendar === null) return (range.endMs - range.startMs) / granularity.durationMs;
  let count = 0;
  for (let atMs = range.startMs; atMs < range.endMs; count++) {
    atMs = bucketEndMs(atMs, granularity);
  }
  return count;
}

/** The starts of all buckets of a range that begins with one, ascending. */
export function bucketStartsOf(range: TimeRange, granularity: Granularity): Float64Array {
  if (granularity.calendar !== null) return Float64Array.from(calendarStarts(range, granularity));
  const { durationMs } = granularity;
  const bucketCount = Math.max(0, Math.ceil((range.endMs - range.startMs) / durationMs));
  const starts = new Float64Array(bucketCount);
  for (let i = 0; i < bucketCount; i++) starts[i] = range.startMs + i * durationMs;
  return starts;
}

function* calendarStarts(range: TimeRange, granularity: Granularity): Generator<number> {
  for (let atMs = range.startMs; atMs < range.endMs; atMs = bucketEndMs(atMs, granularity)) {
    yield atMs;
  }
}

export interface WindowOptions {
  /** Positions, from the side at which the order begins. */
  readonly from: number;
  readonly to: number;
  /** Of each window. */
  readonly bucketCountMax: number;
  readonly isReverse: boolean;
}

/** Cuts the buckets at the positions `[from, to)` of a range on bucket boundaries into windows. */
export function bucketWindows(
  range: TimeRange,
  granularity: Granularity,
  options: WindowOptions,
): Iterable<TimeRange> {
  return granularity.calendar === null
    ? regularWindows(range, granularity, options)
    : calendarWindows(range, granularity, options);
}

function* regularWindows(
  range: TimeRange,
  { durationMs }: Granularity,
  { from, to, bucketCountMax, isReverse }: WindowOptions,
): Generator<TimeRange, void, undefined> {
  const end = isEmptyRange(range) ? 0 : Math.min(to, (range.endMs - range.startMs) / durationMs);
  const { startMs, endMs } = range;
  for (let position = from; position < end; position += bucketCountMax) {
    const next = Math.min(position + bucketCountMax, end);
    yield isReverse
      ? { startMs: endMs - next * durationMs, endMs: endMs - position * durationMs }
      : { startMs: startMs + position * durationMs, endMs: startMs + next * durationMs };
  }
}

function* calendarWindows(
  range: TimeRange,
  granularity: Granularity,
  { from, to, bucketCountMax, isReverse }: WindowOptions,
): Generator<TimeRange, void, undefined> {
  let atMs = isReverse ? range.endMs : range.startMs;
  const hasMore = (): boolean => (isReverse ? atMs > range.startMs : atMs < range.endMs);
  const step = (): void => {
    atMs = isReverse ? bucketBeforeMs(atMs, granularity) : bucketEndMs(atMs, granularity);
  };
  let position = 0;
  for (; position < from && hasMore(); position++) step();
  while (position < to && hasMore()) {
    const edgeMs = atMs;
    for (let count = 0; count < bucketCountMax && position < to && hasMore(); count++) {
      step();
      position++;
    }
    yield isReverse ? { startMs: atMs, endMs: edgeMs } : { startMs: edgeMs, endMs: atMs };
  }
}
