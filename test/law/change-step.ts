import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Datastream } from '../../src/api/datastream.ts';
import type { DeriveFrom, StreamChanges } from '../../src/api/types.ts';
import type { Granularity } from '../../src/model/granularity.ts';
import { freezeRedefined, keptFrom } from './frozen.ts';
import { hasAggregate, latestInput, reaches } from './lineage.ts';
import {
  type Derivation,
  fillableFrom,
  type Model,
  type ModelStream,
  type Rules,
  type Source,
} from './model.ts';
import { MORE_NOMINAL, MORE_NUMERIC } from './more-statistics.ts';
import {
  isTimeOperator,
  TIME_OPERATORS,
  type TimeOperator,
  timeArguments,
} from './time-operators.ts';

interface Redefinition {
  readonly op: 'sum' | 'derivative' | 'rate' | 'clamp' | TimeOperator;
  readonly picks: readonly number[];
  readonly isCoarse: boolean;
  readonly hasMax: boolean;
}

/** Another definition of a stream that there is. */
export type ChangeStep =
  | {
      readonly kind: 'downsamplers';
      readonly stream: number;
      /** Of those that can go, bit by bit. */
      readonly kept: number;
    }
  | {
      readonly kind: 'redefine';
      readonly stream: number;
      readonly to: Redefinition;
      readonly limit: number;
    };

export const downsamplersStep: fc.Arbitrary<ChangeStep> = fc.record({
  kind: fc.constant('downsamplers' as const),
  stream: fc.nat({ max: 11 }),
  kept: fc.nat({ max: 2 ** 16 - 1 }),
});

export const redefineStep: fc.Arbitrary<ChangeStep> = fc.record({
  kind: fc.constant('redefine' as const),
  stream: fc.nat({ max: 11 }),
  to: fc.record({
    op: fc.constantFrom(
      'sum' as const,
      'derivative' as const,
      'rate' as const,
      'clamp' as const,
      ...TIME_OPERATORS,
    ),
    picks: fc.array(fc.nat({ max: 11 }), { minLength: 1, maxLength: 3 }),
    isCoarse: fc.boolean(),
    hasMax: fc.boolean(),
  }),
  limit: fc.nat({ max: 60 }),
});

interface RunStream {
  readonly id: string;
  readonly model: ModelStream;
}

/** What a change needs of a run. */
interface ChangingRun {
  readonly datastream: Datastream;
  readonly streams: readonly RunStream[];
  readonly rules: Rules;
  readonly model: Model;
  granularityOf(seconds: number): Granularity;
  /** What sources the operator can take, and the granularity at which it then reads them. */
  choose(to: Redefinition): { readonly own: number; readonly streams: readonly RunStream[] } | null;
  exactness(derivation: Derivation): readonly [hasExactSums: boolean, isExact: boolean];
}

/** Changes a stream of the run as the step says, if that is possible, and the model with it. */
export function changeStream(run: ChangingRun, step: ChangeStep): Promise<void> {
  return step.kind === 'downsamplers' ? changeLetters(run, step) : redefine(run, step);
}

