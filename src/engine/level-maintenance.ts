import { Fold } from '../downsamplers/fold.ts';
import { LevelSchema } from '../downsamplers/level-schema.ts';
import { StreamNotFound } from '../exceptions/errors.ts';
import { type Block, concatBlocks, cutBlock, EMPTY_BLOCK } from '../model/block.ts';
import { bucketBeforeMs, bucketStartMs, type Granularity } from '../model/granularity.ts';
import type { Rung } from '../model/ladder.ts';
import type { StreamId, StreamSnapshot } from '../model/stream.ts';
import { isEmptyRange, restOfRange, type TimeRange } from '../model/time-range.ts';
import { commitOrRetry } from './commit-or-retry.ts';
import type { EngineContext } from './context.ts';
import { levelStartMs, originMs } from './expiry.ts';
import { foldLacking } from './lacking-rows.ts';
import type { Lease } from './lease.ts';
import { type ComputedRange, LevelDraft } from './level-draft.ts';
import { commitChanges, type PreparedChange } from './prepared-change.ts';

/** Finer rows that one commit is computed from, at most: bounds memory, and the work lost by an abort. */
const ROW_COUNT_MAX = 500_000;

export interface LevelWork {
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
  const { streamId } = work.lease;
  await commitOrRetry({
    what: `stream ${streamId}`,
    attempt: async () => {
      work.signal?.throwIfAborted();
      const [snapshot] = await context.backend.readStreams([streamId]);
      if (snapshot === null || snapshot === undefined) throw new StreamNotFound(streamId);
      const change = await prepareLevels(context, snapshot, work);
      if (change === null) return 'done';
      await work.lease.keep();
      const { isCommitted } = await commitChanges(context, [change]);
      if (!isCommitted) return 'conflict';
      return change.isComplete ? 'done' : 'more';
    },
  });
}

/** What `maintainLevels` would commit first; null when there is nothing to do. */
export async function prepareLevels(
  context: EngineContext,
  snapshot: StreamSnapshot,
  work: LevelWork,
): Promise<PreparedChange | null> {
  const draft = new LevelDraft(work.lease.keeping(context.backend), snapshot);
  const { isComplete, inputRowCount } = await computeLevels(draft, work);
  if (!draft.hasChanges) return null;
  const { computed } = draft;
  return {
    snapshot,
    expect: [{ streamId: snapshot.record.id, revision: snapshot.revision }],
    ...draft.change(),
    changed: computed.map(({ granularity, range }) => ({ granularity: granularity.name, range })),
    inputRowCount,
    isComplete,
    onCommitted: (marked) => work.onCommit({ snapshot, computed, marked }),
  };
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
  if (originMs(snapshot) === null) {
    return draft.ladder.levels.some((granularity) => draft.level(granularity).untilMs !== null);
  }
  return levelWork(draft, untilMs).next().done !== true;
}

/** A range of a level that is to be computed from a finer one. */
export interface LevelRange {
  readonly granularity: Granularity;
  readonly finer: Granularity;
  readonly range: TimeRange;
}

/**
 * What is stale or missing, level by level from the finest. Each level is looked at when its turn comes:
 * what was put into the draft for a finer one is counted in.
 * @param options.isJoined with what lies between ranges that are dense.
 */
function* levelWork(
  draft: LevelDraft,
  untilMs: number,
  { isJoined = false }: { isJoined?: boolean } = {},
): Generator<LevelRange, void, undefined> {
  for (const rung of draft.ladder.rungs) {
    const { granularity } = rung;
    const complete = completeRange(draft, rung, untilMs);
    const ranges = isJoined
      ? draft.joinedWork(granularity, complete)
      : draft.work(granularity, complete);
    for (const range of ranges) {
      for (const source of draft.ladder.sourcesOf(rung, range)) yield { granularity, ...source };
    }
  }
}

/**
 * All that maintenance would compute of the levels of a stream up to `untilMs`, as if each range were
 * computed at once: what that makes stale in coarser levels counts, too. Reads nothing.
 */
export function workToCome(
  context: EngineContext,
  snapshot: StreamSnapshot,
  untilMs: number,
): readonly LevelRange[] {
  if (LevelSchema.of(snapshot.record).isEmpty || originMs(snapshot) === null) return [];
  const draft = new LevelDraft(context.backend, snapshot);
  const work: LevelRange[] = [];
  for (const item of levelWork(draft, untilMs)) {
    work.push(item);
    draft.put({ granularity: item.granularity, range: item.range, block: EMPTY_BLOCK });
  }
  return work;
}

interface Computed {
  /** False when there is more to do than one commit should hold. */
  readonly isComplete: boolean;
  readonly inputRowCount: number;
}

async function computeLevels(draft: LevelDraft, work: LevelWork): Promise<Computed> {
  const schema = LevelSchema.of(draft.snapshot.record);
  if (schema.isEmpty) return { isComplete: true, inputRowCount: 0 };
  if (originMs(draft.snapshot) === null) {
    // Corrections may take all datapoints from a derived stream: then its levels go, too.
    for (const granularity of draft.ladder.levels) draft.clear(granularity);
    return { isComplete: true, inputRowCount: 0 };
  }
  const { signal, untilMs } = work;
  let inputRowCount = 0;
  // A server that computes levels has nothing to gain from long ranges.
  for (const level of levelWork(draft, untilMs, { isJoined: !draft.isServerComputed })) {
    signal?.throwIfAborted();
    if (inputRowCount >= ROW_COUNT_MAX) return { isComplete: false, inputRowCount };
    if (draft.isServerComputed) {
      draft.put(await serverComputed(draft, level, work));
      continue;
    }
    const task = { schema, ...level };
    // Awaited only where there is something to read: most ranges lie in memory, and there are many.
    const folded =
      foldComputed(draft, task) ??
      (await foldRange(draft, task, { rowCountMax: ROW_COUNT_MAX - inputRowCount, signal }));
    inputRowCount += folded.rowCount;
    draft.put(folded.computed);
    if (!isEmptyRange(restOfRange(level.range, folded.computed.range.endMs))) {
      return { isComplete: false, inputRowCount };
    }
  }
  return { isComplete: true, inputRowCount };
}

