import fc from 'fast-check';
import { type Step, step } from './history.ts';
import { TIME_OPERATORS } from './time-operators.ts';

/** Mostly of one of the operators, over the first stream or over what derives from it. */
const derive: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('derive' as const),
  op: fc.constantFrom(...TIME_OPERATORS, ...TIME_OPERATORS, 'sum' as const, 'derivative' as const),
  picks: fc.array(fc.constantFrom(0, 0, 0, 4, 5), { minLength: 1, maxLength: 2 }),
  isCoarse: fc.boolean(),
  isBackprocessed: fc.boolean(),
  hasMax: fc.boolean(),
});

/** What happens to the data, to definitions, and maintenance. */
const dataStep: fc.Arbitrary<Step> = step
  .filter(({ kind }) => kind !== 'derive' && kind !== 'multiple')
  .map((item) => ('stream' in item && item.kind !== 'redefine' ? { ...item, stream: 0 } : item));

const steps = (minLength: number, maxLength: number): fc.Arbitrary<Step[]> =>
  fc.array(dataStep, { minLength, maxLength, size: 'max' });

/** Histories in which something always derives. */
export const timeHistory: fc.Arbitrary<Step[]> = fc
  .tuple(steps(0, 5), fc.array(derive, { minLength: 2, maxLength: 4 }), steps(5, 25))
  .map((parts) => parts.flat());
