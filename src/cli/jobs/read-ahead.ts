import type { SegmentBatch } from '../transfer/segments.ts';
import { Gate } from './gate.ts';
import type { ImportTask } from './import-thread.ts';
import { runInThread } from './job-thread.ts';

const THREAD = new URL('./import-thread.js', import.meta.url);

/** Batches that wait for their reader, at most. */
const BATCH_COUNT_MAX = 3;

/**
 * Reads an export in a thread of its own, while this one stores what was read. Whoever stops before the end
 * ends the thread.
 * @throws what the thread met: a file that cannot be read, a line that is too long, the signal's reason.
 */
export async function* readSegmentsAhead(
  task: Omit<ImportTask, 'gate'>,
  signal: AbortSignal,
): AsyncGenerator<SegmentBatch, void, undefined> {
  const gate = new Gate({ passCount: BATCH_COUNT_MAX });
  const stop = new AbortController();
  const batches: SegmentBatch[] = [];
  let wake = (): void => {};
  let hasEnded = false;
  const anyEnd = AbortSignal.any([signal, stop.signal]);
  const thread = runInThread<ImportTask, SegmentBatch, null>(
    THREAD,
    { ...task, gate: gate.buffer },
    {
      signal: anyEnd,
      onProgress: (batch) => {
        batches.push(batch);
        wake();
      },
    },
  ).finally(() => {
    hasEnded = true;
    wake();
  });
  // It is awaited at the end; until then a failure is not to be called unhandled.
  thread.catch(() => {});
  // A thread that waits at the gate hears of nothing else.
  anyEnd.addEventListener('abort', () => gate.open());
  try {
    for (;;) {
      signal.throwIfAborted();
      const batch = batches.shift();
      if (batch !== undefined) {
        yield batch;
        gate.allow();
      } else if (hasEnded) break;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
    await thread;
  } finally {
    stop.abort();
    await thread.catch(() => {});
  }
}
