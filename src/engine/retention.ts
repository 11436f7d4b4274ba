import type { Backend } from '../backends/backend.ts';
import { EMPTY_BLOCK } from '../model/block.ts';
import { bucketStartMs } from '../model/granularity.ts';
import { type Expiry, keptDurations } from '../model/retention.ts';
import type { StreamId, StreamRecord, StreamSnapshot } from '../model/stream.ts';
import { TIME_MIN_MS, type TimeRange } from '../model/time-range.ts';
import { commitOrRetry } from './commit-or-retry.ts';
import type { EngineContext } from './context.ts';
import { levelStartMs, originMs } from './expiry.ts';
import { keptUntilMs, type RetentionCut, RetentionPlanner } from './retention-cut.ts';

/** Rows that one commit deletes, about: bounds what a store holds of it. */
const ROW_COUNT_MAX = 1_000_000;
/** Of stores that pass over rows by reading them. */
const PAGE_ROW_COUNT = 16_384;

/**
 * Deletes what a stream has kept long enough, commit by commit, each of which also notes how far that is.
 * @param onCommit told after each of them.
 */
export async function applyRetention(
  context: EngineContext,
  streamId: StreamId,
  { signal, onCommit }: { signal: AbortSignal | undefined; onCommit: () => void },
): Promise<void> {
  await commitOrRetry({
    what: `stream ${streamId}`,
    attempt: async () => {
      signal?.throwIfAborted();
      const [snapshot] = await context.backend.readStreams([streamId]);
      if (snapshot === null || snapshot === undefined) return 'done';
      for await (const cut of new RetentionPlanner(context, snapshot).cuts()) {
        if (cut.fromMs <= firstRowMs(snapshot, cut)) continue;
        if (!(await commitCut(context.backend, snapshot, cut))) return 'conflict';
        onCommit();
        return 'more';
      }
      return 'done';
    },
  });
}

/** Whether rows of a stream have been kept long enough, be they needed or not. Reads nothing. */
export function mayExpire({ nowMs }: EngineContext, snapshot: StreamSnapshot): boolean {
  return keptDurations(snapshot.record).some(
    ({ granularity, durationMs }) =>
      keptUntilMs(nowMs(), durationMs) > firstRowMs(snapshot, { granularity }),
  );
}

/** Before it the granularity has no rows. */
function firstRowMs(
  snapshot: StreamSnapshot,
  { granularity }: Pick<RetentionCut, 'granularity'>,
): number {
  const { record, earliestMs } = snapshot;
  const isRaw = granularity.name === record.highestGranularity;
  const firstMs = isRaw ? earliestMs : levelStartMs(snapshot, granularity);
  return firstMs ?? Number.POSITIVE_INFINITY;
}

async function commitCut(
  backend: Backend,
  snapshot: StreamSnapshot,
  cut: RetentionCut,
): Promise<boolean> {
  const { record, revision } = snapshot;
  const { granularity, untilMs, expect } = cut;
  const fromMs = await boundedMs(backend, record, cut);
  const { isCommitted } = await backend.commit({
    expect: [{ streamId: record.id, revision }, ...expect],
    update: [{ ...record, expiry: expiryOf(snapshot, { ...cut, untilMs, fromMs }) }],
    writes: [
      {
        kind: 'replace',
        streamId: record.id,
        granularity,
        range: { startMs: TIME_MIN_MS, endMs: fromMs },
        block: EMPTY_BLOCK,
      },
    ],
  });
  return isCommitted;
}

/** Where the rows end that one commit deletes. */
async function boundedMs(
  backend: Backend,
  { id: streamId }: StreamRecord,
  { granularity, fromMs }: RetentionCut,
): Promise<number> {
  let rest: TimeRange | null = { startMs: TIME_MIN_MS, endMs: fromMs };
  let rowCount = 0;
  while (rowCount < ROW_COUNT_MAX) {
    const request = { streamId, granularity, range: rest };
    const skipped = await backend.skipRows({ ...request, rowCountMax: ROW_COUNT_MAX - rowCount });
    rowCount += skipped.rowCount;
    rest = skipped.rest;
    if (skipped.rowCount === 0 && rest !== null) {
      const page = await backend.readPage({ ...request, rowCountMax: PAGE_ROW_COUNT, columns: [] });
      rowCount += page.block.timestamps.length;
      rest = page.rest;
    }
    if (rest === null) return fromMs;
  }
  const boundMs = bucketStartMs(rest.startMs, granularity);
  return boundMs > TIME_MIN_MS ? boundMs : fromMs;
}

function expiryOf(
  snapshot: StreamSnapshot,
  { granularity: { name }, untilMs, fromMs }: RetentionCut,
): Expiry {
  const { expiry } = snapshot.record;
  const { [name]: _before, ...others } = expiry?.fromMs ?? {};
  const kept = fromMs < untilMs ? { ...others, [name]: fromMs } : others;
  const { fromMs: _fromMs, ...rest } = expiry ?? { originMs: originMs(snapshot)! };
  return {
    ...rest,
    untilMs: { ...expiry?.untilMs, [name]: untilMs },
    ...(Object.keys(kept).length > 0 && { fromMs: kept }),
  };
}
