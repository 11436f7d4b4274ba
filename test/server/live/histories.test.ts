import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MemoryBackend } from '../../../src/backends/memory/memory-backend.ts';
import { LiveFeed } from '../../../src/server/live/live-feed.ts';
import { caughtUp } from '../../engine/feed/local-copy.ts';
import { step, Writers } from '../../engine/feed/random-writers.ts';
import { LiveCopy } from './live-copy.ts';

const history = fc.record({
  before: fc.array(step, { maxLength: 5 }),
  after: fc.array(step, { minLength: 1, maxLength: 25 }),
  cuts: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 6 }),
  rememberedCountMax: fc.constantFrom(2, 10, 1000),
  waitingCountMax: fc.constantFrom(1, 5, 1000),
});

test('a reader who comes back, or is slow, has what the store has in the end', async () => {
  await fc.assert(
    fc.asyncProperty(history, async ({ before, after, cuts, ...limits }) => {
      const backend = new MemoryBackend();
      await backend.open();
      const writers = new Writers([backend, backend]);
      const [datastream] = writers.engines;
      const feed = new LiveFeed(datastream!, { nowMs: () => 1_700_000_000_000, ...limits });
      const copy = new LiveCopy(datastream!, feed, cuts);
      await writers.prepare();
      for (const each of before) await writers.run(each);
      copy.begin();
      for (const each of after) await writers.run(each);
      const stored = await caughtUp(datastream!, copy.rows);
      expect(Object.fromEntries(copy.rows)).toEqual(Object.fromEntries(stored));
      await copy.end();
      await feed.close();
      await backend.close();
    }),
    { numRuns: 60 },
  );
}, 120_000);
