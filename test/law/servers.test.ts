import { describe, test } from '@jest/globals';
import fc from 'fast-check';
import { type BackendName, describeWith } from '../servers/available.ts';
import { assertLaw, RUN_FACTOR, TIMEOUT_MS } from './assert-law.ts';
import { EXAMPLES } from './examples.ts';
import { assertExtraLevels, extraLevelsHistory } from './extra-levels.ts';
import { history } from './history.ts';
import { expiringHistory, retentionHistory } from './retention-history.ts';
import { setting } from './setting.ts';
import { onServer } from './stores.ts';

/** Random histories on each server, beside the examples; LAW_RUNS multiplies them. */
const RUN_COUNTS: Readonly<Record<BackendName, number>> = {
  postgresql: 12,
  mongodb: 8,
  influxdb: 8,
};

describe('the law on servers: after maintenance, all equals a computation from scratch', () => {
  for (const [backend, runCount] of Object.entries(RUN_COUNTS)) {
    describeWith(backend as BackendName, ({ createStore }) => {
      const open = async () => onServer(await createStore());
      test(
        'in random histories',
        async () => {
          await fc.assert(
            fc.asyncProperty(setting, history, (given, steps) =>
              assertLaw(open, steps, { setting: given }),
            ),
            { numRuns: Math.ceil(runCount * RUN_FACTOR) + EXAMPLES.length, examples: EXAMPLES },
          );
        },
        TIMEOUT_MS,
      );

      // Levels that the server computes are those that every stream has, and are kept for ever.
      if (backend === 'influxdb') return;
      test(
        'in random histories in which rows expire',
        async () => {
          await fc.assert(
            fc.asyncProperty(fc.oneof(retentionHistory, expiringHistory), (steps) =>
              assertLaw(open, steps),
            ),
            { numRuns: Math.ceil((runCount / 2) * RUN_FACTOR) },
          );
        },
        TIMEOUT_MS,
      );
      test(
        'with levels of calendars and time zones',
        async () => {
          await fc.assert(
            fc.asyncProperty(extraLevelsHistory, (given) => assertExtraLevels(open, given, false)),
            { numRuns: Math.ceil(runCount * RUN_FACTOR) },
          );
        },
        TIMEOUT_MS,
      );
    });
  }
});
