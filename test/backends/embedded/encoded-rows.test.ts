import { describe, expect, test } from '@jest/globals';
import { decodeBlocks } from '../../../src/backends/codec/block-codec.ts';
import {
  encodeDrafts,
  encodeInPages,
  encodeIntoRoom,
  isWellSized,
} from '../../../src/backends/embedded/encoded-rows.ts';
import { LeafRoom } from '../../../src/backends/embedded/leaf-room.ts';
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

test('drafts have about as many rows each, and name their bounds', () => {
  const rows = noise(5001, 7);
  const drafts = encodeDrafts(rows, 2000);
  expect(drafts.map(({ rowCount }) => rowCount)).toEqual([1667, 1667, 1667]);
  expect(drafts.map(({ firstMs }) => firstMs / 10_000)).toEqual([0, 1667, 3334]);
  expect(drafts.map(({ lastMs }) => lastMs / 10_000)).toEqual([1666, 3333, 5000]);
  const bytes = drafts.map((draft) => draft.bytes);
  expect(decodeBlocks(bytes, String)).toEqual(rows);
});

describe('rows encoded into the room of a page', () => {
  test.each([1, 4, 7, 12])('of %i bits fit what is left, and fill it', (bitCount) => {
    const rows = noise(20_000, bitCount);
    const room = new LeafRoom();
    room.take(1000);
    const blocks = [];
    let emptyBytes = 0;
    for (const block of encodeIntoRoom(rows, { rowCountTarget: ROW_COUNT_TARGET, room })) {
      const sizeMaxBytes = room.valueSizeMaxBytes;
      expect(block.bytes.length).toBeLessThanOrEqual(sizeMaxBytes);
      expect(block.rowCount).toBeLessThanOrEqual(ROW_COUNT_TARGET);
      const isShort =
        block.rowCount === ROW_COUNT_TARGET || block.lastMs === rows.timestamps.at(-1);
      if (!isShort) emptyBytes += sizeMaxBytes - block.bytes.length;
      room.take(block.bytes.length);
      blocks.push(block.bytes);
    }
    expect(decodeBlocks(blocks, String)).toEqual(rows);
    expect(emptyBytes).toBeLessThanOrEqual(blocks.length * 80);
  });

  test('take one row at least, however little fits', () => {
    const values = [1, 2, 3].map((n) => `${n}`.repeat(9000));
    const rows = rawBlock(Float64Array.of(1, 2, 3), values);
    const room = new LeafRoom();
    const blocks = [];
    for (const block of encodeIntoRoom(rows, { rowCountTarget: ROW_COUNT_TARGET, room })) {
      room.take(block.bytes.length);
      blocks.push(block.bytes);
    }
    expect(decodeBlocks(blocks, String).columns['v']).toEqual(values);
  });
});

describe('the room of a page', () => {
  test('takes two values of the largest shared size, or three and a rest', () => {
    const room = new LeafRoom();
    expect(room.valueSizeMaxBytes).toBe(2011);
    room.take(2011);
    expect(room.valueSizeMaxBytes).toBe(2011);
    room.take(1000);
    // 4,072 less 2,036 and 1,026, and the 25 that the next one costs.
    expect(room.valueSizeMaxBytes).toBe(985);
    expect([room.isWastedBy(985), room.isWastedBy(986), room.isWastedBy(4000)]).toEqual([
      false,
      true,
      false,
    ]);
    room.take(985);
    expect(room.valueSizeMaxBytes).toBe(2011);
  });

  test('is that of a new page when nothing is known about the last', () => {
    const room = new LeafRoom();
    room.take(3000);
    room.take(1500);
    room.forget();
    expect(room.valueSizeMaxBytes).toBe(2011);
    room.take(1011);
    expect(room.valueSizeMaxBytes).toBe(2011);
  });
});
