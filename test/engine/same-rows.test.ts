import { describe, expect, test } from '@jest/globals';
import { haveSameRows } from '../../src/engine/same-rows.ts';
import { type Block, rawBlock } from '../../src/model/block.ts';

/** Rows at 0, 1, 2 … ms with these values, cut into blocks of so many rows. */
async function* blocksOf(
  values: readonly number[],
  rowCount: number,
): AsyncGenerator<Block, void, undefined> {
  for (let row = 0; row < values.length; row += rowCount) {
    const part = Float64Array.from(values.slice(row, row + rowCount));
    yield rawBlock(
      part.map((_, i) => row + i),
      part,
    );
  }
}

const VALUES = [1, 2, Number.NaN, -0, 5, 6, 7];

describe('rows of two stores', () => {
  test.each([1, 2, 3, 7])('are the same however they are cut: by %p and by 3', async (rowCount) => {
    expect(await haveSameRows(blocksOf(VALUES, rowCount), blocksOf(VALUES, 3))).toBe(true);
  });

  test.each([
    ['a value', VALUES.with(4, 50)],
    ['the sign of a zero', VALUES.with(3, 0)],
    ['a row that is missing', VALUES.slice(0, -1)],
    ['a row too many', [...VALUES, 8]],
    ['all rows', []],
  ])('differ by %s', async (_what, others) => {
    expect(await haveSameRows(blocksOf(VALUES, 2), blocksOf(others, 3))).toBe(false);
  });

  test('are not read on when the work is to stop', async () => {
    const controller = new AbortController();
    let readCount = 0;
    async function* endless(): AsyncGenerator<Block, void, undefined> {
      for (;;) {
        if (++readCount === 3) controller.abort(new Error('stopped'));
        yield rawBlock(Float64Array.of(readCount), Float64Array.of(1));
      }
    }
    const others = (async function* (): AsyncGenerator<Block, void, undefined> {
      for (let ms = 1; ; ms++) yield rawBlock(Float64Array.of(ms), Float64Array.of(1));
    })();
    await expect(haveSameRows(endless(), others, controller.signal)).rejects.toThrow('stopped');
    expect(readCount).toBe(3);
  });
});
