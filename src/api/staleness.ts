import type { StreamStaleness } from '../engine/staleness-report.ts';
import type { TimeRange } from '../model/time-range.ts';
import { TIME_MIN_MS } from '../model/time-range.ts';
import { describeStream } from './describe-stream.ts';
import type { StaleRange, StreamStatus } from './types.ts';

type Supports = Parameters<typeof describeStream>[1];

/** What callers get to know about the staleness of a stream. */
export function describeStaleness(
  { snapshot, derived, pendingMs, levels }: StreamStaleness,
  supports: Supports,
): StreamStatus {
  const { id, tags, pendingBackprocess, expiredUntil } = describeStream(snapshot, supports);
  // History that was never processed, from the very beginning or where it was left, has no age of its own.
  const starts = [...derived, ...levels.flatMap(({ ranges }) => ranges)].map(
    ({ startMs }) => startMs,
  );
  if (pendingMs !== null && pendingMs !== TIME_MIN_MS) starts.push(pendingMs);
  return {
    streamId: id,
    tags,
    pendingBackprocess,
    expiredUntil,
    derived: derived.map(rangeOf),
    levels: levels.map(({ granularity, ranges, bucketCount }) => ({
      granularity,
      ranges: ranges.map(rangeOf),
      bucketCount,
    })),
    oldest: starts.length === 0 ? null : new Date(Math.min(...starts)),
    bucketCount: levels.reduce((sum, level) => sum + level.bucketCount, 0),
  };
}

function rangeOf({ startMs, endMs }: TimeRange): StaleRange {
  return { start: new Date(startMs), end: new Date(endMs) };
}
