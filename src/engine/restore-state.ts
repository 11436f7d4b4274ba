import type { Input, LastOutput, Reach, Sink } from '../derive/operator.ts';
import { assert } from '../model/assert.ts';
import { VALUE_COLUMN } from '../model/block.ts';
import { TIME_MIN_MS, type TimeRange } from '../model/time-range.ts';
import { valueCodecOf } from '../model/value.ts';
import { type PageSource, readBlocks } from './block-reader.ts';
import { derivableFromMs } from './expiry.ts';
import { mergeInputs } from './input-merge.ts';
import type { OperatorRun } from './operator-run.ts';
import type { SourceStream } from './source-cursor.ts';

/** Where an operator stands among its inputs: after every input at or before it. */
export interface Position {
  readonly timestampMs: number;
  readonly source: number;
}

const BEFORE_ALL: Position = { timestampMs: Number.NEGATIVE_INFINITY, source: 0 };

/** For outputs that are known, or will be given again. */
export const SILENT_SINK: Sink = { emit: () => {}, warn: () => {} };

/** The inputs that came before an instant. */
interface Past {
  /** The sources' streams. */
  readonly streams: readonly SourceStream[];
  readonly beforeMs: number;
}

interface Restored {
  readonly state: unknown;
  /** Of the last input. */
  readonly position: Position;
}

/**
 * The state of an operator after all stored inputs before `beforeMs`, from as little of them as its reach
 * allows. For operators of any reach but `bucket`.
 *
 * Of a `running` one the own outputs before `beforeMs` are trusted. Where some of them are stale the state is
 * wrong; what it then gives is stale, too, since it comes after these.
 */
export async function restoreState(
  run: OperatorRun,
  pages: PageSource,
  past: Past,
): Promise<Restored> {
  const { reach } = run.operator;
  assert(reach.kind !== 'bucket', 'buckets have no state before a window');
  if (reach.kind === 'sequence') return restoreSequence(run, pages, { ...past, reach });
  const last = await lastInput(run, pages, past);
  if (reach.kind === 'running') return restoreRunning(run, pages, { ...past, reach, last });
  if (last === null) return { state: run.start(), position: BEFORE_ALL };
  if (reach.kind === 'shift') return { state: run.start(), position: positionOf(last) };
  const startMs = Math.floor(last.timestampMs - reach.windowMs(run.context.args)) + 1;
  return stepThrough(run, pages, {
    ...past,
    startMs: Math.max(startMs, TIME_MIN_MS),
    state: run.start(),
  });
}

/** From the last input that settles the state onward. */
async function restoreSequence(
  run: OperatorRun,
  pages: PageSource,
  { streams, beforeMs, reach }: Past & { readonly reach: Reach & { readonly kind: 'sequence' } },
): Promise<Restored> {
  const inputs: Input[] = [];
  let isSettled = false;
  await mergeInputs(
    reverseCursors(run, pages, { streams, beforeMs }),
    (input) => {
      if (isSettled) return false;
      inputs.push({ ...input });
      isSettled = reach.settles(input);
      return true;
    },
    { isReverse: true },
  );
  const last = inputs[0];
  const position = last === undefined ? BEFORE_ALL : positionOf(last);
  let state = run.start();
  for (const input of inputs.reverse()) state = run.operator.step(state, input, SILENT_SINK);
  return { state, position };
}

/**
 * From the last output that is no null onward. One after the last input is left over from inputs that are
 * gone; where these have expired, outputs stay whatever happens.
 */
async function restoreRunning(
  run: OperatorRun,
  pages: PageSource,
  {
    streams,
    beforeMs,
    reach,
    last,
  }: Past & { readonly reach: Reach & { readonly kind: 'running' }; readonly last: Input | null },
): Promise<Restored> {
  const keptMs = derivableFromMs(run.record, run.derivation.sources, streams);
  const followedMs = last === null ? Number.NEGATIVE_INFINITY : last.timestampMs + 1;
  const output = await lastOutput(run, pages, Math.max(followedMs, Math.min(keptMs, beforeMs)));
  if (output === null) {
    return stepThrough(run, pages, {
      streams,
      beforeMs,
      startMs: TIME_MIN_MS,
      state: run.start(),
    });
  }
  const { timestampMs } = output;
  const input = await lastInput(run, pages, { streams, beforeMs: timestampMs + 1 }, timestampMs);
  const state = reach.resume(run.context, { output, input });
  const restored = await stepThrough(run, pages, {
    streams,
    beforeMs,
    startMs: timestampMs + 1,
    state,
  });
  return { state: restored.state, position: last === null ? BEFORE_ALL : positionOf(last) };
}

/** The state after the inputs from `startMs` on, of which `state` knows nothing. */
async function stepThrough(
  run: OperatorRun,
  pages: PageSource,
  {
    streams,
    startMs,
    beforeMs,
    state: before,
  }: Past & { readonly startMs: number; readonly state: unknown },
): Promise<Restored> {
  const range = { startMs, endMs: beforeMs };
  let state = before;
  let position = BEFORE_ALL;
  await mergeInputs(run.openCursors(pages, { streams, range }), (input) => {
    state = run.operator.step(state, input, SILENT_SINK);
    position = positionOf(input);
    return true;
  });
  return { state, position };
}

async function lastInput(
  run: OperatorRun,
  pages: PageSource,
  past: Past,
  startMs: number = TIME_MIN_MS,
): Promise<Input | null> {
  let last: Input | null = null;
  await mergeInputs(
    reverseCursors(run, pages, past, startMs),
    (input) => {
      last = { ...input };
      return false;
    },
    { isReverse: true },
  );
  return last;
}

function reverseCursors(
  run: OperatorRun,
  pages: PageSource,
  { streams, beforeMs }: Past,
  startMs: number = TIME_MIN_MS,
): ReturnType<OperatorRun['openCursors']> {
  const range: TimeRange = { startMs, endMs: beforeMs };
  return run.openCursors(pages, { streams, range }, { isReverse: true, firstRowCount: 2 });
}

/**
 * The last output of its own that is no null and stands before an instant. Those of an older definition do not
 * count, which have stayed where inputs had expired.
 */
export async function lastOutput(
  { record, derivation, granularity, arithmeticKind }: OperatorRun,
  pages: PageSource,
  beforeMs: number,
): Promise<LastOutput['output'] | null> {
  const codec = valueCodecOf(record);
  const starts = derivation.sources.map(({ afterMs }) => (afterMs ?? TIME_MIN_MS - 1) + 1);
  const range = { startMs: Math.max(TIME_MIN_MS, ...starts), endMs: beforeMs };
  const request = { streamId: record.id, granularity, range };
  const options = { isReverse: true, firstRowCount: 2 };
  for await (const { timestamps, columns } of readBlocks(pages, request, options)) {
    const values = columns[VALUE_COLUMN]!;
    for (let row = timestamps.length - 1; row >= 0; row--) {
      const stored = values[row];
      if (stored === null || Number.isNaN(stored)) continue;
      const value = codec.toOperand(stored, arithmeticKind);
      return { timestampMs: timestamps[row]!, value };
    }
  }
  return null;
}

function positionOf({ timestampMs, source }: Input): Position {
  return { timestampMs, source };
}

/** Whether an input there would come before something that was already processed. */
export function isBefore(input: Input, position: Position): boolean {
  return (
    input.timestampMs < position.timestampMs ||
    (input.timestampMs === position.timestampMs && input.source < position.source)
  );
}
