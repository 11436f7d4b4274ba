import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeBlock,
  decodeBlocks,
  encodeBlock,
  encodeDraft,
  isDraft,
  readBlockHeader,
} from '../../../src/backends/codec/block-codec.ts';
import { type Block, concatBlocks, rawBlock, sliceBlock } from '../../../src/model/block.ts';
import {
  blocks,
  expectSameBlock,
  floatBlocks,
  SPECIAL_VALUES,
  values as valuesOf,
} from './block-arbitraries.ts';

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

  // Two bit streams from 512 residuals on, estimated sizes from 1,024 on.
  test.each([512, 513, 514, 1023, 1500])('%d rows of any kind come back by bits', (rowCount) => {
    for (const series of fc.sample(valuesOf(rowCount), 60)) {
      const block = regularBlock(Float64Array.from(series));
      // Without a matcher, which would print everything.
      const { v } = roundTrip(block).columns;
      const failed = series.findIndex((value, row) => !Object.is(value, (v as Float64Array)[row]));
      expect({ failed, value: series[failed] }).toEqual({ failed: -1, value: undefined });
    }
  });

  test.each([
    ['are jittered', (row: number) => row * 10_000 + ((row * 7919) % 400)],
    ['have gaps', (row: number) => row * 1000 + Math.floor(row / 100) * 86_400_000],
    ['come in threes', (row: number) => Math.floor(row / 3) * 60_000],
    ['are seconds of no regularity', (row: number) => (row * 10 + ((row * 7919) % 9)) * 1000],
    ['are days before 1970', (row: number) => (row - 900) * 86_400_000],
  ])('timestamps that %s come back', (_, timestampMs) => {
    const timestamps = Float64Array.from({ length: 700 }, (_ms, row) => timestampMs(row));
    const block = rawBlock(timestamps, new Float64Array(700));
    expectSameBlock(roundTrip(block), block);
  });

  test('nulls come back, single, in runs and in no order', () => {
    for (const isNull of [
      (row: number) => row === 300,
      (row: number) => row < 200,
      (row: number) => row > 20 && row % 400 < 390,
      (row: number) => (row * 7919) % 13 < 5,
    ]) {
      const values = Float64Array.from({ length: 900 }, (_, row) =>
        isNull(row) ? Number.NaN : ((row * 31) % 500) / 10,
      );
      expectSameBlock(roundTrip(regularBlock(values)), regularBlock(values));
    }
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

  test.each([Number.NaN, -0, 1 / 3, Number.POSITIVE_INFINITY, 0.1 + 0.2, 2 ** 60])(
    'a single %p at the rim of a stretch of a long gauge comes back',
    (value) => {
      for (const place of [0, 1, 511, 512, 513, 1023, 1299]) {
        const next = uniform(place);
        const values = Float64Array.from(
          { length: 1300 },
          (_, row) => Math.round(2000 + 40 * Math.sin(row / 90) + 25 * next()) / 100,
        );
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

describe('columns that follow from others', () => {
  const next = uniform(7);
  const gauge = Float64Array.from({ length: 400 }, () => Math.round(next() * 9000) / 100);
  const timestamps = gauge.map((_, row) => 1.7e12 + row * 1000);
  const squares = gauge.map((value) => value * value);
  const sizeOf = (columns: Block['columns']): number => {
    const block = { timestamps, columns };
    expectSameBlock(roundTrip(block), block);
    return encodeBlock(block).length;
  };

  test('buckets of single datapoints take little more than the datapoints', () => {
    const states = { s: gauge, l: gauge.slice(), u: gauge.slice(), q: squares, mu: gauge.slice() };
    expect(sizeOf(states)).toBeLessThanOrEqual(sizeOf({ s: gauge }) + 12);
  });

  test('one row that differs gives a column bytes of its own', () => {
    const other = gauge.with(399, gauge[399]! + 0.01);
    expect(sizeOf({ s: gauge, l: other })).toBeGreaterThan(sizeOf({ s: gauge }) * 1.8);
    expect(sizeOf({ s: gauge, q: squares.with(0, -0) })).toBeGreaterThan(sizeOf({ s: gauge }) * 2);
  });

  test('a zero is told from a negative one', () => {
    const zeros = gauge.with(5, 0);
    const negative = gauge.with(5, -0);
    sizeOf({ s: zeros, l: negative, u: zeros.slice(), q: negative.map((value) => value * value) });
  });

  test('those that were asked for come without the ones that they follow from', () => {
    const bytes = encodeBlock({ timestamps, columns: { s: gauge, l: gauge.slice(), q: squares } });
    const { columns } = decodeBlock(bytes, 'test', ['l', 'q']);
    expect(columns).toEqual({ l: gauge, q: squares });
    expect(decodeBlocks([bytes, bytes], String, ['q']).columns).toEqual({
      q: Float64Array.of(...squares, ...squares),
    });
  });
});

describe('draft', () => {
  test('any block comes back from one by bits', () => {
    fc.assert(
      fc.property(blocks, (block) => {
        const draft = encodeDraft(block, 0, block.timestamps.length);
        expectSameBlock(decodeBlock(draft, 'test'), block);
      }),
      { numRuns: 300 },
    );
  });

  test('integers that leap from one end of the safe ones to the other come back from one', () => {
    const values = Float64Array.from(
      { length: 700 },
      (_, row) => (row % 2 === 0 ? 1 : -1) * (Number.MAX_SAFE_INTEGER - row),
    );
    const draft = encodeDraft(regularBlock(values), 0, 700);
    expectSameBlock(decodeBlock(draft, 'test'), regularBlock(values));
  });

  test('is told from a block of the same rows, which takes fewer bytes', () => {
    const next = uniform(3);
    let cents = 5000;
    const values = Float64Array.from({ length: 2000 }, () => {
      cents += Math.round((next() + next() + next() + next() - 2) * 100);
      return cents / 100;
    });
    const draft = encodeDraft(regularBlock(values), 0, 2000);
    const block = encodeBlock(regularBlock(values));
    expect([isDraft(draft, 'test'), isDraft(block, 'test')]).toEqual([true, false]);
    expect(block.length).toBeLessThan(draft.length);
    expect(draft.length).toBeLessThan(block.length * 1.3);
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
    const names = fc.subarray(['v', 'c', 's', 'm', 'sum', 'größe', '', 'other']);
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

  /** About normal, mean 0, standard deviation 1. */
  function normal(next: () => number): () => number {
    return () => (next() + next() + next() + next() - 2) * Math.sqrt(3);
  }

  test('a two-decimal random walk with a regular step takes at most 1.05 bytes a point', () => {
    const next = uniform(1);
    let cents = 5000;
    const sizeBytes = sizeBytesOf(() => {
      cents += Math.round((next() - 0.5) * 200);
      return cents / 100;
    });
    expect(sizeBytes).toBeLessThanOrEqual(1.05 * 512);
  });

  test('4,096 rows of a noisy two-decimal gauge take at most 0.93 bytes each', () => {
    const next = normal(uniform(4));
    let level = 50;
    const values = Float64Array.from({ length: 4096 }, () => {
      level += 0.15 * next();
      return Math.round((level + 0.25 * next()) * 100) / 100;
    });
    expectSameBlock(roundTrip(regularBlock(values)), regularBlock(values));
    expect(encodeBlock(regularBlock(values)).length).toBeLessThanOrEqual(0.93 * 4096);
  });

  test('a constant series takes at most 30 bytes', () => {
    expect(sizeBytesOf(() => 230.5)).toBeLessThanOrEqual(24);
    expect(sizeBytesOf(() => 1 / 3)).toBeLessThanOrEqual(30);
    expect(sizeBytesOf(() => Number.NaN)).toBeLessThanOrEqual(20);
  });

  test('a line takes at most 30 bytes', () => {
    expect(sizeBytesOf((row) => 7 + row * 1300)).toBeLessThanOrEqual(30);
  });

  test('a mostly constant series takes at most a tenth of a byte a point', () => {
    expect(sizeBytesOf((row) => (row % 200 === 0 ? 43 : 42))).toBeLessThanOrEqual(51);
  });

  test('a large counter with increases under 2^16 takes at most 2.1 bytes a point', () => {
    const next = uniform(2);
    let counter = 2 ** 50;
    const sizeBytes = sizeBytesOf(() => {
      counter += Math.floor(next() * 65536);
      return counter;
    });
    expect(sizeBytes).toBeLessThanOrEqual(2.1 * 512);
  });

  test('rare large values among small ones take at most 0.75 bytes a point', () => {
    const next = uniform(3);
    const sizeBytes = sizeBytesOf(() =>
      next() < 0.05 ? Math.floor(next() * 1e9) : Math.floor(next() * 3),
    );
    expect(sizeBytes).toBeLessThanOrEqual(0.75 * 512);
  });

  test('sums of decimals take half a byte a point more than the decimals', () => {
    const next = uniform(5);
    const sums = Array.from({ length: 512 }, () => {
      let sum = 0;
      for (let addend = 0; addend < 6; addend++) sum += Math.round(next() * 1000) / 100;
      return sum;
    });
    const isRounded = sums.every((sum) => sum === Math.round(sum * 100) / 100);
    expect(isRounded).toBe(false);
    const rounded = sizeBytesOf((row) => Math.round(sums[row]! * 100) / 100);
    expect(sizeBytesOf((row) => sums[row]!)).toBeLessThanOrEqual(rounded + 0.5 * 512);
  });

  test('a few doubles of 17 digits among decimals cost about themselves', () => {
    const decimal = (row: number): number => ((row * row * 37) % 191) / 100;
    const sizeBytes = sizeBytesOf((row) => (row % 128 === 77 ? Math.sqrt(row) : decimal(row)));
    expect(sizeBytes).toBeLessThanOrEqual(sizeBytesOf(decimal) + 4 * 12);
  });

  test('a few distinct doubles cost their indexes', () => {
    const sizeBytes = sizeBytesOf((row) => Math.sqrt((2 + ((row * row * 37) % 191) / 48) | 0));
    expect(sizeBytes).toBeLessThanOrEqual(0.3 * 512 + 50);
  });

  test('doubles of 17 digits take less than 7 bytes, those of single precision less than 4', () => {
    const next = uniform(6);
    expect(sizeBytesOf(() => next() * 100 + next() / 1e9)).toBeLessThanOrEqual(7 * 512);
    expect(sizeBytesOf(() => Math.fround(next() * 100))).toBeLessThanOrEqual(4 * 512);
  });

  test('jitter of the timestamps costs its bits', () => {
    const next = uniform(7);
    const timestamps = Float64Array.from(
      { length: 512 },
      (_, row) => 1.7e12 + row * 10_000 + Math.floor(next() * 64),
    );
    expect(encodeBlock(rawBlock(timestamps, new Float64Array(512))).length).toBeLessThanOrEqual(
      0.95 * 512,
    );
  });

  describe('of bucket states', () => {
    const rowCount = 36;
    const minutes = Float64Array.from({ length: rowCount }, (_, row) => 1.7e12 + row * 60_000);
    const next = uniform(8);
    const real = Object.fromEntries(
      ['s', 'l', 'u'].map((name) => [
        name,
        minutes.map(() => 2000 + Math.round(next() * 300) / 100),
      ]),
    );
    const constant = { c: 6, ts: 150_000, ta: 0, tz: 50_000, ic: 5, il: 10, iu: 10, iq: 500 };
    const order = ['c', 's', 'l', 'u', 'ts', 'ta', 'tz', 'ic', 'il', 'iu', 'iq'];
    const states = Object.fromEntries(
      order.map((name) => [
        name,
        real[name] ?? new Float64Array(rowCount).fill(constant[name as keyof typeof constant]),
      ]),
    );

    test('one row of eleven columns takes at most 60 bytes', () => {
      const block = { timestamps: minutes, columns: states };
      expect(encodeBlock(block, 0, 1).length).toBeLessThanOrEqual(60);
    });

    test('eight constant columns cost at most three and a half bytes each', () => {
      const three = encodeBlock({ timestamps: minutes, columns: real }).length;
      const eleven = encodeBlock({ timestamps: minutes, columns: states }).length;
      expect(eleven - three).toBeLessThanOrEqual(28);
      expectSameBlock(roundTrip({ timestamps: minutes, columns: states }), {
        timestamps: minutes,
        columns: states,
      });
    });
  });
});
