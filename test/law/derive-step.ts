import type { Datastream } from '../../src/api/datastream.ts';
import type { DeriveFrom } from '../../src/api/types.ts';
import { expressionOver, named } from './expression.ts';
import { keptFrom } from './frozen.ts';
import type { Step } from './history.ts';
import { type Derivation, LIMITS, type ModelStream, type Source } from './model.ts';
import { nothingYet, type RunStream } from './run-stream.ts';
import { NO_EXTRA } from './setting.ts';
import { downsamplersOf } from './statistics.ts';
import { isTimeOperator, timeArguments } from './time-operators.ts';
import { granularityOf, secondsOf } from './units.ts';

/** What a derivation needs of a run. */
interface DerivingRun {
  readonly datastream: Datastream;
  readonly streams: RunStream[];
  /** Seconds since 1970: when the history began, and when the engines live. */
  readonly start: number;
  readonly now: number;
  /** Gives a name that no stream had. */
  readonly takeName: () => number;
}

/** What a stream is to derive from, as far as there are such streams. */
export type Asked = Pick<Step & { kind: 'derive' }, 'op' | 'picks' | 'isCoarse'>;

/** Whether sums over the datapoints of a derived stream have no rounding, and whether these are exact. */
export function exactness({
  op,
  sources,
}: Derivation): readonly [hasExactSums: boolean, isExact: boolean] {
  return [
    op === 'sum' && sources.every((s) => !s.level && s.stream.hasExactSums),
    sources.every((s) => (s.level === null ? s.stream.isExact : s.stream.hasExactSums)),
  ];
}

/** Adds a derived stream to the run, if it has streams that the operator can take. */
export async function derive(run: DerivingRun, step: Step & { kind: 'derive' }): Promise<void> {
  const { datastream } = run;
  const chosen = sourcesFor(run.streams, step);
  if (chosen === null) return;
  const { own, streams } = chosen;
  const hasLevels = streams.some(({ model }) => model.highest < own);
  const isBackprocessed = step.isBackprocessed || hasLevels;
  const sources: Source[] = [];
  for (const { id, model } of streams) {
    const { latestDatapoint, pendingBackprocess } = await datastream.getStream(id);
    // Where the history of a source that has still to be processed will end, nobody knows: now.
    const latest = latestDatapoint === null ? -Infinity : secondsOf(latestDatapoint);
    const end = pendingBackprocess ? run.now : latest;
    const after = isBackprocessed ? -Infinity : end;
    const level = model.highest < own ? own : null;
    // What has expired does not count, be it that some of it is left.
    const expired = keptFrom(model, level ?? model.highest) - 1;
    sources.push({ stream: model, level, after: Math.max(after, expired) });
  }
  const hasMaximum = step.op === 'counter_derivative' || step.op === 'rate';
  const max = hasMaximum && step.hasMax ? 128 : null;
  const args = argsOf(step, { max, sourceCount: sources.length });
  const isNumeric = step.op !== 'counter_reset';
  const id = await datastream.ensureStream(
    { name: run.takeName() },
    {
      valueType: isNumeric ? 'numeric' : 'nominal',
      valueDownsamplers: downsamplersOf({ isNumeric, hasMore: false }, datastream.supports),
      highestGranularity: granularityOf(own),
      deriveOp: step.op,
      deriveFrom: streams.map(({ id: stream }, index): DeriveFrom => {
        const granularity = granularityOf(own);
        const isReset = step.op === 'counter_derivative' && index === 0;
        if (step.op === 'expression') return named({ stream, granularity }, index);
        return isReset ? { name: 'reset', stream, granularity } : { stream, granularity };
      }),
      deriveArgs: args,
      deriveBackprocess: isBackprocessed,
    },
  );
  const derivation: Derivation = { op: step.op, max, args, sources };
  const [hasExactSums, isExact] = exactness(derivation);
  const model: ModelStream = {
    ...nothingYet(),
    isNumeric,
    hasMore: false,
    highest: own,
    extra: NO_EXTRA,
    site: null,
    derivation,
    hasExactSums,
    isExact,
  };
  run.streams.push({ id, model, latest: run.start });
}

/** Sources that the operator can take, and the granularity at which it then reads them. */
export function sourcesFor(
  all: readonly RunStream[],
  step: Asked,
): { own: number; streams: readonly RunStream[] } | null {
  const isCounter = step.op.startsWith('counter') || step.op === 'rate';
  const candidates = all.filter(({ model }) => {
    const isFit = step.isCoarse && model.highest < 60 ? model.hasExactSums : model.isExact;
    // A comparison of rounded numbers can come out differently in another order of additions.
    return model.isNumeric && (!isCounter || isFit);
  });
  const picked = [...new Set(step.picks.map((pick) => candidates[pick % candidates.length]!))];
  const own = step.isCoarse ? 60 : picked[0]!.model.highest;
  if (step.op === 'counter_derivative') {
    const data = picked[0]!;
    const resets = all.filter((s) => !s.model.isNumeric && s.model.highest === own);
    const reset = resets[(step.picks[1] ?? 0) % Math.max(resets.length, 1)];
    return reset === undefined ? null : { own, streams: [reset, data] };
  }
  const isOverMany = step.op === 'sum' || step.op === 'expression';
  if (!isOverMany) return { own, streams: picked.slice(0, 1) };
  return { own, streams: picked.filter(({ model }) => model.highest <= own) };
}

function argsOf(
  { op, hasMax }: Step & { kind: 'derive' },
  { max, sourceCount }: { max: number | null; sourceCount: number },
): Readonly<Record<string, unknown>> {
  if (isTimeOperator(op)) return timeArguments(op, hasMax);
  if (op === 'clamp') return LIMITS;
  if (op === 'expression') return { expression: expressionOver(sourceCount) };
  return max === null ? {} : { max_value: max };
}
