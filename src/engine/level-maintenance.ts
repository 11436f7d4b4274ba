import { Fold } from '../downsamplers/fold.ts';
import { LevelSchema } from '../downsamplers/level-schema.ts';
import { StreamNotFound } from '../exceptions/errors.ts';
import { type Block, concatBlocks, cutBlock } from '../model/block.ts';
import { bucketStartMs, Granularity, lowerGranularities } from '../model/granularity.ts';
import type { StreamId, StreamSnapshot } from '../model/stream.ts';
import type { TimeRange } from '../model/time-range.ts';
import { commitOrRetry } from './commit-or-retry.ts';
import type { EngineContext } from './context.ts';
import type { Lease } from './lease.ts';
import { type ComputedRange, LevelDraft } from './level-draft.ts';
import { StaleMarks } from './stale-marks.ts';

/** Finer rows that one commit is computed from, at most: bounds memory, and the work lost by an abort. */
const ROW_COUNT_MAX = 500_000;

export interface LevelWork {
  readonly streamId: StreamId;
  readonly lease: Lease;
  /** Buckets that end after it are left for later. */
  readonly untilMs: number;
  readonly signal: AbortSignal | undefined;
  /**
   * Whether `onCommit` needs the buckets. Those that the server computes are read for it alone.
   * Default: true.
   */
  readonly needsRows?: boolean;
  /** Called with what has become durable. */
  readonly onCommit: (done: {
    readonly snapshot: StreamSnapshot;
    readonly computed: readonly ComputedRange[];
    readonly marked: readonly StreamId[];
  }) => void;
}

/**
 * Computes what is stale or missing of every level of a stream, from the finest to the coarsest, each
 * from the level above it. Of levels that the server computes, only the watermarks move.
 * @throws {LockExpiredMidMaintenance} when the lease runs out; what was committed stays.
 */
export async function maintainLevels(context: EngineContext, work: LevelWork): Promise<void> {
  await commitOrRetry({
    what: `stream ${work.streamId}`,
    attempt: async () => {
      const [snapshot] = await context.backend.readStreams([work.streamId]);
      if (snapshot === null || snapshot === undefined) throw new StreamNotFound(work.streamId);
      const draft = new LevelDraft(work.lease.keeping(context.backend), snapshot);
      const isComplete = await computeLevels(draft, work);
      if (!draft.hasChanges) return 'done';
      await work.lease.keep();
      const marks = new StaleMarks();
      for (const { granularity, range } of draft.computed) {
        marks.add(snapshot.record, granularity.name, range);
      }
      const { records, expect } = await marks.resolve(context.backend);
      const outcome = await context.backend.commit({
        expect: [{ streamId: work.streamId, revision: snapshot.revision }, ...expect],
        update: [draft.record(), ...records],
        writes: draft.writes(),
      });
      if (!outcome.isCommitted) return 'conflict';
      work.onCommit({ snapshot, computed: draft.computed, marked: marks.streamIds });
      return isComplete ? 'done' : 'more';
    },
  });
}

/** Whether a stream has levels that are stale, or buckets that have become complete. Reads nothing. */
export function hasLevelWork(
  context: EngineContext,
  snapshot: StreamSnapshot,
  untilMs: number,
): boolean {
  const { record } = snapshot;
  if (LevelSchema.of(record).isEmpty) return false;
  const draft = new LevelDraft(context.backend, snapshot);
  if (snapshot.earliestMs === null) {
    const levels = lowerGranularities(record.highestGranularity);
    return levels.some((granularity) => draft.level(granularity).untilMs !== null);
  }
  return levelWork(draft, untilMs).next().done !== true;
}

interface LevelRange {
  readonly granularity: Granularity;
  readonly finer: Granularity;
  readonly coarser: Granularity | undefined;
  readonly range: TimeRange;
}

/**
 * What is stale or missing, level by level from the finest. Each level is looked at when its turn comes:
 * what was put into the draft for a finer one is counted in.
 */
