import {
  bucketCeilMs,
  bucketStartMs,
  type Granularity,
  type GranularityName,
} from '../model/granularity.ts';
import { ladderOf } from '../model/ladder.ts';
import { addRange, addRanges, type RangeSet } from '../model/staleness.ts';
import type { LevelState, StreamRecord } from '../model/stream.ts';
import { TIME_END_MS, type TimeRange } from '../model/time-range.ts';
import { originMs } from './expiry.ts';

/** The level with the buckets that a change of finer rows reaches made stale, as far as they are computed. */
export function withStaleBuckets(
  level: LevelState,
  granularity: Granularity,
  changed: TimeRange,
): LevelState {
  return withAllStaleBuckets(level, granularity, [changed]);
}

function withAllStaleBuckets(
  level: LevelState,
  granularity: Granularity,
  changes: readonly TimeRange[],
): LevelState {
  const { untilMs } = level;
  if (untilMs === null) return level;
  const stale = addRanges(level.stale, bucketRanges(granularity, changes, untilMs));
  return stale === level.stale ? level : { untilMs, stale };
}

/** The buckets of each change up to `untilMs`; those of many changes in one bucket once, if they come in order. */
function bucketRanges(
  granularity: Granularity,
  changes: readonly TimeRange[],
  untilMs: number,
): readonly TimeRange[] {
  const ranges: TimeRange[] = [];
  for (const { startMs, endMs } of changes) {
    const last = ranges.at(-1);
    if (last !== undefined && last.startMs <= startMs && endMs <= last.endMs) continue;
    ranges.push({
      startMs: bucketStartMs(startMs, granularity),
      endMs: endMs < untilMs ? Math.min(bucketCeilMs(endMs, granularity), untilMs) : untilMs,
    });
  }
  return ranges;
}

/**
 * What is stale of a level with the buckets that it has lost: it is dense from its first datapoint on, and where that
 * was deleted, those up to the one where it begins now are gone, the empty ones between included. Nothing but
 * staleness before its beginning tells of them.
 * @param startMs where the level begins.
 */
export function withLostBuckets(stale: RangeSet, startMs: number): RangeSet {
  const firstMs = stale[0]?.startMs ?? startMs;
  return addRange(stale, { startMs: firstMs, endMs: startMs });
}

/** The record with what the change of raw rows makes stale in the levels that are computed from them; others follow. */
export function withStaleRaw(
  record: StreamRecord,
  earliestMs: number | null,
  changed: TimeRange,
): StreamRecord {
  return withAllStaleRaw(record, earliestMs, [changed]);
}

/** As `withStaleRaw`, of many changes: best in order of time. */
export function withAllStaleRaw(
  record: StreamRecord,
  earliestMs: number | null,
  changes: readonly TimeRange[],
): StreamRecord {
  // Levels are dense from the first datapoint on: an earlier one brings the buckets up to it, too, and the
  // first one after all were deleted those up to the watermark, which stays.
  const firstMs = originMs({ record, earliestMs }) ?? TIME_END_MS;
  const dense = changes.map(({ startMs, endMs }) => ({
    startMs,
    endMs: startMs < firstMs ? Math.max(endMs, firstMs) : endMs,
  }));
  let levels: Partial<Record<GranularityName, LevelState>> | null = null;
  for (const granularity of ladderOf(record).fromRaw) {
    const level = record.levels[granularity.name];
    if (level === undefined) continue;
    const next = withAllStaleBuckets(level, granularity, dense);
    if (next === level) continue;
    levels ??= { ...record.levels };
    levels[granularity.name] = next;
  }
  return levels === null ? record : { ...record, levels };
}

/** The record with other watermarks; of a level, 0 being the finest, where the follower gives one. */
export function withWatermarks(
  record: StreamRecord,
  follower: { untilMs(levelIndex: number): number | null },
): StreamRecord {
  let levels: Partial<Record<GranularityName, LevelState>> | null = null;
  for (const [index, { name }] of ladderOf(record).levels.entries()) {
    const movedMs = follower.untilMs(index);
    const before = record.levels[name];
    if (movedMs === null || movedMs === before?.untilMs) continue;
    levels ??= { ...record.levels };
    levels[name] = { untilMs: movedMs, stale: before?.stale ?? [] };
  }
  return levels === null ? record : { ...record, levels };
}
