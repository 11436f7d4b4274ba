import type { Expectation } from '../backends/backend.ts';
import type { AlignedRows, InputRows } from '../derive/operator.ts';
import { StreamNotFound } from '../exceptions/errors.ts';
import type { InvalidValueWarning } from '../exceptions/warnings.ts';
import { assert } from '../model/assert.ts';
import type { Block } from '../model/block.ts';
import { bucketCeilMs, bucketStartMs, type Granularity } from '../model/granularity.ts';
import { addRange, type RangeSet, subtractRange } from '../model/staleness.ts';
import type { StreamId, StreamRecord, StreamSnapshot } from '../model/stream.ts';
import { TIME_END_MS, TIME_MIN_MS, type TimeRange } from '../model/time-range.ts';
import type { PageSource } from './block-reader.ts';
import {
  type ColumnTakers,
  FloatRows,
  mergeBlocks,
  openBlockSources,
  readsRawFloats,
} from './block-replay.ts';
import { commitOrRetry } from './commit-or-retry.ts';
import type { EngineContext } from './context.ts';
import { mergeInputs, type Visit } from './input-merge.ts';
import type { Lease } from './lease.ts';
import { OperatorRun, OutputRows } from './operator-run.ts';
import { commitChanges, type PreparedChange } from './prepared-change.ts';
import { withStaleRaw } from './stale-levels.ts';

/** Inputs that one commit is computed from, at most, rounded up to whole timestamps or buckets. */
const INPUT_COUNT_MAX = 500_000;

export interface DerivedWork {
  readonly lease: Lease;
  /** Whether history that was never processed is processed, too. */
  readonly includesPending: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onCommit: (done: {
    readonly rowCount: number;
    readonly marked: readonly StreamId[];
  }) => void;
}

/** A derived stream, and its sources in their order. */
export interface Family {
  readonly derived: StreamSnapshot;
  readonly sources: readonly StreamSnapshot[];
}

/**
 * Replays a derived stream over the windows in which its inputs have changed, as far as its operator's
 * reach says that outputs may follow, and puts the new outputs in the place of the old ones.
 * @throws {LockExpiredMidMaintenance} when the lease runs out; what was committed stays.
 */
export async function maintainDerived(context: EngineContext, work: DerivedWork): Promise<void> {
  const { streamId } = work.lease;
  // Whether the next window ends before what may yet be appended: somebody who appends all the time
  // would otherwise win every time, and make each try start over.
  let isQuiet = true;
  await commitOrRetry({
    what: `stream ${streamId}`,
    attempt: async () => {
      const family = await readFamily(context, streamId);
      const change = await prepareReplay(context, family, { ...work, isQuiet });
      if (change === null) return 'done';
      await work.lease.keep();
      const { isCommitted } = await commitChanges(context, [change]);
      isQuiet = !isCommitted;
      if (!isCommitted) return 'conflict';
      return change.isComplete ? 'done' : 'more';
    },
  });
}

/**
 * What `maintainDerived` would commit first; null when there is nothing to do.
 * @param work `isQuiet`: pending history only as far as nothing can be appended in order any more.
 */
export async function prepareReplay(
  context: EngineContext,
  { derived, sources }: Family,
  work: DerivedWork & { readonly isQuiet: boolean },
): Promise<PreparedChange | null> {
  const range = firstStaleRange(derived.record, work);
  if (range === undefined) return null;
  const run = new OperatorRun(derived.record);
  const { record } = derived;
  const { stale } = record;
  const limitMs = work.includesPending
    ? work.isQuiet
      ? quietEndMs(run, sources, range)
      : TIME_END_MS
    : pendingStartMs(stale);
  const { signal } = work;
  const pages = work.lease.keeping(context.backend);
  const replayed = await replay(pages, { run, sources, range, stale, limitMs, signal });
  const changed = changedRange(derived, replayed);
  const update = { ...record, stale: remainingStale(stale, replayed) };
  return {
    snapshot: derived,
    expect: [
      { streamId: record.id, revision: derived.revision, version: derived.version },
      ...expectSources(run, sources, replayed.range),
    ],
    update: withStaleRaw(update, derived.earliestMs, changed),
    writes: [
      {
        kind: 'replace',
        streamId: record.id,
        granularity: run.granularity,
        range: replayed.range,
        block: replayed.block,
      },
    ],
    changed: [{ granularity: record.highestGranularity, range: changed }],
    inputRowCount: replayed.inputCount,
    isComplete: firstStaleRange(update, work) === undefined,
    onCommitted: (marked) => {
      for (const warning of replayed.warnings) context.warn(warning);
      work.onCommit({ rowCount: replayed.block.timestamps.length, marked });
    },
  };
}