/** From the first bucket to the last that is complete: no datapoint in order can change it any more. */
function completeRange(
  draft: LevelDraft,
  { granularity, finer, isFromRaw }: Rung,
  untilMs: number,
): TimeRange {
  const { latestMs } = draft.snapshot;
  const startMs = levelStartMs(draft.snapshot, granularity)!;
  const finerUntilMs = draft.level(finer).untilMs;
  const hasFiner = isFromRaw ? latestMs !== null : finerUntilMs !== null;
  if (!hasFiner) return { startMs, endMs: startMs };
  const finerLatestMs = isFromRaw ? latestMs! : bucketBeforeMs(finerUntilMs!, finer);
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
    await draft.visit(granularity, range, (block) => {
      signal?.throwIfAborted();
      blocks.push(block);
      return true;
    });
  }
  return { granularity, range, block: concatBlocks(blocks) };
}

export interface FoldTask {
  readonly schema: LevelSchema;
  readonly granularity: Granularity;
  readonly finer: Granularity;
  readonly range: TimeRange;
}

interface Folded {
  readonly computed: ComputedRange;
  /** Finer rows. */
  readonly rowCount: number;
}

/** Folds a finer level whose rows the draft has; null when it has to read them. */
export function foldComputed(
  draft: LevelDraft,
  { schema, granularity, finer, range }: FoldTask,
): Folded | null {
  if (range.startMs < lackingUntilMs(draft, granularity)) return null;
  const rows = draft.computedRows(finer, range);
  if (rows === null) return null;
  const fold = new Fold(schema, granularity);
  fold.addStates(rows);
  const computed = { granularity, range, block: fold.finish() };
  return { computed, rowCount: rows.timestamps.length };
}

/** Folds the finer level over a range that is not empty, or over as many whole buckets from its start as fit. */
export async function foldRange(
  draft: LevelDraft,
  task: FoldTask,
  limits: { rowCountMax: number; signal: AbortSignal | undefined },
): Promise<Folded> {
  const { schema, granularity, finer, range } = task;
  const { rowCountMax, signal } = limits;
  const lackingMs = lackingUntilMs(draft, granularity);
  if (range.startMs < lackingMs) return foldFromLacking(draft, task, { ...limits, lackingMs });
  const fold = new Fold(schema, granularity);
  const isRaw = finer.name === draft.snapshot.record.highestGranularity;
  let rowCount = 0;
  let coveredMs = range.endMs;
  await draft.visit(finer, range, (rows) => {
    signal?.throwIfAborted();
    if (isRaw) fold.addRaw(rows);
    else fold.addStates(rows);
    rowCount += rows.timestamps.length;
    if (rowCount < rowCountMax) return true;
    const openMs = bucketStartMs(rows.timestamps.at(-1)!, granularity);
    if (openMs <= range.startMs) return true;
    coveredMs = openMs;
    return false;
  });
  const covered = { startMs: range.startMs, endMs: coveredMs };
  // Rows of nulls may have left an earlier bucket open in the fold: it is complete all the same.
  const block = coveredMs === range.endMs ? fold.finish() : cutBlock(fold.finish(), covered);
  return { computed: { granularity, range: covered, block }, rowCount };
}

/** Before it, rows of the finer level may have other components than the stream keeps now. */
function lackingUntilMs({ snapshot }: LevelDraft, { name }: Granularity): number {
  return snapshot.record.expiry?.filledMs?.[name] ?? Number.NEGATIVE_INFINITY;
}

/** As `foldRange`, where the first buckets are made of such rows, too. */
async function foldFromLacking(
  draft: LevelDraft,
  task: FoldTask,
  {
    lackingMs,
    ...limits
  }: { rowCountMax: number; signal: AbortSignal | undefined; lackingMs: number },
): Promise<Folded> {
  const { schema, granularity, finer, range } = task;
  const first = { startMs: range.startMs, endMs: Math.min(lackingMs, range.endMs) };
  const blocks: Block[] = [];
  await draft.visit(finer, first, (rows) => {
    limits.signal?.throwIfAborted();
    blocks.push(rows);
    return true;
  });
  const rows = concatBlocks(blocks);
  const block = foldLacking(schema, granularity, rows);
  const rowCount = rows.timestamps.length;
  const rest = { startMs: first.endMs, endMs: range.endMs };
  if (isEmptyRange(rest)) return { computed: { granularity, range, block }, rowCount };
  const folded = await foldRange(draft, { ...task, range: rest }, limits);
  return {
    computed: {
      granularity,
      range: { startMs: range.startMs, endMs: folded.computed.range.endMs },
      block: concatBlocks([block, folded.computed.block]),
    },
    rowCount: rowCount + folded.rowCount,
  };
}