function* levelWork(draft: LevelDraft, untilMs: number): Generator<LevelRange, void, undefined> {
  const { record } = draft.snapshot;
  const levels = lowerGranularities(record.highestGranularity);
  let finer = Granularity.byName(record.highestGranularity);
  for (const [index, granularity] of levels.entries()) {
    const complete = completeRange(draft, { granularity, finer }, untilMs);
    for (const range of draft.work(granularity, complete)) {
      yield { granularity, finer, coarser: levels[index + 1], range };
    }
    finer = granularity;
  }
}

/** False when there is more to do than one commit should hold. */
async function computeLevels(draft: LevelDraft, work: LevelWork): Promise<boolean> {
  const { record } = draft.snapshot;
  const schema = LevelSchema.of(record);
  if (schema.isEmpty) return true;
  if (draft.snapshot.earliestMs === null) {
    // Corrections may take all datapoints from a derived stream: then its levels go, too.
    for (const granularity of lowerGranularities(record.highestGranularity))
      draft.clear(granularity);
    return true;
  }
  let rowCountMax = ROW_COUNT_MAX;
  for (const { coarser, ...level } of levelWork(draft, work.untilMs)) {
    if (rowCountMax <= 0) return false;
    const { signal } = work;
    if (draft.isServerComputed) {
      draft.put(await serverComputed(draft, level, work), coarser);
      continue;
    }
    const folded = await foldRange(draft, { schema, ...level }, { rowCountMax, signal });
    rowCountMax -= folded.rowCount;
    draft.put(folded.computed, coarser);
    if (folded.computed.range.endMs !== level.range.endMs) return false;
  }
  return true;
}

/** From the first bucket to the last that is complete: no datapoint in order can change it any more. */
function completeRange(
  draft: LevelDraft,
  { granularity, finer }: { granularity: Granularity; finer: Granularity },
  untilMs: number,
): TimeRange {
  const { record, earliestMs, latestMs } = draft.snapshot;
  const startMs = bucketStartMs(earliestMs!, granularity);
  const isRaw = finer.name === record.highestGranularity;
  const finerUntilMs = draft.level(finer).untilMs;
  if (!isRaw && finerUntilMs === null) return { startMs, endMs: startMs };
  const finerLatestMs = isRaw ? latestMs! : finerUntilMs! - finer.durationMs;
  return { startMs, endMs: bucketStartMs(Math.min(untilMs, finerLatestMs), granularity) };
}

/** A range of a level as the server computes it. */
async function serverComputed(
  draft: LevelDraft,
  { granularity, range }: Pick<LevelRange, 'granularity' | 'range'>,
  { needsRows = true, signal }: LevelWork,
): Promise<ComputedRange> {
  const blocks: Block[] = [];
  if (needsRows) {
    for await (const block of draft.read(granularity, range)) {
      signal?.throwIfAborted();
      blocks.push(block);
    }
  }
  return { granularity, range, block: concatBlocks(blocks) };
}

export interface FoldTask {
  readonly schema: LevelSchema;
  readonly granularity: Granularity;
  readonly finer: Granularity;
  readonly range: TimeRange;
}

/** Folds the finer level over a range that is not empty, or over as many whole buckets from its start as fit. */
export async function foldRange(
  draft: LevelDraft,
  { schema, granularity, finer, range }: FoldTask,
  { rowCountMax, signal }: { rowCountMax: number; signal: AbortSignal | undefined },
): Promise<{ readonly computed: ComputedRange; readonly rowCount: number }> {
  const fold = new Fold(schema, granularity);
  const isRaw = finer.name === draft.snapshot.record.highestGranularity;
  let rowCount = 0;
  for await (const rows of draft.read(finer, range)) {
    signal?.throwIfAborted();
    if (isRaw) fold.addRaw(rows);
    else fold.addStates(rows);
    rowCount += rows.timestamps.length;
    const openMs = bucketStartMs(rows.timestamps.at(-1)!, granularity);
    if (rowCount < rowCountMax || openMs <= range.startMs) continue;
    const covered = { startMs: range.startMs, endMs: openMs };
    // Rows of nulls may have left an earlier bucket open in the fold: it is complete all the same.
    const block = cutBlock(fold.finish(), covered);
    return { computed: { granularity, range: covered, block }, rowCount };
  }
  return { computed: { granularity, range, block: fold.finish() }, rowCount };
}