/** Before it nothing can be appended in order, as far as that is behind the start of the range. */
function quietEndMs(
  { derivation, granularity }: OperatorRun,
  sources: readonly StreamSnapshot[],
  range: TimeRange,
): number {
  if (range.endMs !== TIME_END_MS) return TIME_END_MS;
  const ends = sources.flatMap(({ record, latestMs }, index) => {
    const isRaw = derivation.sources[index]!.granularity === record.highestGranularity;
    if (!isRaw || latestMs === null) return [];
    const endMs = bucketStartMs(latestMs, granularity);
    return endMs > range.startMs ? [endMs] : [];
  });
  return Math.min(TIME_END_MS, ...ends);
}

/** The first range to process; history that was never processed only if it is included. */
export function firstStaleRange(
  { stale }: StreamRecord,
  { includesPending }: Pick<DerivedWork, 'includesPending'>,
): TimeRange | undefined {
  return stale.find(({ endMs }) => includesPending || endMs !== TIME_END_MS);
}

/** @throws {StreamNotFound} for the stream, or a source of it. */
export async function readFamily(context: EngineContext, streamId: StreamId): Promise<Family> {
  const [derived] = await context.backend.readStreams([streamId]);
  if (derived === null || derived === undefined) throw new StreamNotFound(streamId);
  const ids = sourceIds(derived.record);
  return familyOf(derived, await context.backend.readStreams(ids));
}

/** @throws {StreamNotFound} for a source that is not there. */
export function familyOf(
  derived: StreamSnapshot,
  sources: readonly (StreamSnapshot | null | undefined)[],
): Family {
  const ids = sourceIds(derived.record);
  return {
    derived,
    sources: sources.map((source, index) => {
      if (source === null || source === undefined) throw new StreamNotFound(ids[index]!);
      return source;
    }),
  };
}

/** In the order of the derivation; may have duplicates. */
export function sourceIds({ derivation }: StreamRecord): readonly StreamId[] {
  return derivation?.sources.map(({ streamId }) => streamId) ?? [];
}

/** Start of the history that was never processed; the end of time when there is none. */
export function pendingStartMs(stale: RangeSet): number {
  const last = stale.at(-1);
  return last?.endMs === TIME_END_MS ? last.startMs : TIME_END_MS;
}

export interface ReplayTask {
  readonly run: OperatorRun;
  readonly sources: readonly StreamSnapshot[];
  /** Instants whose inputs have changed. */
  readonly range: TimeRange;
  /** All such ranges of the stream. */
  readonly stale: RangeSet;
  /** Nothing is computed from here on: history that is still to be processed begins. */
  readonly limitMs: number;
  readonly signal: AbortSignal | undefined;
}

export interface Replayed {
  /** Outputs inside it are what `block` says. */
  readonly range: TimeRange;
  readonly block: Block;
  /** Changed inputs may still alter outputs up to here; equal to the end of `range` when all is done. */
  readonly openEndMs: number;
  readonly inputCount: number;
  /** Inputs that gave no output. */
  readonly warnings: readonly InvalidValueWarning[];
}

/** Computes the outputs of a window, or of the first part of it that one commit should hold. */
export function replay(pages: PageSource, task: ReplayTask): Promise<Replayed> {
  return task.run.operator.reach.kind === 'bucket'
    ? replayBuckets(pages, task)
    : replaySequence(pages, task);
}

