import { describe, expect, test } from '@jest/globals';
import type { Replica } from '../../../src/backends/embedded/replica.ts';
import type { Sealer } from '../../../src/backends/embedded/sealer.ts';
import { WriteQueue } from '../../../src/backends/embedded/write-queue.ts';
import { BlockCorrupt, StreamAppendFailed } from '../../../src/exceptions/errors.ts';

/** Asks a queue for 100 writes, of transactions that all fail; says how many of these there were. */
async function transactionCount(failure: Error): Promise<number> {
  let count = 0;
  const replica = {
    write() {
      count++;
      throw failure;
    },
  };
  const queue = new WriteQueue(replica as unknown as Replica, {} as Sealer);
  const writes = Array.from({ length: 100 }, () => queue.add(() => 1));
  const outcomes = await Promise.allSettled(writes);
  for (const outcome of outcomes) expect(outcome).toEqual({ status: 'rejected', reason: failure });
  return count;
}

describe('a group of writes', () => {
  test('is refused as a whole, in one transaction, when the store takes nothing', async () => {
    expect(await transactionCount(new StreamAppendFailed('full'))).toBe(1);
  });

  test('is taken apart when it meets damage, which need not concern all of it', async () => {
    expect(await transactionCount(new BlockCorrupt('damage'))).toBe(199);
  });
});
