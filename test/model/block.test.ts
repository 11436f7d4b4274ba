import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import {
  type Block,
  type Column,
  concatBlocks,
  cutBlock,
  EMPTY_BLOCK,
  insertRows,
  lowerBound,
  rawBlock,
  replaceRows,
  sliceBlock,
  upperBound,
} from '../../src/model/block.ts';

/** One row as a plain object: what a block is, without columns. */
type Row = Readonly<Record<string, unknown>> & { readonly t: number };

/** The names of all columns come along, as a row of a missing column is null. */
function rowsOf(
  block: Block,
  names: Iterable<string> = Object.keys(block.columns),
): readonly Row[] {
  return Array.from(block.timestamps, (t, row) => {
    const cells = Array.from(names, (name) => {
      const cell = block.columns[name]?.[row] ?? null;
      return [name, Number.isNaN(cell) ? null : cell];
    });
    return { ...Object.fromEntries(cells), t };
  });
}

function namesOf(...blocks: readonly Block[]): Set<string> {
  return new Set(
    blocks
      .filter(({ timestamps }) => timestamps.length > 0)
      .flatMap(({ columns }) => Object.keys(columns)),
  );
}

function columnArbitrary(rowCount: number): fc.Arbitrary<Column> {
  const options = { minLength: rowCount, maxLength: rowCount };
  const json = fc.constantFrom(null, 'x', 1.5, [1], { a: 1 });
  return fc.oneof(
    fc
      .array(fc.option(fc.integer(), { nil: Number.NaN }), options)
      .map((values): Column => Float64Array.from(values)),
    fc.array(json, options).map((values): Column => values),
  );
}

/**
 * Few distinct timestamps, so that many are equal; columns of both kinds, not always all of them. Rows
 * are numbered, those of `lateBlocks` apart, so that rows of one timestamp can be told apart.
 */
const blocks = blockArbitrary(0);
const lateBlocks = blockArbitrary(100);

function blockArbitrary(firstSerial: number): fc.Arbitrary<Block> {
  return fc.array(fc.integer({ min: -6, max: 6 }), { maxLength: 10 }).chain((times) => {
    const timestamps = Float64Array.from(times).sort();
    const column = columnArbitrary(times.length);
    return fc
      .record({ v: column, c: column, s: column }, { requiredKeys: ['v'] })
      .map((columns) => ({
        timestamps,
        columns: { ...columns, serial: Float64Array.from(times, (_, row) => firstSerial + row) },
      }));
  });
}

const bounds = fc.integer({ min: -8, max: 8 });

describe('blocks', () => {
  test('are searched for the first timestamp at or after, and after, an instant', () => {
    fc.assert(
      fc.property(blocks, bounds, ({ timestamps }, instantMs) => {
        const times = [...timestamps];
        expect(lowerBound(timestamps, instantMs)).toBe(times.filter((t) => t < instantMs).length);
        expect(upperBound(timestamps, instantMs)).toBe(times.filter((t) => t <= instantMs).length);
      }),
    );
  });

  test('are sliced as arrays are, and share memory', () => {
    fc.assert(
      fc.property(blocks, fc.nat({ max: 10 }), fc.nat({ max: 10 }), (block, a, b) => {
        const rowCount = block.timestamps.length;
        const from = Math.min(a, b, rowCount);
        const to = Math.min(Math.max(a, b), rowCount);
        const slice = sliceBlock(block, from, to);
        expect(rowsOf(slice)).toEqual(rowsOf(block).slice(from, to));
        expect(slice.timestamps.buffer).toBe(block.timestamps.buffer);
      }),
    );
  });

  test('are cut to the rows of a half-open range', () => {
    fc.assert(
      fc.property(blocks, bounds, bounds, (block, a, b) => {
        const range = { startMs: Math.min(a, b), endMs: Math.max(a, b) };
        expect(rowsOf(cutBlock(block, range))).toEqual(
          rowsOf(block).filter(({ t }) => t >= range.startMs && t < range.endMs),
        );
      }),
    );
  });

  test('are put one after the other, with nulls where a block lacks a column', () => {
    fc.assert(
      fc.property(fc.array(blocks, { maxLength: 5 }), (list) => {
        const names = namesOf(...list);
        const whole = concatBlocks(list);
        expect(rowsOf(whole, names)).toEqual(list.flatMap((block) => rowsOf(block, names)));
        expect(namesOf(whole)).toEqual(names);
        for (const column of Object.values(whole.columns)) {
          expect(column).toHaveLength(whole.timestamps.length);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('take late rows after all rows of the same timestamp, in their own order', () => {
    fc.assert(
      fc.property(blocks, lateBlocks, (block, late) => {
        const names = namesOf(block, late);
        expect(rowsOf(insertRows(block, late), names)).toEqual(
          [...rowsOf(block, names), ...rowsOf(late, names)].toSorted((a, b) => a.t - b.t),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('give the rows of a range up for others', () => {
    fc.assert(
      fc.property(blocks, lateBlocks, bounds, bounds, (block, other, a, b) => {
        const range = { startMs: Math.min(a, b), endMs: Math.max(a, b) };
        const rows = cutBlock(other, range);
        const names = namesOf(block, rows);
        expect(rowsOf(replaceRows(block, range, rows), names)).toEqual([
          ...rowsOf(block, names).filter(({ t }) => t < range.startMs),
          ...rowsOf(rows, names),
          ...rowsOf(block, names).filter(({ t }) => t >= range.endMs),
        ]);
      }),
      { numRuns: 500 },
    );
  });

  test('never change when others are made of them', () => {
    fc.assert(
      fc.property(blocks, lateBlocks, (block, other) => {
        const before = rowsOf(block);
        insertRows(block, other);
        insertRows(other, block);
        concatBlocks([block, other]);
        replaceRows(block, { startMs: -2, endMs: 2 }, cutBlock(other, { startMs: -2, endMs: 2 }));
        expect(rowsOf(block)).toEqual(before);
      }),
    );
  });
});

describe('columns of blocks put together', () => {
  const floats = rawBlock(Float64Array.of(1, 2), Float64Array.of(5, Number.NaN));

  test('stay floats where all are floats', () => {
    expect(concatBlocks([floats, floats]).columns).toEqual({
      v: Float64Array.of(5, Number.NaN, 5, Number.NaN),
    });
  });

  test('stay floats, with NaN for null, where a block lacks the column', () => {
    const other: Block = { timestamps: Float64Array.of(3), columns: { c: Float64Array.of(9) } };
    expect(concatBlocks([floats, other]).columns).toEqual({
      v: Float64Array.of(5, Number.NaN, Number.NaN),
      c: Float64Array.of(Number.NaN, Number.NaN, 9),
    });
  });

  test('become JSON values, with null for NaN, where one of them is', () => {
    const json = rawBlock(Float64Array.of(3, 4), ['x', null]);
    expect(concatBlocks([floats, json]).columns).toEqual({ v: [5, null, 'x', null] });
  });

  test('do not let an empty block of JSON values change their kind', () => {
    expect(concatBlocks([rawBlock(new Float64Array(0), []), floats])).toBe(floats);
    expect(concatBlocks([EMPTY_BLOCK, EMPTY_BLOCK])).toBe(EMPTY_BLOCK);
  });

  test('must be as long as the timestamps', () => {
    expect(() => rawBlock(Float64Array.of(1), [])).toThrow(
      expect.objectContaining({ name: 'AssertionFailed' }),
    );
  });
});
