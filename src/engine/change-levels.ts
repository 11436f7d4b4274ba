import type { Write } from '../backends/backend.ts';
import type { BackendManifest } from '../backends/manifest.ts';
import { LevelSchema } from '../downsamplers/level-schema.ts';
import { EMPTY_BLOCK } from '../model/block.ts';
import { bucketStartMs } from '../model/granularity.ts';
import { ladderOf } from '../model/ladder.ts';
import { addRange } from '../model/staleness.ts';
import type { LevelState, StreamRecord, StreamSnapshot } from '../model/stream.ts';
import { ALL_TIME } from '../model/time-range.ts';

/** A record with another definition of its levels, and what goes with the one that it had. */
export interface ChangedLevels {
  readonly record: StreamRecord;
  readonly writes: readonly Write[];
}

/**
 * Gives a stream other value downsamplers. Buckets whose states have other components from now on are
 * stale, and stay readable until maintenance has computed them anew; without downsamplers there are none.
 * @param names with the dependencies, in the order of the registry.
 */
export function withDownsamplers(
  { record, earliestMs }: StreamSnapshot,
  names: readonly string[],
  { levels: kind }: Pick<BackendManifest, 'levels'>,
): ChangedLevels {
  const changed: StreamRecord = { ...record, valueDownsamplers: names };
  const before = LevelSchema.of(record);
  const after = LevelSchema.of(changed);
  if (after.isEmpty) return withoutLevels(changed, kind);
  // Rows that a server computes have all components whenever they are read.
  if (kind === 'computed' || earliestMs === null || hasSameColumns(before, after)) {
    return { record: changed, writes: [] };
  }
  return { record: withStaleLevels(changed, earliestMs), writes: [] };
}

function hasSameColumns(a: LevelSchema, b: LevelSchema): boolean {
  return a.columns.join() === b.columns.join();
}

function withoutLevels(record: StreamRecord, kind: BackendManifest['levels']): ChangedLevels {
  const { isRefilling: _isRefilling, ...rest } = record;
  const stored = ladderOf(record).levels.filter(
    ({ name }) => kind === 'stored' && (record.levels[name]?.untilMs ?? null) !== null,
  );
  return {
    record: { ...rest, levels: {} },
    writes: stored.map((granularity) => ({
      kind: 'replace',
      streamId: record.id,
      granularity,
      range: ALL_TIME,
      block: EMPTY_BLOCK,
    })),
  };
}

/** Every level stale from its first bucket to its watermark. */
function withStaleLevels(record: StreamRecord, earliestMs: number): StreamRecord {
  const levels: Partial<Record<keyof StreamRecord['levels'], LevelState>> = { ...record.levels };
  let isRefilling = false;
  for (const granularity of ladderOf(record).levels) {
    const level = record.levels[granularity.name];
    if (level === undefined || level.untilMs === null) continue;
    const { untilMs } = level;
    const range = { startMs: bucketStartMs(earliestMs, granularity), endMs: untilMs };
    levels[granularity.name] = { untilMs, stale: addRange(level.stale, range) };
    isRefilling = true;
  }
  return isRefilling ? { ...record, levels, isRefilling } : record;
}
