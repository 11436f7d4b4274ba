import { isEmptyRange, type TimeRange } from './time-range.ts';

/** Disjoint, ascending, not touching; may be empty. */
export type RangeSet = readonly TimeRange[];

/**
 * More ranges than this are joined across their smallest gaps: calling a fresh bucket stale costs work,
 * never exactness, while an unbounded list would make each late datapoint rewrite a growing record.
 */
export const STALE_RANGE_COUNT_MAX = 256;

/** Fewer ranges are added one after the other: sorting them costs more. */
const SWEPT_RANGE_COUNT_MIN = 4;

/** The union of the set and the range, in canonical form. */
export function addRange(set: RangeSet, range: TimeRange): RangeSet {
  if (isEmptyRange(range)) return set;
  const result: TimeRange[] = [];
  let { startMs, endMs } = range;
  let isPlaced = false;
  for (const item of set) {
    if (item.endMs < startMs) {
      result.push(item);
    } else if (item.startMs > endMs) {
      if (!isPlaced) result.push({ startMs, endMs });
      isPlaced = true;
      result.push(item);
    } else {
      if (item.startMs <= startMs && item.endMs >= endMs) return set;
      startMs = Math.min(startMs, item.startMs);
      endMs = Math.max(endMs, item.endMs);
    }
  }
  if (!isPlaced) result.push({ startMs, endMs });
  return bounded(result);
}

/** The union of the set and the ranges, in canonical form; in one sweep where there are many. */
export function addRanges(set: RangeSet, ranges: Iterable<TimeRange>): RangeSet {
  const added = [...ranges].filter((range) => !isEmptyRange(range));
  if (added.length <= SWEPT_RANGE_COUNT_MIN) return added.reduce(addRange, set);
  const result: { startMs: number; endMs: number }[] = [];
  for (const { startMs, endMs } of [...set, ...added].sort((a, b) => a.startMs - b.startMs)) {
    const last = result.at(-1);
    if (last === undefined || last.endMs < startMs) result.push({ startMs, endMs });
    else last.endMs = Math.max(last.endMs, endMs);
  }
  return isSame(result, set) ? set : bounded(result);
}

/** What of the set lies outside the range. */
export function subtractRange(set: RangeSet, range: TimeRange): RangeSet {
  if (isEmptyRange(range)) return set;
  const result: TimeRange[] = [];
  for (const item of set) {
    if (item.endMs <= range.startMs || item.startMs >= range.endMs) {
      result.push(item);
      continue;
    }
    if (item.startMs < range.startMs) result.push({ startMs: item.startMs, endMs: range.startMs });
    if (item.endMs > range.endMs) result.push({ startMs: range.endMs, endMs: item.endMs });
  }
  return result;
}

/** What of the set lies inside the range. */
export function clipRanges(set: RangeSet, range: TimeRange): RangeSet {
  return set
    .map((item) => ({
      startMs: Math.max(item.startMs, range.startMs),
      endMs: Math.min(item.endMs, range.endMs),
    }))
    .filter((item) => !isEmptyRange(item));
}

export function isInRanges(set: RangeSet, timestampMs: number): boolean {
  return set.some((item) => item.startMs <= timestampMs && timestampMs < item.endMs);
}

/** Ranges that are not too many: joined across their smallest gaps, of equal ones the earliest. */
function bounded(ranges: RangeSet): RangeSet {
  if (ranges.length <= STALE_RANGE_COUNT_MAX) return ranges;
  const gapMs = (index: number): number => ranges[index]!.startMs - ranges[index - 1]!.endMs;
  const starts = Array.from({ length: ranges.length - 1 }, (_, index) => index + 1)
    .sort((a, b) => gapMs(b) - gapMs(a) || b - a)
    .slice(0, STALE_RANGE_COUNT_MAX - 1)
    .sort((a, b) => a - b);
  return [0, ...starts].map((index, i) => ({
    startMs: ranges[index]!.startMs,
    endMs: ranges[(starts[i] ?? ranges.length) - 1]!.endMs,
  }));
}

function isSame(a: RangeSet, b: RangeSet): boolean {
  return (
    a.length === b.length &&
    a.every(({ startMs, endMs }, i) => startMs === b[i]!.startMs && endMs === b[i]!.endMs)
  );
}
