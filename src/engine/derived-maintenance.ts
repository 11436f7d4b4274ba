import type { Expectation } from '../backends/backend.ts';
import { StreamNotFound } from '../exceptions/errors.ts';
import type { InvalidValueWarning } from '../exceptions/warnings.ts';
import { assert } from '../model/assert.ts';
import type { Block } from '../model/block.ts';
import { bucketCeilMs, bucketStartMs } from '../model/granularity.ts';
import { addRange, type RangeSet, subtractRange } from '../model/staleness.ts';
import type { StreamId, StreamRecord, StreamSnapshot } from '../model/stream.ts';
import { TIME_END_MS, type TimeRange } from '../model/time-range.ts';
import type { PageSource } from './block-reader.ts';
import { commitOrRetry } from './commit-or-retry.ts';
import type { EngineContext } from './context.ts';
import { mergeInputs } from './input-merge.ts';
import type { Lease } from './lease.ts';
import { OperatorRun, OutputRows } from './operator-run.ts';
import { withStaleRaw } from './stale-levels.ts';
import { StaleMarks } from './stale-marks.ts';

/** Inputs that one commit is computed from, at most, rounded up to whole timestamps or buckets. */
const INPUT_COUNT_MAX = 200_000;

export interface DerivedWork {
  readonly streamId: StreamId;
  readonly lease: Lease;
  /** Whether history that was never processed is processed, too. */
  readonly includesPending: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onCommit: (done: {
    readonly rowCount: number;
    readonly marked: readonly StreamId[];
  }) => void;
}

/**
 * Replays a derived stream over the windows in which its inputs have changed, as far as its operator's
 * reach says that outputs may follow, and puts the new outputs in the place of the old ones.
 * @throws {LockExpiredMidMaintenance} when the lease runs out; what was committed stays.
 */
export async function maintainDerived(context: EngineContext, work: DerivedWork): Promise<void> {
  // Whether the next window ends before what may yet be appended: somebody who appends all the time
  // would otherwise win every time, and make each try start over.
  let isQuiet = true;
  await commitOrRetry({
    what: `stream ${work.streamId}`,
    attempt: async () => {
      const { derived, sources } = await readFamily(context, work.streamId);
      const range = firstStaleRange(derived.record, work);
      if (range === undefined) return 'done';
      const run = new OperatorRun(derived.record);
      const { stale } = derived.record;
      const limitMs = work.includesPending
        ? isQuiet
          ? quietEndMs(run, sources, range)
          : TIME_END_MS
        : pendingStartMs(stale);
      const { signal } = work;
      const replayed = await replay(work.lease.keeping(context.backend), {
        run,
        sources,
        range,
        stale,
        limitMs,
        signal,
      });
      await work.lease.keep();
      const marks = new StaleMarks();
      const changed = changedRange(derived, replayed);
      marks.add(derived.record, derived.record.highestGranularity, changed);
      const { records, expect } = await marks.resolve(context.backend);
      const record = { ...derived.record, stale: remainingStale(stale, replayed) };
      const outcome = await context.backend.commit({
        expect: [
          { streamId: derived.record.id, revision: derived.revision, version: derived.version },
          ...expectSources(run, sources, replayed.range),
          ...expect,
        ],
        update: [withStaleRaw(record, derived.earliestMs, changed), ...records],
        writes: [
          {
            kind: 'replace',
            streamId: derived.record.id,
            granularity: run.granularity,
            range: replayed.range,
            block: replayed.block,
          },
        ],
      });
      isQuiet = !outcome.isCommitted;
      if (!outcome.isCommitted) return 'conflict';
      for (const warning of replayed.warnings) context.warn(warning);
      work.onCommit({ rowCount: replayed.block.timestamps.length, marked: marks.streamIds });
      return 'more';
    },
  });
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

/** A derived stream and its sources, in their order. @throws {StreamNotFound} */
export async function readFamily(
  context: EngineContext,
  streamId: StreamId,
): Promise<{ readonly derived: StreamSnapshot; readonly sources: readonly StreamSnapshot[] }> {
  const [derived] = await context.backend.readStreams([streamId]);
  if (derived === null || derived === undefined) throw new StreamNotFound(streamId);
  const ids = derived.record.derivation?.sources.map((source) => source.streamId) ?? [];
  const sources = await context.backend.readStreams(ids);
  return {
    derived,
    sources: sources.map((source, index) => {
      if (source === null) throw new StreamNotFound(ids[index]!);
      return source;
    }),
  };
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
  const cursors = run.openCursors(pages, { streams: sources, range: { startMs, endMs } });
  const outputs = new OutputRows(run.record);
  let state = run.start();
  let coveredMs = endMs;
  let inputCount = 0;
  let bucketEndMs = startMs;
  await mergeInputs(cursors, (input) => {
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
  const streams = { streams: sources };
  let { state } = await run.restore(pages, { ...streams, beforeMs: startMs });
  const cursors = run.openCursors(pages, {
    ...streams,
    range: { startMs, endMs: limitMs },
  });
  const outputs = new OutputRows(run.record);
  let coveredMs = limitMs;
  let changedEndMs = range.endMs;
  let settledMs = Number.POSITIVE_INFINITY;
  let previousMs = startMs;
  let inputCount = 0;
  await mergeInputs(cursors, (input) => {
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
    warnings: outputs.warnings,
  };
}

/** Instants of the derived stream whose datapoints may be others now, as inputs of its dependents. */
function changedRange(
  { earliestMs, latestMs }: StreamSnapshot,
  { range, block }: Replayed,
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
