import type { Expectation } from '../backends/backend.ts';
import { StreamNotFound } from '../exceptions/errors.ts';
import { isTailCut, withEdit } from '../model/edits.ts';
import { bucketStartMs } from '../model/granularity.ts';
import { addRange, type RangeSet, subtractRange } from '../model/staleness.ts';
import type { DeriveSource, StreamId, StreamRecord, StreamSnapshot } from '../model/stream.ts';
import { TIME_END_MS, TIME_MIN_MS, type TimeRange } from '../model/time-range.ts';
import { commitOrRetry } from './commit-or-retry.ts';
import type { EngineContext } from './context.ts';
import { derivableFromMs } from './expiry.ts';
import type { Lease } from './lease.ts';
import { loadOperators, OperatorRun } from './operator-run.ts';
import { commitChanges, type PreparedChange } from './prepared-change.ts';
import { replay } from './replay.ts';
import { pendingStartMs, type Replayed } from './replay-inputs.ts';
import { readSources, type Sources } from './source-query.ts';
import { withStaleRaw } from './stale-levels.ts';

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
  readonly list: readonly DeriveSource[];
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
      work.signal?.throwIfAborted();
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
 * @param work `isQuiet`: what goes on to the end of all data only as far as nothing can be appended in order any more.
 */
export async function prepareReplay(
  context: EngineContext,
  { derived, list, sources }: Family,
  work: DerivedWork & { readonly isQuiet: boolean },
): Promise<PreparedChange | null> {
  const range = firstStaleRange(derived.record, work);
  if (range === undefined) return null;
  const fromMs = derivableFromMs(derived.record, list, sources);
  if (range.startMs < fromMs) return withoutExpired({ derived, list, sources }, fromMs, work);
  const { timestampRange } = context.backend.supports;
  const run = new OperatorRun(derived.record, { sources: list, timestampRange });
  const { record } = derived;
  const { stale } = record;
  const limitMs = Math.min(
    work.includesPending ? TIME_END_MS : pendingStartMs(stale),
    work.isQuiet ? quietEndMs(run, sources, range) : TIME_END_MS,
  );
  const { signal } = work;
  const pages = work.lease.keeping(context.backend);
  const replayed = await replay(pages, { run, sources, range, stale, limitMs, signal });
  const changed = changedRange(derived, replayed);
  const isCut = isTailCut(derived.latestMs, [replayed]);
  const update = {
    ...record,
    stale: remainingStale(stale, replayed),
    ...withEdit(derived, isCut ? TIME_MIN_MS : changed.startMs),
  };
  return {
    snapshot: derived,
    expect: [
      { streamId: record.id, revision: derived.revision, version: derived.version },
      ...expectSources(run, sources, replayed.inputRange),
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

/**
 * Lets go of staleness where inputs or outputs have expired: what is there stays as it is. What is computed next may
 * still follow from an input of before that has not.
 */
function withoutExpired(
  { derived, sources }: Family,
  fromMs: number,
  work: DerivedWork,
): PreparedChange {
  const { record } = derived;
  const rest = subtractRange(record.stale, { startMs: Number.NEGATIVE_INFINITY, endMs: fromMs });
  const stale = addRange(rest, { startMs: fromMs, endMs: fromMs + 1 });
  const update = { ...record, stale };
  return {
    snapshot: derived,
    expect: [derived, ...sources].map(({ record: { id: streamId }, revision }) => ({
      streamId,
      revision,
    })),
    update,
    writes: [],
    changed: [],
    inputRowCount: 0,
    isComplete: firstStaleRange(update, work) === undefined,
    onCommitted: () => {},
  };
}

/** Before it nothing can be appended in order, as far as that is behind the start of the range. */
function quietEndMs(
  { derivation, granularity, operator }: OperatorRun,
  sources: readonly StreamSnapshot[],
  range: TimeRange,
): number {
  const isOpen = range.endMs === TIME_END_MS || operator.reach.kind === 'running';
  if (!isOpen) return TIME_END_MS;
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
  await loadOperators([derived.record]);
  return familyOf(derived, await readSources(context.backend, derived.record));
}

/** @throws {StreamNotFound} for a source that is not there. */
export function familyOf(derived: StreamSnapshot, { list, streams }: Sources): Family {
  return {
    derived,
    list,
    sources: streams.map((stream, index) => {
      if (stream === null) throw new StreamNotFound(list[index]!.streamId);
      return stream;
    }),
  };
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

function remainingStale(stale: RangeSet, { inputRange, openEndMs }: Replayed): RangeSet {
  const rest = subtractRange(stale, inputRange);
  return addRange(rest, { startMs: inputRange.endMs, endMs: openEndMs });
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
