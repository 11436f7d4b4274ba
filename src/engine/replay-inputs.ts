import type { InputRows } from '../derive/operator.ts';
import type { InvalidValueWarning } from '../exceptions/warnings.ts';
import type { Block } from '../model/block.ts';
import type { RangeSet } from '../model/staleness.ts';
import type { StreamSnapshot } from '../model/stream.ts';
import { TIME_END_MS, type TimeRange } from '../model/time-range.ts';
import type { PageSource } from './block-reader.ts';
import {
  type ColumnTakers,
  FloatRows,
  mergeBlocks,
  openBlockSources,
  readsRawFloats,
} from './block-replay.ts';
import { mergeInputs, type Visit } from './input-merge.ts';
import { type OperatorRun, OutputRows } from './operator-run.ts';

/** Inputs that one commit is computed from, at most, rounded up to whole timestamps or buckets. */
export const INPUT_COUNT_MAX = 500_000;

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
  /** Inputs that they are the outputs of: the same, unless outputs stand elsewhere than their inputs. */
  readonly inputRange: TimeRange;
  readonly block: Block;
  /** Inputs up to here may still alter outputs; equal to the end of `inputRange` when all is done. */
  readonly openEndMs: number;
  readonly inputCount: number;
  /** Inputs that gave no output. */
  readonly warnings: readonly InvalidValueWarning[];
}

/** Start of the history that was never processed; the end of time when there is none. */
export function pendingStartMs(stale: RangeSet): number {
  const last = stale.at(-1);
  return last?.endMs === TIME_END_MS ? last.startMs : TIME_END_MS;
}

export interface Inputs extends ColumnTakers {
  readonly run: OperatorRun;
  readonly sources: readonly StreamSnapshot[];
  readonly range: TimeRange;
  /** Whether most of the range will be read. */
  readonly isLong: boolean;
}

/** Gives the inputs in canonical order, in the quickest way that there is for them. */
export function visitInputs(
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

export function outputsOf({ record, arithmeticKind }: OperatorRun): OutputRows | FloatRows {
  const isPlain = record.valueType === 'numeric' && arithmeticKind === 'float';
  return isPlain ? new FloatRows(record) : new OutputRows(record);
}

/** The end of the rows that one commit still takes: all of an instant, or none. */
export function wholeInstantsEnd(
  { timestamps, from, to }: InputRows,
  { rowCountMax, previousMs }: { rowCountMax: number; previousMs: number },
): number {
  if (to - from <= rowCountMax) return to;
  let end = from + Math.max(rowCountMax, 0);
  const lastMs = end > from ? timestamps[end - 1]! : previousMs;
  while (end < to && timestamps[end] === lastMs) end++;
  return end;
}
