import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeBlock,
  decodeBlocks,
  encodeBlock,
  readBlockHeader,
} from '../../../src/backends/codec/block-codec.ts';
import { type Block, concatBlocks, rawBlock, sliceBlock } from '../../../src/model/block.ts';
import { blocks, expectSameBlock, floatBlocks, SPECIAL_VALUES } from './block-arbitraries.ts';

function roundTrip(block: Block): Block {
  return decodeBlock(encodeBlock(block), 'test');
}

function regularBlock(values: Float64Array): Block {
  return rawBlock(
    values.map((_, row) => 1.7e12 + row * 10_000),
    values,
  );
}

/** Deterministic uniform numbers in [0, 1). */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 2 ** 31;
  };
}

describe('round trip', () => {
  test('any block comes back by bits', () => {
    fc.assert(
      fc.property(blocks, (block) => expectSameBlock(roundTrip(block), block)),
      { numRuns: 600 },
    );
  });

  test('a range of rows comes back as the slice of the block', () => {
    fc.assert(
      fc.property(blocks, fc.nat(), fc.nat(), (block, a, b) => {
        const from = a % block.timestamps.length;
        const to = from + 1 + (b % (block.timestamps.length - from));
        const decoded = decodeBlock(encodeBlock(block, from, to), 'test');
        expectSameBlock(decoded, sliceBlock(block, from, to));
      }),
    );
  });

  test.each(SPECIAL_VALUES.map((value) => [Object.is(value, -0) ? '-0' : String(value), value]))(
    'the special value %s comes back alone, among itself, and in each place of a decimal series',
    (_, special) => {
      const value = special as number;
      expectSameBlock(
        roundTrip(regularBlock(Float64Array.of(value))),
        regularBlock(Float64Array.of(value)),
      );
      const constant = regularBlock(new Float64Array(70).fill(value));
      expectSameBlock(roundTrip(constant), constant);
      for (let place = 0; place < 70; place++) {
        const values = Float64Array.from({ length: 70 }, (_value, row) => (row * 7 + 1) / 100);
        values[place] = value;
        expectSameBlock(roundTrip(regularBlock(values)), regularBlock(values));
      }
    },
  );

  test('integers of every width from 0 to 53 bits come back', () => {
    for (let width = 0; width <= 53; width++) {
      const max = 2 ** width - 1;
      for (const rowCount of [2, 31, 64, 65, 100]) {
        const next = uniform(width * 100 + rowCount);
        const values = Float64Array.from({ length: rowCount }, (_, row) =>
          row === 0 ? 0 : row === 1 ? max : Math.floor(next() * max),
        );
        expectSameBlock(roundTrip(regularBlock(values)), regularBlock(values));
      }
    }
  });

  test('a counter that crosses 2^53 comes back', () => {
    const values = Float64Array.from({ length: 100 }, (_, row) => 2 ** 53 - 100 + 2 * row);
    expectSameBlock(roundTrip(regularBlock(values)), regularBlock(values));
  });

  test('integers that leap from one end of the safe ones to the other come back', () => {
    const end = Number.MAX_SAFE_INTEGER;
    for (const rowCount of [2, 64, 65, 128, 130]) {
      const leap = Float64Array.from({ length: rowCount }, (_, row) =>
        row < Math.min(64, rowCount / 2) ? (row % 3) - end : end - 1 - (row % 3),
      );
      expectSameBlock(roundTrip(regularBlock(leap)), regularBlock(leap));
      const alternating = leap.map((_, row) => (row % 2 === 0 ? -end : end - 1));
      expectSameBlock(roundTrip(regularBlock(alternating)), regularBlock(alternating));
    }
  });

  test('timestamps from one end of the range to the other come back', () => {
    const timestamps = Float64Array.of(-8.64e15, -8.64e15, -1, 0, 8.64e15 - 1, 8.64e15);
    const block = rawBlock(timestamps, new Float64Array(6));
    expectSameBlock(roundTrip(block), block);
    const ends = rawBlock(Float64Array.of(-8.64e15, 8.64e15), new Float64Array(2));
    expectSameBlock(roundTrip(ends), ends);
  });

  test('a column named __proto__ is a column like any other', () => {
    const columns = Object.fromEntries([['__proto__', Float64Array.of(1, 2)]]);
    const decoded = roundTrip({ timestamps: Float64Array.of(1, 2), columns });
    expect(Object.keys(decoded.columns)).toEqual(['__proto__']);
  });

  test('the result has exact size and shares no memory with the next one', () => {
    const first = encodeBlock(regularBlock(Float64Array.of(1.5, 2.5, 9)));
    const copy = Uint8Array.from(first);
    encodeBlock(regularBlock(Float64Array.of(3.25, 1, 4)));
    expect(first).toEqual(copy);
    expect(first.byteLength).toBe(first.buffer.byteLength);
  });

  test('a stored block may lie at any offset of a larger buffer', () => {
    const block = regularBlock(Float64Array.of(0.1, 1 / 3, 5));
    const bytes = encodeBlock(block);
    const buffer = new Uint8Array(bytes.length + 20).fill(0xff);
    buffer.set(bytes, 7);
    expectSameBlock(decodeBlock(buffer.subarray(7, 7 + bytes.length), 'test'), block);
  });

  test('no rows, rows outside, unequal columns and descending timestamps are refused', () => {
    const block = regularBlock(Float64Array.of(1, 2, 3));
    const broken = { name: 'AssertionFailed' };
    expect(() => encodeBlock(block, 1, 1)).toThrow(expect.objectContaining(broken));
    expect(() => encodeBlock(block, 2, 4)).toThrow(expect.objectContaining(broken));
    const large = rawBlock(new Float64Array(2 ** 20 + 1), new Float64Array(2 ** 20 + 1));
    expect(() => encodeBlock(large)).toThrow(expect.objectContaining(broken));
    expect(readBlockHeader(encodeBlock(large, 1), 'test').rowCount).toBe(2 ** 20);
    for (const timestamps of [
      [3, 2, 1],
      [1, 2.5, 3],
      [1, Number.NaN, 3],
      [0, 8.64e15, 8.64e15 + 2],
      [1, 2],
    ]) {
      const bad = { timestamps: Float64Array.from(timestamps), columns: block.columns };
      expect(() => encodeBlock(bad)).toThrow(expect.objectContaining(broken));
    }
  });
});