async function replayBuckets(
  pages: PageSource,
  { run, sources, range, limitMs, signal }: ReplayTask,
): Promise<Replayed> {
  const { granularity, operator } = run;
  const startMs = bucketStartMs(range.startMs, granularity);
  const endMs = Math.min(bucketCeilMs(range.endMs, granularity), limitMs);
  const outputs = outputsOf(run);
  let state = run.start();
  let coveredMs = endMs;
  let inputCount = 0;
  let bucketEndMs = startMs;
  const takeAligned = (rows: AlignedRows): number => {
    signal?.throwIfAborted();
    const rowCountMax = Math.ceil((INPUT_COUNT_MAX - inputCount) / sources.length);
    const rowCount = wholeBucketRowCount(rows, { granularity, rowCountMax });
    if (rowCount === 0) return 0;
    operator.flush?.(state, outputs);
    operator.computeAligned!(run.context, { ...rows, rowCount }, outputs as FloatRows);
    inputCount += rowCount * sources.length;
    return rowCount;
  };
  const inputs = {
    run,
    sources,
    range: { startMs, endMs },
    isLong: true,
    ...(operator.computeAligned !== undefined && outputs instanceof FloatRows
      ? {
          aligned: {
            canTake: (timestampMs: number) => timestampMs >= bucketEndMs,
            take: takeAligned,
          },
        }
      : {}),
  };
  await visitInputs(pages, inputs, (input) => {
    if (input.timestampMs >= bucketEndMs) {
      signal?.throwIfAborted();
      const bucketMs = bucketStartMs(input.timestampMs, granularity);
      if (inputCount >= INPUT_COUNT_MAX) {
        coveredMs = bucketMs;
        return false;
      }
      bucketEndMs = bucketMs + granularity.durationMs;
    }
    inputCount++;
    state = operator.step(state, input, outputs);
    return true;
  });
  operator.flush?.(state, outputs);
  return {
    range: { startMs, endMs: coveredMs },
    block: outputs.block(),
    openEndMs: endMs,
    inputCount,
    warnings: outputs.warnings,
  };
}

async function replaySequence(
  pages: PageSource,
  { run, sources, range, stale, limitMs, signal }: ReplayTask,
): Promise<Replayed> {
  const { operator } = run;
  const { reach } = operator;
  assert(reach.kind === 'sequence', 'buckets are replayed otherwise');
  const { startMs } = range;
  let state =
    startMs === TIME_MIN_MS
      ? run.start()
      : (await run.restore(pages, { streams: sources, beforeMs: startMs })).state;
  // A window of corrections ends with the first input that settles; history goes on to the end.
  const isLong = range.endMs === TIME_END_MS;
  const outputs = outputsOf(run);
  let coveredMs = limitMs;
  let changedEndMs = range.endMs;
  let settledMs = Number.POSITIVE_INFINITY;
  let previousMs = startMs;
  let inputCount = 0;
  const takeRows = (rows: InputRows): number => {
    signal?.throwIfAborted();
    const { timestamps, from } = rows;
    const to = wholeInstantsEnd(rows, { rowCountMax: INPUT_COUNT_MAX - inputCount, previousMs });
    state = operator.stepRows!(state, { ...rows, to }, outputs as FloatRows);
    inputCount += to - from;
    if (to > from) previousMs = timestamps[to - 1]!;
    if (to < rows.to) coveredMs = timestamps[to]!;
    return to;
  };
  // Nothing of history settles before its end.
  const isColumnar = isLong && operator.stepRows !== undefined && outputs instanceof FloatRows;
  const inputs = {
    run,
    sources,
    range: { startMs, endMs: limitMs },
    isLong,
    takeRows: isColumnar ? takeRows : undefined,
  };
  await visitInputs(pages, inputs, (input) => {
    const { timestampMs } = input;
    if (timestampMs > settledMs) {
      coveredMs = settledMs + 1;
      return false;
    }
    if (timestampMs > previousMs) {
      signal?.throwIfAborted();
      if (inputCount >= INPUT_COUNT_MAX) {
        coveredMs = timestampMs;
        return false;
      }
      previousMs = timestampMs;
    }
    inputCount++;
    state = operator.step(state, input, outputs);
    if (timestampMs >= changedEndMs) {
      // The input that would end the window has changed itself: the window goes on behind it.
      const next = stale.find((item) => item.startMs <= timestampMs && timestampMs < item.endMs);
      if (next !== undefined) changedEndMs = next.endMs;
      else if (reach.settles(input)) settledMs = Math.min(settledMs, timestampMs);
    }
    return true;
  });
  if (settledMs !== Number.POSITIVE_INFINITY) changedEndMs = coveredMs = settledMs + 1;
  const openEndMs = Math.max(coveredMs, Math.min(changedEndMs, limitMs));
  const isCut = coveredMs < limitMs && settledMs === Number.POSITIVE_INFINITY;
  return {
    range: { startMs, endMs: coveredMs },
    block: outputs.block(),
    // A window that was cut before it settled goes on at least with the input that follows.
    openEndMs: isCut ? Math.max(openEndMs, coveredMs + 1) : openEndMs,
    inputCount,
    warnings: outputs.warnings,
  };
}

