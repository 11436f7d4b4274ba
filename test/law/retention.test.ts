import { describe, test } from '@jest/globals';
import fc from 'fast-check';
import { assertLaw, RUN_FACTOR, TIMEOUT_MS } from './assert-law.ts';
import { expiringHistory, retentionHistory } from './retention-history.ts';
import { embedded, memory } from './stores.ts';

describe('the law: what is kept follows corrections, whatever has expired', () => {
  for (const [name, store, runCount] of [
    ['memory', memory, 25],
    ['embedded', embedded, 8],
  ] as const) {
    for (const live of ['none', 'both'] as const) {
      const numRuns = Math.ceil(runCount * RUN_FACTOR);
      test(
        `on the ${name} backend, where ${live} of two engines keep levels current`,
        async () => {
          await fc.assert(
            fc.asyncProperty(retentionHistory, (steps) => assertLaw(store, steps, { live })),
            { numRuns },
          );
        },
        TIMEOUT_MS,
      );
      test(
        `on the ${name} backend, while definitions change, and ${live} of two engines keep levels current`,
        async () => {
          await fc.assert(
            fc.asyncProperty(expiringHistory, (steps) => assertLaw(store, steps, { live })),
            { numRuns },
          );
        },
        TIMEOUT_MS,
      );
    }
  }
});
