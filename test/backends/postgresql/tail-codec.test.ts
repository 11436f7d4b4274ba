import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeTail,
  encodeEntries,
  encodeNumberEntries,
} from '../../../src/backends/postgresql/tail-codec.ts';
import { type Block, concatBlocks, rawBlock } from '../../../src/model/block.ts';

const WHERE = 'the tail';
const rows: fc.Arbitrary<Block> = fc
  .tuple(
    fc.array(fc.integer({ min: -8.64e15, max: 8.64e15 }), { minLength: 1, maxLength: 20 }),
    fc.boolean(),
    fc.infiniteStream(fc.double()),
  )
  .map(([times, isText, numbers]) => {
    const values = times.map(() => numbers.next().value as number);
    const timestamps = Float64Array.from(times).sort();
    return rawBlock(timestamps, isText ? values.map(String) : Float64Array.from(values));
  });

function listOf({ timestamps, columns }: Block): readonly unknown[] {
  return Array.from(timestamps, (t, row) => {
    const value = columns['v']![row];
    return [t, Number.isNaN(value) ? null : value];
  });
}

describe('a tail', () => {
  test('gives back the rows of all of its entries', () => {
    fc.assert(
      fc.property(fc.array(rows, { maxLength: 5 }), (blocks) => {
        const tail = Buffer.concat(blocks.map(encodeEntries));
        expect(listOf(decodeTail(tail, WHERE))).toEqual(listOf(concatBlocks(blocks)));
      }),
    );
  });

  test('takes the entries of a tick one by one', () => {
    const values = Float64Array.of(1.5, Number.NaN, -0);
    const { bytes, size } = encodeNumberEntries(-1, values);
    for (const [i, value] of values.entries()) {
      const entry = decodeTail(bytes.subarray(i * size, (i + 1) * size), WHERE);
      expect(entry.timestamps).toEqual(Float64Array.of(-1));
      expect(Object.is((entry.columns['v'] as Float64Array)[0], value)).toBe(true);
    }
  });

  test('that is damaged is told from one that is not', () => {
    const tail = Buffer.concat([
      encodeEntries(rawBlock(Float64Array.of(1, 2), Float64Array.of(1, 2))),
      encodeEntries(rawBlock(Float64Array.of(3), ['text'])),
    ]);
    const broken: Buffer[] = [Buffer.of(7), Buffer.concat([tail, Buffer.of(0)])];
    for (let size = 1; size < tail.length; size++) {
      if (size % 17 !== 0 || size > 34) broken.push(tail.subarray(0, size));
    }
    const flipped = Buffer.from(tail);
    flipped[flipped.length - 1]! ^= 1;
    for (const bytes of [...broken, flipped]) {
      let code: unknown = null;
      try {
        decodeTail(bytes, WHERE);
      } catch (error) {
        ({ code } = error as { code?: unknown });
      }
      expect(code).toBe('BLOCK_CORRUPT');
    }
  });
});