describe('header', () => {
  test('says row count, first and last timestamp and the names in order', () => {
    const block = {
      timestamps: Float64Array.of(-5, 7, 7),
      columns: { sum: new Float64Array(3), f: ['a', null, {}] },
    };
    expect(readBlockHeader(encodeBlock(block), 'test')).toEqual({
      rowCount: 3,
      firstMs: -5,
      lastMs: 7,
      columnNames: ['sum', 'f'],
    });
  });
});

describe('projection', () => {
  test('only the asked columns are decoded, and the ones that are not there are left out', () => {
    const names = fc.subarray(['v', 'm', 'sum', 'größe', '', 'other']);
    fc.assert(
      fc.property(blocks, names, (block, asked) => {
        const columns = Object.fromEntries(
          Object.entries(block.columns).filter(([name]) => asked.includes(name)),
        );
        const decoded = decodeBlock(encodeBlock(block), 'test', asked);
        expectSameBlock(decoded, { timestamps: block.timestamps, columns });
      }),
      { numRuns: 200 },
    );
  });
});

describe('decodeBlocks()', () => {
  const asked = fc.option(fc.subarray(['v', 'm', 'sum', 'other']), { nil: undefined });

  test.each([
    ['any', blocks],
    ['Float64', floatBlocks],
  ])('of %s blocks equals the concatenation of each decoded block', (_, arbitrary) => {
    fc.assert(
      fc.property(fc.array(arbitrary, { maxLength: 5 }), asked, (list, names) => {
        const parts = list.map((block) => encodeBlock(block));
        const separate = parts.map((bytes) => decodeBlock(bytes, 'test', names));
        expectSameBlock(decodeBlocks(parts, String, names), concatBlocks(separate));
      }),
      { numRuns: 200 },
    );
  });

  test('a column that parts at the start, in the middle and at the end lack is null there', () => {
    const at = (ms: number, columns: Block['columns']): Uint8Array =>
      encodeBlock({ timestamps: Float64Array.of(ms), columns });
    const parts = [
      at(1, {}),
      at(2, { v: Float64Array.of(2) }),
      at(3, { m: Float64Array.of(9) }),
      at(4, { v: Float64Array.of(4) }),
      at(5, {}),
    ];
    expect(decodeBlocks(parts, String).columns).toEqual({
      v: Float64Array.of(Number.NaN, 2, Number.NaN, 4, Number.NaN),
      m: Float64Array.of(Number.NaN, Number.NaN, 9, Number.NaN, Number.NaN),
    });
  });

  test('a part that does not decode is named by its index', () => {
    const good = encodeBlock(regularBlock(Float64Array.of(1, 2)));
    const bad = good.slice(0, -1);
    expect(() => decodeBlocks([good, bad], (index) => `part ${index}`)).toThrow(
      expect.objectContaining({
        code: 'BLOCK_CORRUPT',
        message: expect.stringContaining('part 1:'),
      }),
    );
  });
});

