import { isEmptyRange, type TimeRange } from './time-range.ts';

/** Disjoint, ascending, not touching; may be empty. */
export type RangeSet = readonly TimeRange[];

/**
 * More ranges than this are joined across their smallest gaps: calling a fresh bucket stale costs work,
 * never exactness, while an unbounded list would make each late datapoint rewrite a growing record.
 */
export const STALE_RANGE_COUNT_MAX = 256;

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
  let bounded: RangeSet = result;
  while (bounded.length > STALE_RANGE_COUNT_MAX) bounded = joinClosest(bounded);
  return bounded;
}

export function addRanges(set: RangeSet, ranges: Iterable<TimeRange>): RangeSet {
  let result = set;
  for (const range of ranges) result = addRange(result, range);
  return result;
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

function joinClosest(ranges: readonly TimeRange[]): RangeSet {
  let closest = 1;
  let gapMs = Number.POSITIVE_INFINITY;
  for (let i = 1; i < ranges.length; i++) {
    const candidateMs = ranges[i]!.startMs - ranges[i - 1]!.endMs;
    if (candidateMs < gapMs) {
      gapMs = candidateMs;
      closest = i;
    }
  }
  const joined = { startMs: ranges[closest - 1]!.startMs, endMs: ranges[closest]!.endMs };
  return [...ranges.slice(0, closest - 1), joined, ...ranges.slice(closest + 1)];
}
