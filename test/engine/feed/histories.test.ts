import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Backend } from '../../../src/backends/backend.ts';
import { EmbeddedBackend } from '../../../src/backends/embedded/embedded-backend.ts';
import { MemoryBackend } from '../../../src/backends/memory/memory-backend.ts';
import { ComputingBackend } from '../../law/computing-backend.ts';
import { LocalCopy } from './local-copy.ts';
import { type Step, step, Writers } from './random-writers.ts';

/** Gives backends of one store, each of which stands for a process, and what removes it. */
type Store = () => Promise<{ backends: readonly Backend[]; dispose: () => Promise<void> }>;

interface History {
  readonly before: readonly Step[];
  readonly after: readonly Step[];
  readonly rowCountMax: number;
  readonly isSlow: boolean;
}

const history: fc.Arbitrary<History> = fc.record({
  before: fc.array(step, { maxLength: 8 }),
  after: fc.array(step, { minLength: 1, maxLength: 25 }),
  rowCountMax: fc.constantFrom(3, 4096),
  isSlow: fc.boolean(),
});

async function assertFollowed(
  store: Store,
  { before, after, rowCountMax, isSlow }: History,
): Promise<void> {
  const { backends, dispose } = await store();
  const writers = new Writers(backends);
  const copies = writers.engines.map(
    (engine) =>
      new LocalCopy(engine, async () => {
        if (isSlow) await new Promise((resolve) => setTimeout(resolve, 2));
      }),
  );
  try {
    await writers.prepare();
    for (const step of before) await writers.run(step);
    await Promise.all(copies.map((copy) => copy.begin({ appendedCountMax: rowCountMax })));
    for (const step of after) await writers.run(step);
    for (const copy of copies) {
      const stored = await copy.caughtUp();
      expect(Object.fromEntries(copy.rows)).toEqual(Object.fromEntries(stored));
    }
  } finally {
    await Promise.all(copies.map((copy) => copy.end()));
    await dispose();
  }
}

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
