import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { assignLateRows } from '../../../src/backends/blocks/late-rows.ts';
import { splitRows } from '../../../src/backends/blocks/split-rows.ts';
import { type Block, concatBlocks, rawBlock } from '../../../src/model/block.ts';

const rows: fc.Arbitrary<Block> = fc
  .array(fc.integer({ min: -20, max: 20 }), { maxLength: 60 })
  .map((times) =>
    rawBlock(Float64Array.from(times.toSorted((a, b) => a - b)), Float64Array.from(times.keys())),
  );

function listOf({ timestamps, columns }: Block): readonly unknown[] {
  return Array.from(timestamps, (t, row) => [t, columns['v']?.[row]]);
}

describe('rows cut into blocks', () => {
  test('are the same rows, and no two blocks share a timestamp', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 9 }), (block, target) => {
        const blocks = splitRows(block, target);
        expect(listOf(concatBlocks(blocks))).toEqual(listOf(block));
        for (const [index, { timestamps }] of blocks.entries()) {
          expect(timestamps.length).toBeGreaterThan(0);
          const isLast = index === blocks.length - 1;
          if (!isLast) expect(timestamps.length).toBeGreaterThanOrEqual(target);
          if (!isLast) expect(timestamps.at(-1)).toBeLessThan(blocks[index + 1]!.timestamps[0]!);
          // Only rows of the last timestamp make a block longer.
          if (timestamps.length > target) expect(timestamps[target - 1]).toBe(timestamps.at(-1));
        }
      }),
    );
  });
});

describe('late rows', () => {
  test('go to the last block that starts at or before them, else to the first', () => {
    const starts = fc
      .uniqueArray(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 8 })
      .map((times) => Float64Array.from(times).sort());
    fc.assert(
      fc.property(rows, starts, (block, firsts) => {
        const assigned = assignLateRows(firsts, block);
        expect(listOf(concatBlocks(assigned.map((item) => item.rows)))).toEqual(listOf(block));
        for (const { index, rows: own } of assigned) {
          for (const t of own.timestamps) {
            expect(index).toBe(
              Math.max(
                0,
                firsts.findLastIndex((first) => first <= t),
              ),
            );
          }
        }
      }),
    );
  });
});
