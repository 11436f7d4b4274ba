import { describe, expect, test } from '@jest/globals';
import { SequenceIterator } from '../../src/api/sequence-iterator.ts';

interface Script {
  readonly blocks: readonly (readonly number[])[];
  /** Thrown behind the last block. */
  readonly failure?: Error;
}

/** Blocks that each take some turns, and whether their generator was closed. */
function scripted({ blocks, failure }: Script): {
  iterator: SequenceIterator<number>;
  closed: () => boolean;
} {
  let isClosed = false;
  async function* generate(): AsyncGenerator<readonly number[], void, undefined> {
    try {
      for (const block of blocks) {
        await new Promise((resolve) => setImmediate(resolve));
        yield block;
      }
      if (failure !== undefined) throw failure;
    } finally {
      isClosed = true;
    }
  }
  return { iterator: new SequenceIterator(generate()), closed: () => isClosed };
}

async function gather(items: AsyncIterable<number>): Promise<readonly number[]> {
  const gathered: number[] = [];
  for await (const item of items) gathered.push(item);
  return gathered;
}

describe('an iterator over blocks', () => {
  test('gives every item of every block in order, the empty blocks too', async () => {
    const { iterator } = scripted({ blocks: [[], [1, 2], [], [], [3], []] });
    expect(await gather(iterator)).toEqual([1, 2, 3]);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  test('answers calls that do not wait for each other in their order', async () => {
    const { iterator } = scripted({ blocks: [[1, 2], [3]] });
    const answers = await Promise.all(Array.from({ length: 5 }, () => iterator.next()));
    expect(answers.map(({ value }) => value)).toEqual([1, 2, 3, undefined, undefined]);
    expect(answers.map(({ done }) => done)).toEqual([false, false, false, true, true]);
  });

  test('closes its source when the loop is left, and gives nothing more', async () => {
    const { iterator, closed } = scripted({ blocks: [[1, 2], [3]] });
    for await (const item of iterator) {
      expect(item).toBe(1);
      break;
    }
    expect(closed()).toBe(true);
    expect(await gather(iterator)).toEqual([]);
  });

  test('closes its source behind the calls before', async () => {
    const { iterator, closed } = scripted({ blocks: [[1], [2]] });
    const [first, end, after] = await Promise.all([
      iterator.next(),
      iterator.return(),
      iterator.next(),
    ]);
    expect([first.value, end.done, after.done]).toEqual([1, true, true]);
    expect(closed()).toBe(true);
  });

  test('fails once, behind the items before the failure', async () => {
    const failure = new Error('The disk is gone.');
    const { iterator } = scripted({ blocks: [[1, 2]], failure });
    const answers = await Promise.allSettled(Array.from({ length: 4 }, () => iterator.next()));
    expect(answers).toEqual([
      { status: 'fulfilled', value: { done: false, value: 1 } },
      { status: 'fulfilled', value: { done: false, value: 2 } },
      { status: 'rejected', reason: failure },
      { status: 'fulfilled', value: { done: true, value: undefined } },
    ]);
  });
});
