import { bucketCeilMs, bucketStartMs, type Granularity } from '../model/granularity.ts';
import type { TimeRange } from '../model/time-range.ts';

/** The starts of all buckets of a range on bucket boundaries. */
export function bucketStarts(
  { startMs, endMs }: TimeRange,
  granularity: Granularity,
): Float64Array {
  const { durationMs } = granularity;
  const startsMs = new Float64Array((endMs - startMs) / durationMs);
  for (let i = 0; i < startsMs.length; i++) startsMs[i] = startMs + i * durationMs;
  return startsMs;
}

/** The bucket that starts at the instant. */
export function bucketAt(startMs: number, granularity: Granularity): TimeRange {
  return { startMs, endMs: bucketCeilMs(startMs + 1, granularity) };
}

/**
 * The part of a range at its start, or at its end when reversed, that has about so many buckets. On bucket
 * boundaries if the range is.
 */
export function firstBuckets(
  { startMs, endMs }: TimeRange,
  granularity: Granularity,
  { bucketCount, isReverse }: { readonly bucketCount: number; readonly isReverse: boolean },
): TimeRange {
  const spanMs = bucketCount * granularity.durationMs;
  return isReverse
    ? { startMs: Math.max(startMs, bucketStartMs(endMs - spanMs, granularity)), endMs }
    : { startMs, endMs: Math.min(bucketCeilMs(startMs + spanMs, granularity), endMs) };
}
