import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { Backend } from '../../../src/backends/backend.ts';
import { LocalCopy } from './local-copy.ts';
import { type Step, step, Writers } from './random-writers.ts';

/** Gives backends of one store, each of which stands for a process, and what removes it. */
export type Store = () => Promise<{ backends: readonly Backend[]; dispose: () => Promise<void> }>;

interface History {
  readonly before: readonly Step[];
  readonly after: readonly Step[];
  readonly rowCountMax: number;
  readonly isSlow: boolean;
}

export const history: fc.Arbitrary<History> = fc.record({
  before: fc.array(step, { maxLength: 8 }),
  after: fc.array(step, { minLength: 1, maxLength: 25 }),
  rowCountMax: fc.constantFrom(3, 4096),
  isSlow: fc.boolean(),
});

export async function assertFollowed(
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
