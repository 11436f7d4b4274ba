import { describe, test } from '@jest/globals';
import fc from 'fast-check';
import { RUN_FACTOR, TIMEOUT_MS } from './assert-law.ts';
import { assertExtraLevels, extraLevelsHistory } from './extra-levels.ts';
import { embedded, memory } from './stores.ts';

describe('levels of calendars and time zones equal a computation from scratch', () => {
  for (const { name, open, numRuns } of [
    { name: 'memory', open: memory, numRuns: 60 },
    { name: 'embedded', open: embedded, numRuns: 15 },
  ]) {
    for (const isLive of [false, true]) {
      test(
        `in random histories on the ${name} backend${isLive ? ', where levels follow appends' : ''}`,
        async () => {
          await fc.assert(
            fc.asyncProperty(extraLevelsHistory, (given) => assertExtraLevels(open, given, isLive)),
            { numRuns: Math.ceil(numRuns * RUN_FACTOR) },
          );
        },
        TIMEOUT_MS,
      );
    }
  }
});
