import fc from 'fast-check';
import { compare, compareLive } from './compare.ts';
import type { Step } from './history.ts';
import type { Defect } from './model.ts';
import { compareReads } from './reads.ts';
import { Run, type RunOptions } from './run.ts';
import type { DisposableStore } from './stores.ts';

/** Other histories each time: what fails prints its seed, and LAW_SEED=… runs the same ones again. */
const SEED = process.env['LAW_SEED'];
fc.configureGlobal(SEED === undefined ? {} : { seed: Number(SEED) });

/** LAW_RUNS=10 runs ten times as many histories. */
export const RUN_FACTOR: number = Number(process.env['LAW_RUNS'] ?? 1);
export const TIMEOUT_MS: number = 300_000 * Math.max(1, RUN_FACTOR);

/** The law: after maintenance, everything equals a computation from scratch. */
export async function assertLaw(
  open: () => Promise<DisposableStore>,
  steps: readonly Step[],
  { defect = 'none', ...options }: RunOptions & { readonly defect?: Defect } = {},
): Promise<void> {
  const store = await open();
  try {
    const run = new Run(store, options);
    await run.begin();
    for (const step of steps) await run.apply(step);
    await compareLive(run);
    await compareReads(run, { isLive: true });
    await run.settle();
    await run.noteExpiry();
    await compare(run, defect);
    await compareReads(run, { isLive: false });
  } finally {
    await store.dispose();
  }
}