describe('size', () => {
  function sizeBytesOf(value: (row: number) => number): number {
    const block = regularBlock(Float64Array.from({ length: 512 }, (_, row) => value(row)));
    expectSameBlock(roundTrip(block), block);
    return encodeBlock(block).length;
  }

  test('a two-decimal random walk with a regular step takes at most 1.1 bytes a point', () => {
    const next = uniform(1);
    let cents = 5000;
    const sizeBytes = sizeBytesOf(() => {
      cents += Math.round((next() - 0.5) * 200);
      return cents / 100;
    });
    expect(sizeBytes).toBeLessThanOrEqual(1.1 * 512);
  });

  test('a constant series takes at most 40 bytes', () => {
    expect(sizeBytesOf(() => 230.5)).toBeLessThanOrEqual(40);
    expect(sizeBytesOf(() => 1 / 3)).toBeLessThanOrEqual(40);
    expect(sizeBytesOf(() => Number.NaN)).toBeLessThanOrEqual(40);
  });

  test('a mostly constant series takes at most a quarter of a byte a point', () => {
    expect(sizeBytesOf((row) => (row % 200 === 0 ? 43 : 42))).toBeLessThanOrEqual(128);
  });

  test('a large counter with increases under 2^16 takes at most 2.2 bytes a point', () => {
    const next = uniform(2);
    let counter = 2 ** 50;
    const sizeBytes = sizeBytesOf(() => {
      counter += Math.floor(next() * 65536);
      return counter;
    });
    expect(sizeBytes).toBeLessThanOrEqual(2.2 * 512);
  });

  test('rare large values among small ones take at most 1.5 bytes a point', () => {
    const next = uniform(3);
    const sizeBytes = sizeBytesOf(() =>
      next() < 0.05 ? Math.floor(next() * 1e9) : Math.floor(next() * 3),
    );
    expect(sizeBytes).toBeLessThanOrEqual(1.5 * 512);
  });

  test('twelve columns of which eight are constant cost those eight under eight bytes each', () => {
    const rowCount = 60;
    const timestamps = Float64Array.from({ length: rowCount }, (_, row) => row * 60_000);
    const varying = Object.fromEntries(
      ['c', 's', 'l', 'u'].map((name) => [name, timestamps.map((ms) => (ms / 7) % 1)]),
    );
    const constant = Object.fromEntries(
      [...'abdefghi'].map((name, index) => [name, new Float64Array(rowCount).fill(index * 100)]),
    );
    const without = encodeBlock({ timestamps, columns: varying }).length;
    const sizeBytes = encodeBlock({ timestamps, columns: { ...varying, ...constant } }).length;
    expect(sizeBytes - without).toBeLessThan(8 * 8);
  });
});
