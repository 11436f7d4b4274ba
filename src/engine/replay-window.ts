import type { InputRows, Reach } from '../derive/operator.ts';
import { lowerBound } from '../model/block.ts';
import type { RangeSet } from '../model/staleness.ts';
import { TIME_END_MS, TIME_MIN_MS, type TimeRange } from '../model/time-range.ts';
import type { PageSource } from './block-reader.ts';
import { FloatRows } from './block-replay.ts';
import { outputRange } from './output-offset.ts';
import {
  INPUT_COUNT_MAX,
  outputsOf,
  pendingStartMs,
  type Replayed,
  type ReplayTask,
  visitInputs,
  wholeInstantsEnd,
} from './replay-inputs.ts';
import { restoreState } from './restore-state.ts';

/** The inputs whose outputs have to be computed. */
interface Extent extends TimeRange {
  /** One commit holds the outputs of the inputs before it, at least. */
  readonly cutFromMs: number;
  /** Where a part ends before the extent does: up to where inputs count as changed from then on. */
  readonly openEndMs: (coveredMs: number) => number;
}

/** Replays an operator of which the changed inputs alone say how far their outputs go. */
export async function replayWindow(pages: PageSource, task: ReplayTask): Promise<Replayed> {
  const { run, sources, signal } = task;
  const { operator } = run;
  const { startMs, endMs, cutFromMs, openEndMs } = extentOf(task);
  let state = await stateBefore(pages, task);
  const outputs = outputsOf(run);
  let coveredMs = endMs;
  let previousMs = startMs;
  let inputCount = 0;
  const takeRows = (rows: InputRows): number => {
    signal?.throwIfAborted();
    const { timestamps, from } = rows;
    const neededCount = lowerBound(timestamps, cutFromMs) - from;
    const rowCountMax = Math.max(INPUT_COUNT_MAX - inputCount, neededCount);
    const to = wholeInstantsEnd(rows, { rowCountMax, previousMs });
    state = operator.stepRows!(state, { ...rows, to }, outputs as FloatRows);
    inputCount += to - from;
    if (to > from) previousMs = timestamps[to - 1]!;
    if (to < rows.to) coveredMs = timestamps[to]!;
    return to;
  };
  const isColumnar = operator.stepRows !== undefined && outputs instanceof FloatRows;
  const inputs = {
    run,
    sources,
    range: { startMs, endMs },
    isLong: true,
    takeRows: isColumnar ? takeRows : undefined,
  };
  await visitInputs(pages, inputs, (input) => {
    const { timestampMs } = input;
    if (timestampMs > previousMs) {
      signal?.throwIfAborted();
      if (inputCount >= INPUT_COUNT_MAX && timestampMs >= cutFromMs) {
        coveredMs = timestampMs;
        return false;
      }
      previousMs = timestampMs;
    }
    inputCount++;
    state = operator.step(state, input, outputs);
    return true;
  });
  const inputRange = { startMs, endMs: coveredMs };
  return {
    range: outputRange(run.derivation, inputRange),
    inputRange,
    block: outputs.block(),
    openEndMs: Math.max(coveredMs, openEndMs(coveredMs)),
    inputCount,
    warnings: outputs.warnings,
  };
}

async function stateBefore(
  pages: PageSource,
  { run, sources, range: { startMs } }: ReplayTask,
): Promise<unknown> {
  if (startMs === TIME_MIN_MS || run.operator.reach.kind === 'shift') return run.start();
  return (await restoreState(run, pages, { streams: sources, beforeMs: startMs })).state;
}

function extentOf({ run, range, stale, limitMs }: ReplayTask): Extent {
  const { startMs } = range;
  const { reach } = run.operator;
  if (reach.kind === 'running') {
    const pendingMs = pendingStartMs(stale);
    return {
      startMs,
      endMs: limitMs,
      cutFromMs: startMs,
      // All outputs that follow are old, but for those that are still to be computed at all.
      openEndMs: (coveredMs) => (coveredMs < pendingMs ? coveredMs + 1 : coveredMs),
    };
  }
  const windowMs = reach.kind === 'window' ? windowMsOf(reach, run.context.args) : 1;
  const reachedMs = reachedEndMs(range, stale, windowMs);
  const endMs = Math.min(reachedMs, limitMs);
  return {
    startMs,
    endMs,
    // Otherwise, where a window has more inputs than a commit, what is stale would move on to the end of all data.
    cutFromMs: startMs + windowMs,
    openEndMs: (coveredMs) =>
      coveredMs < endMs ? Math.max(coveredMs + 1, reachedMs - windowMs + 1) : coveredMs,
  };
}

function windowMsOf(
  reach: Reach & { readonly kind: 'window' },
  args: Readonly<Record<string, unknown>>,
): number {
  return Math.ceil(reach.windowMs(args));
}

/** End of the outputs that the range, and stale ranges that these meet, may have changed. */
function reachedEndMs({ endMs }: TimeRange, stale: RangeSet, windowMs: number): number {
  let reachedMs = endMs + windowMs - 1;
  for (const item of stale) {
    const isMet = item.startMs <= reachedMs && item.endMs > endMs;
    if (isMet) reachedMs = Math.max(reachedMs, item.endMs + windowMs - 1);
  }
  return Math.min(reachedMs, TIME_END_MS);
}
