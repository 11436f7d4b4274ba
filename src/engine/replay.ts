import type { AlignedRows, InputRows } from '../derive/operator.ts';
import { assert } from '../model/assert.ts';
import { bucketCeilMs, bucketStartMs, type Granularity } from '../model/granularity.ts';
import { TIME_END_MS, TIME_MIN_MS } from '../model/time-range.ts';
import type { PageSource } from './block-reader.ts';
import { FloatRows } from './block-replay.ts';
import {
  INPUT_COUNT_MAX,
  outputsOf,
  type Replayed,
  type ReplayTask,
  visitInputs,
  wholeInstantsEnd,
} from './replay-inputs.ts';
import { replayWindow } from './replay-window.ts';
import { restoreState } from './restore-state.ts';

/** Computes the outputs of a window, or of the first part of it that one commit should hold. */
export function replay(pages: PageSource, task: ReplayTask): Promise<Replayed> {
  switch (task.run.operator.reach.kind) {
    case 'bucket':
      return replayBuckets(pages, task);
    case 'sequence':
      return replaySequence(pages, task);
    default:
      return replayWindow(pages, task);
  }
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
  const covered = { startMs, endMs: coveredMs };
  return {
    range: covered,
    inputRange: covered,
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
      : (await restoreState(run, pages, { streams: sources, beforeMs: startMs })).state;
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
  const covered = { startMs, endMs: coveredMs };
  return {
    range: covered,
    inputRange: covered,
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
