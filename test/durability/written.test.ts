import { describe, expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';
import { BASE_MS } from './child.ts';
import { assertWritten, type Line, type WrittenRow } from './written.ts';

const ROWS: readonly WrittenRow[] = [
  ['a', 0, 10],
  ['a', 1, 11],
  ['b', 1, 12],
];

/** A store with the rows of three streams, after which the lines of a writer are checked. */
async function check(rows: readonly WrittenRow[], lines: readonly Line[]): Promise<void> {
  const backend = new MemoryBackend();
  await backend.open();
  const datastream = new Datastream(backend);
  for (const name of ['a', 'b', 'c']) {
    const definition = { valueDownsamplers: ['mean'], highestGranularity: 'seconds' };
    const id = await datastream.ensureStream({ name }, definition);
    for (const [of, second, value] of rows) {
      if (of === name) await datastream.append(id, value, BASE_MS + second * 1000);
    }
  }
  await assertWritten(datastream, { lines: [{ startSecond: 0 }, ...lines], label: 'test' });
}

const FAILURE = { code: 'ERR_ASSERTION' };

describe('the check of what writers have written', () => {
  test('takes what was acknowledged, and what was sent alone, there or not', async () => {
    const [first, ...rest] = ROWS;
    await check(ROWS, [{ sent: ROWS, acknowledged: ROWS }]);
    await check(ROWS, [{ sent: ROWS }]);
    await check([first!], [{ sent: [first!] }, { sent: rest }, { acknowledged: [first!] }]);
  });

  test('finds an acknowledged datapoint that is lost', async () => {
    const lines = [{ sent: ROWS, acknowledged: ROWS }];
    await expect(check(ROWS.slice(1), lines)).rejects.toMatchObject(FAILURE);
  });

  test('finds a datapoint that is there twice', async () => {
    const lines = [{ sent: ROWS, acknowledged: ROWS }];
    await expect(check([...ROWS, ['a', 1, 11]], lines)).rejects.toMatchObject(FAILURE);
  });

  test('finds a datapoint that nobody sent, and one at another second', async () => {
    const lines = [{ sent: ROWS, acknowledged: ROWS }];
    await expect(check([...ROWS, ['c', 2, 13]], lines)).rejects.toMatchObject(FAILURE);
    const moved: WrittenRow[] = [...ROWS.slice(0, 2), ['b', 2, 12]];
    await expect(check(moved, lines)).rejects.toMatchObject(FAILURE);
  });

  test('finds a part of what was sent in one call', async () => {
    await expect(check(ROWS.slice(1), [{ sent: ROWS }])).rejects.toMatchObject(FAILURE);
  });
});
