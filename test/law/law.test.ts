import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { assertLaw, RUN_FACTOR, TIMEOUT_MS } from './assert-law.ts';
import { EXAMPLES } from './examples.ts';
import { history } from './history.ts';
import { setting } from './setting.ts';
import { computing, embedded, memory } from './stores.ts';

describe('the law: after maintenance, all equals a computation from scratch', () => {
  test(
    'in random histories on the memory backend',
    async () => {
      await fc.assert(
        fc.asyncProperty(setting, history, (given, steps) =>
          assertLaw(memory, steps, { setting: given }),
        ),
        { numRuns: Math.ceil(80 * RUN_FACTOR) + EXAMPLES.length, examples: EXAMPLES },
      );
    },
    TIMEOUT_MS,
  );

  for (const live of ['one', 'both'] as const) {
    test(
      `in random histories on the memory backend, where ${live} of two engines keep levels current`,
      async () => {
        await fc.assert(
          fc.asyncProperty(setting, history, (given, steps) =>
            assertLaw(memory, steps, { live, setting: given }),
          ),
          { numRuns: Math.ceil(60 * RUN_FACTOR) + EXAMPLES.length, examples: EXAMPLES },
        );
      },
      TIMEOUT_MS,
    );
  }

  test(
    'in random histories where equal timestamps overwrite and levels are computed when read',
    async () => {
      await fc.assert(
        fc.asyncProperty(setting, history, (given, steps) =>
          assertLaw(computing, steps, { setting: given }),
        ),
        { numRuns: Math.ceil(40 * RUN_FACTOR) + EXAMPLES.length, examples: EXAMPLES },
      );
    },
    TIMEOUT_MS,
  );

  test(
    'in random histories on the embedded backend',
    async () => {
      await fc.assert(
        fc.asyncProperty(setting, history, (given, steps) =>
          assertLaw(embedded, steps, { setting: given }),
        ),
        { numRuns: Math.ceil(30 * RUN_FACTOR) + EXAMPLES.length, examples: EXAMPLES },
      );
    },
    TIMEOUT_MS,
  );

  test(
    'in random histories on the embedded backend, where levels follow appends',
    async () => {
      await fc.assert(
        fc.asyncProperty(setting, history, (given, steps) =>
          assertLaw(embedded, steps, { live: 'both', setting: given }),
        ),
        { numRuns: Math.ceil(20 * RUN_FACTOR) + EXAMPLES.length, examples: EXAMPLES },
      );
    },
    TIMEOUT_MS,
  );

  for (const defect of ['late data is lost', 'nulls are zeros', 'a source is ignored'] as const) {
    test(
      `a model in which ${defect} is caught: the comparison can fail`,
      async () => {
        const { failed } = await fc.check(
          fc.asyncProperty(history, (steps) => assertLaw(memory, steps, { defect })),
          { numRuns: 200, seed: 7, endOnFailure: true },
        );
        expect(failed).toBe(true);
      },
      TIMEOUT_MS,
    );
  }
});