/** Rows before the bucket of the last one, and about as many as wanted: at most by the rest of a bucket more. */
function wholeBucketRowCount(
  { timestamps, rowCount }: AlignedRows,
  { granularity, rowCountMax }: { granularity: Granularity; rowCountMax: number },
): number {
  // The last bucket may go on in the next block.
  const lastMs = bucketStartMs(timestamps[rowCount - 1]!, granularity);
  let count = rowCount;
  while (count > 0 && timestamps[count - 1]! >= lastMs) count--;
  if (rowCountMax <= 0) return 0;
  if (count <= rowCountMax) return count;
  const endMs = bucketStartMs(timestamps[rowCountMax - 1]!, granularity) + granularity.durationMs;
  let whole = rowCountMax;
  while (whole < count && timestamps[whole]! < endMs) whole++;
  return whole;
}

/** The end of the rows that one commit still takes: all of an instant, or none. */
function wholeInstantsEnd(
  { timestamps, from, to }: InputRows,
  { rowCountMax, previousMs }: { rowCountMax: number; previousMs: number },
): number {
  if (to - from <= rowCountMax) return to;
  let end = from + Math.max(rowCountMax, 0);
  const lastMs = end > from ? timestamps[end - 1]! : previousMs;
  while (end < to && timestamps[end] === lastMs) end++;
  return end;
}

interface Inputs extends ColumnTakers {
  readonly run: OperatorRun;
  readonly sources: readonly StreamSnapshot[];
  readonly range: TimeRange;
  /** Whether most of the range will be read. */
  readonly isLong: boolean;
}

/** Gives the inputs in canonical order, in the quickest way that there is for them. */
function visitInputs(
  pages: PageSource,
  { run, sources: streams, range, isLong, ...takers }: Inputs,
  visit: Visit,
): Promise<void> {
  if (!readsRawFloats(run, streams)) {
    return mergeInputs(run.openCursors(pages, { streams, range }), visit);
  }
  const { derivation } = run;
  const sources = openBlockSources(pages, { derivation, streams, range, isLong });
  return mergeBlocks(sources, visit, takers);
}

function outputsOf({ record, arithmeticKind }: OperatorRun): OutputRows | FloatRows {
  const isPlain = record.valueType === 'numeric' && arithmeticKind === 'float';
  return isPlain ? new FloatRows(record) : new OutputRows(record);
}

/** Instants of a stream whose datapoints may be others when the block takes their place, also as inputs. */
export function changedRange(
  { earliestMs, latestMs }: StreamSnapshot,
  { range, block }: Pick<Replayed, 'range' | 'block'>,
): TimeRange {
  const firstMs = block.timestamps[0] ?? Number.POSITIVE_INFINITY;
  const lastMs = block.timestamps.at(-1) ?? Number.NEGATIVE_INFINITY;
  return {
    startMs: Math.max(range.startMs, Math.min(earliestMs ?? firstMs, firstMs)),
    endMs: Math.min(range.endMs, Math.max(latestMs ?? lastMs, lastMs) + 1),
  };
}

function remainingStale(stale: RangeSet, { range, openEndMs }: Replayed): RangeSet {
  return addRange(subtractRange(stale, range), { startMs: range.endMs, endMs: openEndMs });
}

/**
 * What was read of the sources must still be so: what is older than their latest datapoint is guarded by
 * the revision of the record, and what may yet be appended inside the window by the version.
 */
function expectSources(
  { derivation }: OperatorRun,
  sources: readonly StreamSnapshot[],
  { endMs }: TimeRange,
): readonly Expectation[] {
  return sources.map(({ record, revision, version, latestMs }, index) => {
    const isRaw = derivation.sources[index]!.granularity === record.highestGranularity;
    const mayGrow = isRaw && endMs > (latestMs ?? Number.NEGATIVE_INFINITY);
    return { streamId: record.id, revision, ...(mayGrow ? { version } : {}) };
  });
}
