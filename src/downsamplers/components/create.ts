import { addExact } from '../../model/high-accuracy.ts';
import type { Accumulator } from './accumulator.ts';
import { CountTimesAccumulator } from './count-times.ts';
import { DecimalAccumulator } from './decimal.ts';
import { DistinctAccumulator } from './distinct.ts';
import { EdgeAccumulator, JsonEdgeAccumulator } from './edge.ts';
import { MaxAccumulator, MinAccumulator } from './extremum.ts';
import { FrequencyAccumulator } from './frequencies.ts';
import { HeldAccumulator } from './held.ts';
import { MedianAccumulator } from './median.ts';
import { MomentsAccumulator } from './moments.ts';
import { SumAccumulator, SumSquaresAccumulator } from './sum.ts';
import { SumExtremaAccumulator } from './sum-extrema.ts';

type AccumulatorTable = Readonly<Record<string, (kind: NumberKind) => Accumulator>>;

/** Keyed by one component of those that an accumulator keeps: the others come with it. */
const SHARED: AccumulatorTable = {
  c: () => new CountTimesAccumulator(),
  n: () => new MedianAccumulator(),
  f: () => new FrequencyAccumulator(),
  h: () => new DistinctAccumulator(),
};

const JSON_VALUES: AccumulatorTable = {
  ...SHARED,
  a: () => new JsonEdgeAccumulator('a'),
  z: () => new JsonEdgeAccumulator('z'),
};

const FLOAT_ONLY: AccumulatorTable = {
  a: () => new EdgeAccumulator('a'),
  z: () => new EdgeAccumulator('z'),
  ar: ({ heartbeatMs }) => new HeldAccumulator(heartbeatMs),
};

const PLAIN: AccumulatorTable = {
  ...SHARED,
  ...FLOAT_ONLY,
  s: () => new SumAccumulator(),
  l: () => new MinAccumulator(),
  u: () => new MaxAccumulator(),
  q: () => new SumSquaresAccumulator(),
  mu: () => new MomentsAccumulator(),
};

/** Of levels that have all of sum, minimum and maximum. */
const PLAIN_TOGETHER: AccumulatorTable = {
  ...SHARED,
  ...FLOAT_ONLY,
  s: () => new SumExtremaAccumulator(),
  q: PLAIN['q']!,
  mu: PLAIN['mu']!,
};

const DECIMAL: AccumulatorTable = {
  ...SHARED,
  s: () => new DecimalAccumulator('s', addExact),
  l: () => new DecimalAccumulator('l', (a, b) => (b.lt(a) ? b : a)),
  u: () => new DecimalAccumulator('u', (a, b) => (b.gt(a) ? b : a)),
  q: () => new DecimalAccumulator('q', addExact),
  a: () => new DecimalAccumulator('a', (a) => a),
  z: () => new DecimalAccumulator('z', (_a, b) => b),
};

interface NumberKind {
  readonly isNumeric: boolean;
  readonly isDecimal: boolean;
  /** For how long a value is held, at most. */
  readonly heartbeatMs: number;
}

function tableOf(
  columns: readonly string[],
  { isNumeric, isDecimal }: NumberKind,
): AccumulatorTable {
  if (!isNumeric) return JSON_VALUES;
  if (isDecimal) return DECIMAL;
  const hasAll = columns.includes('s') && columns.includes('l') && columns.includes('u');
  return hasAll ? PLAIN_TOGETHER : PLAIN;
}

/** One accumulator for each component, or group of components, among the columns of a level. */
export function createAccumulators(
  columns: readonly string[],
  kind: NumberKind,
): readonly Accumulator[] {
  const table = tableOf(columns, kind);
  const accumulators: Accumulator[] = [];
  for (const component of columns) {
    const create = table[component];
    if (create !== undefined) accumulators.push(create(kind));
  }
  return accumulators;
}
