import { addExact } from '../../model/high-accuracy.ts';
import type { Accumulator } from './accumulator.ts';
import { CountTimesAccumulator } from './count-times.ts';
import { DecimalAccumulator } from './decimal.ts';
import { MaxAccumulator, MinAccumulator } from './extremum.ts';
import { FrequencyAccumulator } from './frequencies.ts';
import { MedianAccumulator } from './median.ts';
import { MomentsAccumulator } from './moments.ts';
import { SumAccumulator, SumSquaresAccumulator } from './sum.ts';
import { SumExtremaAccumulator } from './sum-extrema.ts';

type AccumulatorTable = Readonly<Record<string, () => Accumulator>>;

/** Keyed by one component of those that an accumulator keeps: the others come with it. */
const SHARED: AccumulatorTable = {
  c: () => new CountTimesAccumulator(),
  n: () => new MedianAccumulator(),
  f: () => new FrequencyAccumulator(),
};

const PLAIN: AccumulatorTable = {
  ...SHARED,
  s: () => new SumAccumulator(),
  l: () => new MinAccumulator(),
  u: () => new MaxAccumulator(),
  q: () => new SumSquaresAccumulator(),
  mu: () => new MomentsAccumulator(),
};

/** Of levels that have all of sum, minimum and maximum. */
const PLAIN_TOGETHER: AccumulatorTable = {
  ...SHARED,
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
};

/** One accumulator for each component, or group of components, among the columns of a level. */
export function createAccumulators(
  columns: readonly string[],
  { isDecimal }: { readonly isDecimal: boolean },
): readonly Accumulator[] {
  const hasAll = columns.includes('s') && columns.includes('l') && columns.includes('u');
  const table = isDecimal ? DECIMAL : hasAll ? PLAIN_TOGETHER : PLAIN;
  const accumulators: Accumulator[] = [];
  for (const component of columns) {
    const create = table[component];
    if (create !== undefined) accumulators.push(create());
  }
  return accumulators;
}
