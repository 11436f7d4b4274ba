import { bucketCeilMs, bucketStartMs, type Granularity } from '../model/granularity.ts';
import type { TimeRange } from '../model/time-range.ts';

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
