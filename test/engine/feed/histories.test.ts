import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from '@jest/globals';
import fc from 'fast-check';
import type { Backend } from '../../../src/backends/backend.ts';
import { EmbeddedBackend } from '../../../src/backends/embedded/embedded-backend.ts';
import { MemoryBackend } from '../../../src/backends/memory/memory-backend.ts';
import { ComputingBackend } from '../../law/computing-backend.ts';
import { assertFollowed, history, type Store } from './followed.ts';

const memory =
  (create: () => Backend): Store =>
  async () => {
    const backend = create();
    await backend.open();
    return { backends: [backend, backend], dispose: () => backend.close() };
  };

const embedded: Store = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'datastream-feed-'));
  const tuning = { journalSizeMaxBytes: 4000, sizePerTailBytes: 100, blockRowCountTarget: 16 };
  const backends = [new EmbeddedBackend(folder, tuning), new EmbeddedBackend(folder, tuning)];
  for (const backend of backends) await backend.open();
  return {
    backends,
    dispose: async () => {
      for (const backend of backends) await backend.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

const STORES: readonly (readonly [string, Store, number])[] = [
  ['a store in memory', memory(() => new MemoryBackend()), 40],
  ['a store that overwrites equal timestamps', memory(() => new ComputingBackend()), 20],
  ['an embedded store that two write to', embedded, 20],
];

describe('whoever follows the feed has what the store has', () => {
  test.each(STORES)(
    '%s',
    async (_name, store, numRuns) => {
      await fc.assert(
        fc.asyncProperty(history, (given) => assertFollowed(store, given)),
        { numRuns },
      );
    },
    120_000,
  );
});
