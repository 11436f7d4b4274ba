import type { Write } from '../backends/backend.ts';
import type { BackendManifest } from '../backends/manifest.ts';
import { LevelSchema } from '../downsamplers/level-schema.ts';
import { EMPTY_BLOCK } from '../model/block.ts';
import { ladderOf } from '../model/ladder.ts';
import { addRange } from '../model/staleness.ts';
import type { LevelState, StreamRecord, StreamSnapshot } from '../model/stream.ts';
import { ALL_TIME } from '../model/time-range.ts';
import { fillableFromMs, levelStartMs, originMs, withLevelsFrom } from './expiry.ts';

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
  snapshot: StreamSnapshot,
  names: readonly string[],
  { levels: kind }: Pick<BackendManifest, 'levels'>,
): ChangedLevels {
  const { record } = snapshot;
  const changed: StreamRecord = { ...record, valueDownsamplers: names };
  const before = LevelSchema.of(record);
  const after = LevelSchema.of(changed);
  if (after.isEmpty) return withoutLevels(changed, kind);
  // Rows that a server computes have all components whenever they are read.
  if (before.isEmpty) return { record: withLevelsFromWhatIsThere(changed), writes: [] };
  if (kind === 'computed' || hasSameColumns(before, after)) return { record: changed, writes: [] };
  return { record: withStaleLevels({ ...snapshot, record: changed }), writes: [] };
}

/**
 * Gives a stream another heartbeat, in seconds; null: none. Buckets that tell what was held are stale. Those that
 * cannot be computed anew, because something has expired, keep what the old one made of them.
 */
export function withHeartbeat(
  snapshot: StreamSnapshot,
  heartbeat: number | null,
  { levels: kind }: Pick<BackendManifest, 'levels'>,
): StreamRecord {
  const { record } = snapshot;
  const { heartbeat: _heartbeat, ...others } = record.valueTypeOptions;
  const valueTypeOptions = { ...others, ...(heartbeat !== null && { heartbeat }) };
  const changed: StreamRecord = { ...record, valueTypeOptions };
  const isOfHeld = LevelSchema.of(record).select({}).isOfHeld;
  if (!isOfHeld || kind === 'computed') return changed;
  return withStaleLevels({ ...snapshot, record: changed });
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

/** Levels begin where they can be computed from what has not expired. */
function withLevelsFromWhatIsThere(record: StreamRecord): StreamRecord {
  const { expiry } = record;
  const fillable = fillableFromMs(record);
  if (expiry === undefined || fillable === null) return record;
  return { ...record, expiry: withLevelsFrom(expiry, fillable) };
}

/** Every level stale from the first bucket that can be computed anew to its watermark. */
function withStaleLevels({ record, earliestMs }: StreamSnapshot): StreamRecord {
  const levels: Partial<Record<keyof StreamRecord['levels'], LevelState>> = { ...record.levels };
  const beganMs = originMs({ record, earliestMs }) ?? firstStaleMs(record);
  if (beganMs === null) return record;
  const fillable = fillableFromMs(record);
  let isRefilling = false;
  for (const granularity of ladderOf(record).levels) {
    const { name } = granularity;
    const level = record.levels[name];
    if (level === undefined || level.untilMs === null) continue;
    const { untilMs } = level;
    const firstMs = levelStartMs({ record, earliestMs: beganMs }, granularity)!;
    const startMs = Math.max(firstMs, fillable?.[name] ?? firstMs);
    levels[name] = { untilMs, stale: addRange(level.stale, { startMs, endMs: untilMs }) };
    isRefilling = true;
  }
  if (!isRefilling) return record;
  const filled = record.expiry && fillable && { ...record.expiry, filledMs: fillable };
  return { ...record, levels, isRefilling, ...(filled && { expiry: filled }) };
}

/** Where levels begin of which all datapoints were deleted: their rows are stale until maintenance takes them away. */
function firstStaleMs(record: StreamRecord): number | null {
  const starts = ladderOf(record).fromRaw.flatMap(
    ({ name }) => record.levels[name]?.stale[0]?.startMs ?? [],
  );
  return starts.length === 0 ? null : Math.min(...starts);
}
