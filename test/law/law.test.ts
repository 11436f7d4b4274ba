import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EmbeddedBackend } from '../../src/backends/embedded/embedded-backend.ts';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';
import { compare } from './compare.ts';
import { EXAMPLES } from './examples.ts';
import { history, type Step } from './history.ts';
import type { Defect } from './model.ts';
import { Run, type RunStore } from './run.ts';

/** LAW_RUNS=10 runs ten times as many histories. */
const RUN_FACTOR = Number(process.env['LAW_RUNS'] ?? 1);
const TIMEOUT_MS = 120_000 * Math.max(1, RUN_FACTOR);

interface DisposableStore extends RunStore {
  dispose(): Promise<void>;
}

async function memory(): Promise<DisposableStore> {
  const backend = new MemoryBackend();
  await backend.open();
  return { backend, dispose: () => backend.close() };
}

/** Small enough that the rows of a history move from the journal into blocks, and blocks split. */
const TUNING = { journalSizeMaxBytes: 2000, sizePerTailBytes: 100, blockRowCountTarget: 16 };

async function embedded(): Promise<DisposableStore> {
  const folder = await mkdtemp(join(tmpdir(), 'datastream-law-'));
  let backend = new EmbeddedBackend(folder, TUNING);
  await backend.open();
  return {
    backend,
    async reopen() {
      await backend.close();
      backend = new EmbeddedBackend(folder, TUNING);
      await backend.open();
      return backend;
    },
    async dispose() {
      await backend.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The law: after maintenance, everything equals a computation from scratch. */
async function assertLaw(
  open: () => Promise<DisposableStore>,
  steps: readonly Step[],
  defect: Defect = 'none',
): Promise<void> {
  const store = await open();
  try {
    const run = new Run(store);
    await run.start();
    for (const step of steps) await run.apply(step);
    await run.settle();
    await compare(run, defect);
  } finally {
    await store.dispose();
  }
}

describe('the law: after maintenance, all equals a computation from scratch', () => {
  test(
    'in random histories on the memory backend',
    async () => {
      await fc.assert(
        fc.asyncProperty(history, (steps) => assertLaw(memory, steps)),
        { numRuns: Math.ceil(80 * RUN_FACTOR) + EXAMPLES.length, examples: EXAMPLES },
      );
    },
    TIMEOUT_MS,
  );

  test(
    'in random histories on the embedded backend',
    async () => {
      await fc.assert(
        fc.asyncProperty(history, (steps) => assertLaw(embedded, steps)),
        { numRuns: Math.ceil(30 * RUN_FACTOR) + EXAMPLES.length, examples: EXAMPLES },
      );
    },
    TIMEOUT_MS,
  );

  for (const defect of ['late data is lost', 'nulls are zeros', 'sum ignores a source'] as const) {
    test(
      `a model in which ${defect} is caught: the comparison can fail`,
      async () => {
        const { failed } = await fc.check(
          fc.asyncProperty(history, (steps) => assertLaw(memory, steps, defect)),
          { numRuns: 60, seed: 7, endOnFailure: true },
        );
        expect(failed).toBe(true);
      },
      TIMEOUT_MS,
    );
  }
});
