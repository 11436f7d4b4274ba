import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { assertLaw, RUN_FACTOR, TIMEOUT_MS } from './assert-law.ts';
import { type Step, step } from './history.ts';
import { computing, embedded, memory } from './stores.ts';
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
const history: fc.Arbitrary<Step[]> = fc
  .tuple(steps(0, 5), fc.array(derive, { minLength: 2, maxLength: 4 }), steps(5, 25))
  .map((parts) => parts.flat());

describe('the law, of totals, averages and shifts', () => {
  const runCount = (count: number) => ({ numRuns: Math.ceil(count * RUN_FACTOR) });

  for (const live of ['none', 'both'] as const) {
    test(
      `in random histories on the memory backend, where ${live} of two engines keep levels current`,
      () =>
        fc.assert(
          fc.asyncProperty(history, (items) => assertLaw(memory, items, { live })),
          runCount(40),
        ),
      TIMEOUT_MS,
    );
  }

  test(
    'in random histories where equal timestamps overwrite and levels are computed when read',
    () =>
      fc.assert(
        fc.asyncProperty(history, (items) => assertLaw(computing, items)),
        runCount(20),
      ),
    TIMEOUT_MS,
  );

  test(
    'in random histories on the embedded backend',
    () =>
      fc.assert(
        fc.asyncProperty(history, (items) => assertLaw(embedded, items)),
        runCount(20),
      ),
    TIMEOUT_MS,
  );

  test(
    'is broken by a model in which late data is lost: the comparison can fail',
    async () => {
      const { failed } = await fc.check(
        fc.asyncProperty(history, (items) =>
          assertLaw(memory, items, { defect: 'late data is lost' }),
        ),
        { numRuns: 60, seed: 7, endOnFailure: true },
      );
      expect(failed).toBe(true);
    },
    TIMEOUT_MS,
  );
});
