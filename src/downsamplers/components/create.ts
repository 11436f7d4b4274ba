import { addExact } from '../../model/high-accuracy.ts';
import type { Accumulator } from './accumulator.ts';
import { CountAccumulator } from './count.ts';
import { DecimalAccumulator } from './decimal.ts';
import { MaxAccumulator, MinAccumulator } from './extremum.ts';
import { FrequencyAccumulator } from './frequencies.ts';
import { MedianAccumulator } from './median.ts';
import { MomentsAccumulator } from './moments.ts';
import { SumAccumulator, SumSquaresAccumulator } from './sum.ts';
import { TimeAccumulator } from './time.ts';

/** Keyed by one component of those that an accumulator keeps: the others come with it. */
const SHARED: Readonly<Record<string, () => Accumulator>> = {
  c: () => new CountAccumulator(),
  n: () => new MedianAccumulator(),
  f: () => new FrequencyAccumulator(),
  ts: () => new TimeAccumulator(),
};

const PLAIN: Readonly<Record<string, () => Accumulator>> = {
  s: () => new SumAccumulator(),
  l: () => new MinAccumulator(),
  u: () => new MaxAccumulator(),
  q: () => new SumSquaresAccumulator(),
  mu: () => new MomentsAccumulator(),
};

const DECIMAL: Readonly<Record<string, () => Accumulator>> = {
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
  const table = { ...SHARED, ...(isDecimal ? DECIMAL : PLAIN) };
  return columns.flatMap((component) => table[component]?.() ?? []);
}
