import { describe, test } from '@jest/globals';
import fc from 'fast-check';
import { openBackend } from '../../../src/backends/open-backend.ts';
import { type BackendName, describeWith } from '../../servers/available.ts';
import { assertFollowed, history, type Store } from './followed.ts';

const RUN_COUNT = 4;
const TIMEOUT_MS = 240_000;

describe('whoever follows the feed of a store on a server has what the store has', () => {
  for (const name of ['postgresql', 'mongodb', 'influxdb'] satisfies BackendName[]) {
    describeWith(name, ({ createStore }) => {
      const open: Store = async () => {
        const store = await createStore();
        const backends = [await openBackend(store.url), await openBackend(store.url)];
        return {
          backends,
          dispose: async () => {
            await Promise.all(backends.map((backend) => backend.close()));
            await store.drop();
          },
        };
      };
      test(
        'in random histories',
        async () => {
          await fc.assert(
            fc.asyncProperty(history, (given) => assertFollowed(open, given)),
            { numRuns: RUN_COUNT },
          );
        },
        TIMEOUT_MS,
      );
    });
  }
});
