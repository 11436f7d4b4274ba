import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { assertLaw, RUN_FACTOR, TIMEOUT_MS } from './assert-law.ts';
import { setting } from './setting.ts';
import { computing, embedded, memory } from './stores.ts';
import { timeHistory } from './time-history.ts';

describe('the law, of totals, averages and shifts', () => {
  const runCount = (count: number) => ({ numRuns: Math.ceil(count * RUN_FACTOR) });

  for (const live of ['none', 'both'] as const) {
    test(
      `in random histories on the memory backend, where ${live} of two engines keep levels current`,
      () =>
        fc.assert(
          fc.asyncProperty(setting, timeHistory, (given, items) =>
            assertLaw(memory, items, { live, setting: given }),
          ),
          runCount(40),
        ),
      TIMEOUT_MS,
    );
  }

  test(
    'in random histories where equal timestamps overwrite and levels are computed when read',
    () =>
      fc.assert(
        fc.asyncProperty(setting, timeHistory, (given, items) =>
          assertLaw(computing, items, { setting: given }),
        ),
        runCount(20),
      ),
    TIMEOUT_MS,
  );

  test(
    'in random histories on the embedded backend',
    () =>
      fc.assert(
        fc.asyncProperty(setting, timeHistory, (given, items) =>
          assertLaw(embedded, items, { setting: given }),
        ),
        runCount(20),
      ),
    TIMEOUT_MS,
  );

  test(
    'is broken by a model in which late data is lost: the comparison can fail',
    async () => {
      const { failed } = await fc.check(
        fc.asyncProperty(timeHistory, (items) =>
          assertLaw(memory, items, { defect: 'late data is lost' }),
        ),
        { numRuns: 60, seed: 7, endOnFailure: true },
      );
      expect(failed).toBe(true);
    },
    TIMEOUT_MS,
  );
});
