import { describe, expect, test } from '@jest/globals';
import { TailRows } from '../../../src/backends/embedded/tail-rows.ts';
import type { Block } from '../../../src/model/block.ts';

function buckets(from: number, to: number): Block {
  const rows = Array.from({ length: to - from }, (_, i) => from + i);
  return {
    timestamps: Float64Array.from(rows, (row) => row * 60_000),
    columns: {
      c: new Float64Array(rows.length).fill(6),
      l: Float64Array.from(rows, (row) => -row),
      u: Float64Array.from(rows, (row) => (row === 3 ? Number.NaN : row / 8)),
      z: new Float64Array(rows.length).fill(-0),
    },
  };
}

describe('the rows of a tail', () => {
  test('that came together are given back, whole, in part, and by column', () => {
    const tail = new TailRows();
    const given = buckets(0, 10);
    tail.append(given);
    const wanted = buckets(0, 10);
    (given.columns['l'] as Float64Array).fill(0);
    expect([tail.rowCount, tail.firstMs, tail.lastMs]).toEqual([10, 0, 540_000]);
    expect(tail.block()).toStrictEqual(wanted);
    const range = { startMs: 60_001, endMs: 300_001 };
    expect(tail.block({ range })).toStrictEqual(buckets(2, 6));
    const { timestamps, columns } = buckets(2, 6);
    const { c, u } = columns;
    expect(tail.block({ range, names: ['u', 'c', 'none'] })).toStrictEqual({
      timestamps,
      columns: { c, u },
    });
    const none = { startMs: 1, endMs: 2 };
    expect(tail.block({ range: none }).timestamps).toHaveLength(0);
  });

  test.each([1, 4, 9])('are the same when %i of them came first', (first) => {
    const tail = new TailRows();
    tail.append(buckets(0, first));
    const before = tail.block();
    tail.append(buckets(first, 9));
    tail.append(buckets(9, 12));
    expect(tail.block()).toStrictEqual(buckets(0, 12));
    expect(before).toStrictEqual(buckets(0, first));
  });

  test('take single values after a block, and text after numbers', () => {
    const tail = new TailRows();
    tail.append({ timestamps: Float64Array.of(1, 2), columns: { v: Float64Array.of(5, 5) } });
    tail.push(3, 6);
    expect(tail.block().columns['v']).toStrictEqual(Float64Array.of(5, 5, 6));
    tail.append({ timestamps: Float64Array.of(4), columns: { v: ['seven'] } });
    expect(tail.block().columns['v']).toEqual([5, 5, 6, 'seven']);
    expect([tail.rowCount, tail.firstMs, tail.lastMs]).toEqual([4, 1, 4]);
  });
});
