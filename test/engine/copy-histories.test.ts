import assert from 'node:assert/strict';
import { test } from '@jest/globals';
import fc from 'fast-check';
import { copyStreams } from '../../src/api/copy-streams.ts';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';
import { history, type Step } from '../law/history.ts';
import { Run } from '../law/run.ts';
import { assertSettles, contentsOf, snapshots } from './copy-support.ts';

/** COPY_RUNS=10 runs ten times as many histories. */
const RUN_FACTOR = Number(process.env['COPY_RUNS'] ?? 1);

/** Says that it is durable, so that a copy from it goes on by what its marker says. */
class SourceBackend extends MemoryBackend {
  override readonly supports: MemoryBackend['supports'] = {
    ...new MemoryBackend().supports,
    durable: true,
  };
}

/**
 * After each step of a history the copy goes on for some commits and is broken off, and at the end it is
 * finished; then the target is what the source is, and stays so under maintenance.
 */
async function assertCopied(steps: readonly Step[], lives: readonly number[]): Promise<void> {
  const from = new SourceBackend();
  const to = new MemoryBackend();
  await from.open();
  await to.open();
  const run = new Run({ backend: from, other: from });
  await run.begin();
  let finishedCount = 0;
  for (const [i, step] of steps.entries()) {
    await run.apply(step);
    const life = lives[i % lives.length]!;
    if (life > 0) await copyFor(from, to, life);
    for (const { record } of await snapshots(to)) {
      if (Object.hasOwn(record.tags, 'name')) finishedCount++;
    }
  }
  assert.equal(finishedCount, 0, 'a copy that was broken off shows nothing');
  await copyStreams(from, to);
  assert.deepEqual(await contentsOf(to), await contentsOf(from));
  const { copiedCount } = await copyStreams(from, to);
  assert.equal(copiedCount, 0);
  await assertSettles(to);
}

/** Breaks the copy off at its first report after so many, and in any case before it shows a family. */
async function copyFor(from: MemoryBackend, to: MemoryBackend, life: number): Promise<void> {
  const abort = new AbortController();
  let reportCount = 0;
  const onProgress = (progress: { streamCount: number; streamCountTotal: number }): void => {
    reportCount++;
    const isLast = progress.streamCount === progress.streamCountTotal;
    if (reportCount >= life || isLast) abort.abort();
  };
  const options = { signal: abort.signal, onProgress, concurrency: 2 };
  await assert.rejects(copyStreams(from, to, options), { name: 'AbortError' });
}

test(
  'a copy of any history, broken off at any time while the source goes on, is exact',
  async () => {
    const lives = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(history, lives, (steps, life) => assertCopied(steps, life)),
      { numRuns: Math.ceil(40 * RUN_FACTOR) },
    );
  },
  120_000 * Math.max(1, RUN_FACTOR),
);