async function changeLetters(
  { datastream, streams, rules }: ChangingRun,
  { stream: pick, kept }: ChangeStep & { kind: 'downsamplers' },
): Promise<void> {
  const { id, model } = streams[pick % streams.length]!;
  const optional = model.isNumeric
    ? (['min', 'max', 'sum_squares', 'std_dev'] as const)
    : (['most_often', 'least_often', 'frequencies'] as const);
  const letters = { min: 'l', max: 'u', sum_squares: 'q', std_dev: 'd' } as const;
  const nominal = { most_often: 'o', least_often: 'r', frequencies: 'f' } as const;
  const letterOf = (name: string): string => ({ ...letters, ...nominal })[name as 'min'];
  const present = optional.filter((name) => rules.letters.v.has(letterOf(name)));
  const names = present.filter((_name, index) => (kept >> index) % 2 === 1);
  const more = moreNames(model, rules);
  const keptMore = more.filter((_item, index) => (kept >> (index + 4)) % 2 === 1);
  const usual = [...(model.isNumeric ? ['mean'] : ['count']), ...names];
  const valueDownsamplers = [...usual, ...keptMore.map(({ name }) => name)];
  await datastream.updateStream(id, { valueDownsamplers });
  const shown = new Set([...names.map(letterOf), ...keptMore.map(({ letter }) => letter)]);
  if (shown.has('g')) shown.add('l').add('u');
  if (shown.has('k')) shown.add('a').add('z');
  if (shown.has('v')) shown.add('q');
  // A deviation is made of squares.
  if (shown.has('d')) shown.add('q');
  const all = [...present.map(letterOf), ...more.map(({ letter }) => letter)];
  const hidden = model.hidden ?? new Set();
  model.hidden = new Set(all.filter((letter) => !shown.has(letter)));
  const from = keptFrom(model, model.highest);
  if (from === Number.NEGATIVE_INFINITY) return;
  const fillable = fillableFrom(model, from);
  const added = [...hidden].filter((letter) => shown.has(letter));
  model.lacking = new Map([
    ...(model.lacking ?? []),
    ...added.map((letter) => [letter, fillable] as const),
  ]);
}

/** The further statistics that the stream may have. */
function moreNames(
  { hasMore, isNumeric }: ModelStream,
  { letters }: Rules,
): readonly { readonly name: string; readonly letter: string }[] {
  if (!hasMore) return [];
  return Object.entries(isNumeric ? MORE_NUMERIC : MORE_NOMINAL)
    .map(([name, letter]) => ({ name, letter }))
    .filter(({ letter }) => letters.v.has(letter));
}

async function redefine(
  run: ChangingRun,
  { stream: pick, to, limit }: ChangeStep & { kind: 'redefine' },
): Promise<void> {
  const derived = run.streams.filter(({ model }) => model.derivation !== null);
  const target = derived[pick % Math.max(derived.length, 1)];
  if (target === undefined || !target.model.isNumeric) return;
  const { id, model } = target;
  const chosen = run.choose(to);
  if (chosen === null || chosen.own !== model.highest) return;
  const { own, streams } = chosen;
  // What goes on from its own outputs does so from those of this definition.
  const isRunning = to.op === 'integral' || to.op === 'exponential_smoothing';
  const ownCut = isRunning ? keptFrom(model, own) : Number.NEGATIVE_INFINITY;
  const sources = streams.map((source): Source => {
    const level = source.model.highest < own ? own : null;
    const cut = keptFrom(source.model, level ?? source.model.highest);
    return { stream: source.model, level, after: Math.max(cut, ownCut) - 1 };
  });
  const max = to.op === 'rate' && to.hasMax ? 128 : null;
  const limits = { min: -limit, max: limit };
  const args = isTimeOperator(to.op) ? timeArguments(to.op, to.hasMax) : {};
  const derivation: Derivation = { op: to.op, max, limits, args, sources };
  const changes: StreamChanges = {
    deriveOp: to.op,
    deriveFrom: streams.map(
      ({ id: stream }): DeriveFrom => ({ stream, granularity: run.granularityOf(own) }),
    ),
    deriveArgs: to.op === 'clamp' ? limits : max === null ? args : { max_value: max },
  };
  if (sources.some(({ stream }) => reaches(stream, model))) {
    const change = run.datastream.updateStream(id, changes);
    await assert.rejects(change, { code: 'INVALID_OPERATOR_ARGUMENTS' });
    return;
  }
  // What derives from it was checked against how exact it was.
  const [hasExactSums, isExact] = run.exactness(derivation);
  if ((model.hasExactSums && !hasExactSums) || (model.isExact && !isExact)) return;
  // Streams of a site derive from no aggregate.
  const isBelowSite = run.streams.some(
    (other) => other.model.site !== null && reaches(other.model, model),
  );
  if (isBelowSite && streams.some((source) => hasAggregate(source.model))) return;
  const rows = run.model.rows(model);
  await run.datastream.updateStream(id, changes);
  model.reached = Math.max(model.reached, latestInput(model));
  model.derivation = derivation;
  freezeRedefined(model, rows);
}
