import PQueue from 'p-queue';

/** Does a task for each item, some at once; rejects with the first error when all under way are done. */
export async function eachAtOnce<T>(
  items: readonly T[],
  concurrency: number,
  task: (item: T) => Promise<void>,
): Promise<void> {
  if (items.length === 0) return;
  const queue = new PQueue({ concurrency });
  const results = await Promise.allSettled(items.map((item) => queue.add(() => task(item))));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
