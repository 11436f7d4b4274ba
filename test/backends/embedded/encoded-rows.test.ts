import { describe, expect, test } from '@jest/globals';
import { decodeBlocks } from '../../../src/backends/codec/block-codec.ts';
import { encodeInPages, isWellSized } from '../../../src/backends/embedded/encoded-rows.ts';
import { rawBlock } from '../../../src/model/block.ts';
import { randomSource } from './fixtures.ts';

const ROW_COUNT_TARGET = 2400;

/** Rows every 10 s whose values need about so many bits each. */
function noise(rowCount: number, bitCount: number) {
  const random = randomSource();
  const timestamps = Float64Array.from({ length: rowCount }, (_, i) => i * 10_000);
  return rawBlock(
    timestamps,
    timestamps.map(() => random(2 ** bitCount)),
  );
}

describe('rows encoded in pages', () => {
  test.each([4, 7, 12, 16])(
    'of %i bits fill pages, or share them, but for the last ones',
    (bitCount) => {
      const rows = noise(50_000, bitCount);
      const blocks = encodeInPages(rows, { rowCountTarget: ROW_COUNT_TARGET });
      expect(
        decodeBlocks(
          blocks.map(({ bytes }) => bytes),
          String,
        ),
      ).toEqual(rows);
      for (const { bytes, rowCount } of blocks.slice(0, -2)) {
        expect(rowCount).toBeLessThanOrEqual(ROW_COUNT_TARGET);
        const isGood = isWellSized(bytes.length) || rowCount === ROW_COUNT_TARGET;
        expect([bytes.length, isGood]).toEqual([bytes.length, true]);
      }
    },
  );

  test('name the count and the bounds of each block', () => {
    const blocks = encodeInPages(noise(5000, 7), { rowCountTarget: 1000, bytesPerRow: 0.9 });
    expect(blocks.map(({ rowCount }) => rowCount)).toEqual([1000, 1000, 1000, 1000, 1000]);
    expect(blocks.map(({ firstMs }) => firstMs / 10_000)).toEqual([0, 1000, 2000, 3000, 4000]);
    expect(blocks.at(-1)!.lastMs).toBe(49_990_000);
  });

  test('take one row at least, however large it is', () => {
    const values = [1, 2, 3].map((n) => `${n}`.repeat(9000));
    const blocks = encodeInPages(rawBlock(Float64Array.of(1, 2, 3), values), {
      rowCountTarget: ROW_COUNT_TARGET,
    });
    expect(blocks.reduce((sum, { rowCount }) => sum + rowCount, 0)).toBe(3);
    expect(
      decodeBlocks(
        blocks.map(({ bytes }) => bytes),
        String,
      ).columns['v'],
    ).toEqual(values);
  });
});
