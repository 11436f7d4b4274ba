import type { Backend } from '../backends/backend.ts';
import { AppendToDerivedStreamNotAllowed, StreamNotFound } from '../exceptions/errors.ts';
import { type Column, lastOfEachTimestamp, rawBlock } from '../model/block.ts';
import { isTailCut, withEdit } from '../model/edits.ts';
import { Granularity, timestampStepMs } from '../model/granularity.ts';
import type { StreamId, StreamRecord, StreamSnapshot } from '../model/stream.ts';
import { isEmptyRange, TIME_MIN_MS, type TimeRange } from '../model/time-range.ts';
import { commitOrRetry } from './commit-or-retry.ts';
import type { EngineContext } from './context.ts';
import { changedRange } from './derived-maintenance.ts';
import { assertKept } from './expiry.ts';
import { commitChanges, type PreparedChange } from './prepared-change.ts';
import { withAllStaleRaw } from './stale-levels.ts';
import { storedColumn } from './stored-values.ts';

/** Datapoints that come in the place of all that a stream has in a range. */
export interface Replacement {
  readonly range: TimeRange;
  /** Ascending, inside the range. */
  readonly timestamps: Float64Array;
  /** As the caller gave them, as many; NaN = null in a `Float64Array`. */
  readonly values: Column;
}

/** What is to become of one stream. Ranges do not overlap. */
export interface Correction {
  readonly streamId: StreamId;
  /**
   * Of a stream whose timestamps are cut to that step; ascending.
   * @throws {InvalidTimestamp} when a datapoint would lie outside of the range that is replaced.
   */
  replacementsOf(stepMs: number): readonly Replacement[];
}

/**
 * Puts other datapoints in the place of those that streams have, in one step, and makes stale what was
 * computed from them: the buckets of these ranges, and what derives from the streams. Maintenance follows.
 * @param corrections of different streams.
 * @returns the streams whose records or data have changed.
 * @throws {StreamNotFound} {AppendToDerivedStreamNotAllowed} {InvalidValue} {InvalidTimestamp} {NotSupported}
 * {StreamAppendContended} {StreamAppendFailed}; nothing is stored then.
 */
export async function correct(
  context: EngineContext,
  corrections: readonly Correction[],
): Promise<readonly StreamId[]> {
  const streamIds = corrections.map(({ streamId }) => streamId);
  const touched = new Set(streamIds);
  const note = (marked: readonly StreamId[]): void => {
    for (const streamId of marked) touched.add(streamId);
  };
  await commitOrRetry({
    what: streamIds.length === 1 ? `stream ${streamIds[0]}` : `${streamIds.length} streams`,
    attempt: async () => {
      const snapshots = await context.backend.readStreams(streamIds);
      const changes = await Promise.all(
        corrections.map((correction, index) =>
          prepare(context, correction, { snapshot: snapshots[index] ?? null, onCommitted: note }),
        ),
      );
      const { isCommitted } = await commitChanges(context, changes);
      return isCommitted ? 'done' : 'conflict';
    },
  });
  return [...touched];
}

async function prepare(
  { backend }: EngineContext,
  { streamId, replacementsOf }: Correction,
  {
    snapshot,
    onCommitted,
  }: {
    readonly snapshot: StreamSnapshot | null;
    readonly onCommitted: PreparedChange['onCommitted'];
  },
): Promise<PreparedChange> {
  const { supports } = backend;
  if (snapshot === null) throw new StreamNotFound(streamId);
  const { record, revision, version, earliestMs, latestMs } = snapshot;
  if (record.derivation !== null) {
    throw new AppendToDerivedStreamNotAllowed(
      `Stream ${streamId} derives from others (${record.derivation.op}); correct its sources.`,
    );
  }
  const replacements = replacementsOf(timestampStepMs(record.highestGranularity));
  for (const { range } of replacements) assertKept(record, range.startMs);
  const writes = replacements.map(({ range, timestamps, values }) => {
    const rows = rawBlock(timestamps, storedColumn(record, values, supports));
    const block = supports.equalTimestamps ? rows : lastOfEachTimestamp(rows);
    const granularity = Granularity.byName(record.highestGranularity);
    return { kind: 'replace', streamId, granularity, range, block } as const;
  });
  const changed = writes
    .map(({ range, block }) => changedRange(snapshot, { range, block }))
    .filter((range) => !isEmptyRange(range));
  // A new record in any case, so that whoever computes from the older datapoints right now notices.
  const stale = withAllStaleRaw(record, earliestMs, changed);
  const startMs = Math.min(...changed.map((range) => range.startMs));
  const editedMs = isTailCut(latestMs, writes)
    ? await lastRowMs(backend, record, startMs)
    : startMs;
  const update = { ...stale, ...withEdit(snapshot, editedMs) };
  // In-order appends meanwhile do not matter, unless they would lie in what is replaced.
  const mayGrow = replacements.some(({ range }) => range.endMs > (latestMs ?? range.startMs));
  return {
    snapshot,
    expect: [{ streamId, revision, ...(mayGrow ? { version } : {}) }],
    update,
    writes,
    changed: changed.map((range) => ({ granularity: record.highestGranularity, range })),
    inputRowCount: 0,
    isComplete: true,
    onCommitted,
  };
}

/** Timestamp of the last row before an instant; where there is none, the beginning of time. */
async function lastRowMs(
  backend: Backend,
  { id: streamId, highestGranularity }: StreamRecord,
  endMs: number,
): Promise<number> {
  const { block } = await backend.readPage({
    streamId,
    granularity: Granularity.byName(highestGranularity),
    range: { startMs: TIME_MIN_MS, endMs },
    rowCountMax: 1,
    isReverse: true,
    columns: [],
  });
  return block.timestamps.at(-1) ?? TIME_MIN_MS;
}
