import { describe, expect, test } from '@jest/globals';
import { EMPTY_BLOCK } from '../../src/model/block.ts';
import { Granularity } from '../../src/model/granularity.ts';
import { blockOf, finishOne, finishRow, foldRaw, schemaOf, secondly } from './support.ts';

const TENS = Granularity.Seconds10;

describe('LevelSchema', () => {
  test('stores the components of the downsamplers and all components of time', () => {
    const time = ['ts', 'ta', 'tz', 'ic', 'il', 'iu', 'iq'];
    expect(schemaOf(['count']).columns).toEqual(['c', ...time]);
    expect(schemaOf(['mean', 'min']).columns).toEqual(['c', 's', 'l', ...time]);
    expect(schemaOf(['std_dev']).columns).toEqual(['c', 's', 'q', 'mu', 'm2', ...time]);
    expect(schemaOf(['std_dev'], { highAccuracy: true }).columns).toEqual(['c', 's', 'q', ...time]);
    expect(schemaOf(['most_often', 'frequencies'], { valueType: 'nominal' }).columns).toEqual([
      'c',
      'f',
      ...time,
    ]);
  });

  test('says which columns hold JSON', () => {
    const plain = schemaOf();
    expect(plain.columns.filter((name) => plain.isJson(name))).toEqual(['n', 'h']);
    const decimal = schemaOf(undefined, { highAccuracy: true });
    expect(decimal.columns.filter((name) => decimal.isJson(name))).toEqual([
      's',
      'l',
      'u',
      'q',
      'n',
      'a',
      'z',
      'h',
    ]);
    const nominal = schemaOf(undefined, { valueType: 'nominal' });
    expect(nominal.columns.filter((name) => nominal.isJson(name))).toEqual(['f', 'a', 'z', 'h']);
  });

  test('is empty without value downsamplers', () => {
    expect(schemaOf([]).isEmpty).toBe(true);
    expect(schemaOf([]).columns).toEqual([]);
    expect(schemaOf(['count']).isEmpty).toBe(false);
  });
});

describe('LevelSelection', () => {
  test('gives 1.4142135623730951 as the deviation of 1, 2, 3, 4, 5', () => {
    const { v, t } = finishOne(schemaOf(), TENS, secondly([1, 2, 3, 4, 5]));
    expect(v).toEqual({
      ...{ m: 3, s: 15, l: 1, u: 5, q: 55, d: Math.SQRT2, c: 5, n: 3 },
      ...{ a: 1, z: 5, g: 4, v: 2, k: 1, h: 5 },
    });
    expect(t).toEqual({
      m: new Date(2000),
      a: new Date(0),
      z: new Date(4000),
      i: 1,
      l: 1,
      u: 1,
      q: 4,
      d: 0,
    });
  });

  test('gives deviation 0 and no interval statistics for a single value', () => {
    const { v, t } = finishOne(schemaOf(), TENS, secondly([7], -7000));
    expect(v['d']).toBe(0);
    expect(t).toEqual({
      m: new Date(-7000),
      a: new Date(-7000),
      z: new Date(-7000),
      i: null,
      l: null,
      u: null,
      q: null,
      d: null,
    });
  });

  test('cuts the mean time to the whole second', () => {
    const { t } = finishOne(schemaOf(['count']), TENS, secondly([1, 1, 1, 1], -4000));
    expect(t['m']).toEqual(new Date(-3000));
  });

  test('counts equal timestamps as intervals of length 0', () => {
    const points = [1, 2, 3].map((value) => ({ timestampMs: 5000, value }));
    const { v, t } = finishOne(schemaOf(['count']), TENS, points);
    expect(v).toEqual({ c: 3 });
    expect(t).toMatchObject({ m: new Date(5000), i: 0, l: 0, u: 0, q: 0, d: 0 });
  });

  test('makes a bucket without data: count 0, its middle, everything else null', () => {
    const { t, v } = schemaOf().select({}).emptyDatapoint(-10_000, TENS);
    expect(v).toEqual({
      ...{ m: null, s: null, l: null, u: null, q: null, d: null, c: 0, n: null },
      ...{ a: null, z: null, g: null, v: null, k: null, h: null },
    });
    expect(t).toEqual({
      m: new Date(-5000),
      a: null,
      z: null,
      i: null,
      l: null,
      u: null,
      q: null,
      d: null,
    });
  });

  test('limits the letters to the named downsamplers, and the columns to what they need', () => {
    const schema = schemaOf(['mean', 'min']);
    const selection = schema.select({
      valueDownsamplers: ['min', 'max'],
      timeDownsamplers: ['first'],
    });
    expect(selection.columns).toEqual(['l', 'ta']);
    const block = foldRaw(schema, TENS, [blockOf(secondly([4, 2]))]);
    expect(finishRow(selection, { block, row: 0, granularity: TENS })).toEqual({
      t: { a: new Date(0) },
      v: { l: 2 },
    });
  });

  test('drops v or t for an empty list', () => {
    const schema = schemaOf(['count']);
    const block = foldRaw(schema, TENS, [blockOf(secondly([4, 2]))]);
    const withoutValues = schema.select({ valueDownsamplers: [], timeDownsamplers: ['last'] });
    expect(finishRow(withoutValues, { block, row: 0, granularity: TENS })).toEqual({
      t: { z: new Date(1000) },
    });
    expect(Object.keys(withoutValues.finishColumns(block))).toEqual(['t']);
    const withoutTimes = schema.select({ timeDownsamplers: [] });
    expect(withoutTimes.emptyDatapoint(0, TENS)).toEqual({ v: { c: 0 } });
    expect(Object.keys(withoutTimes.finishColumns(block))).toEqual(['v']);
    const nothing = schema.select({ valueDownsamplers: [], timeDownsamplers: [] });
    expect(nothing.columns).toEqual([]);
    expect(finishRow(nothing, { block, row: 0, granularity: TENS })).toEqual({});
  });

  test('refuses names that no downsampler has', () => {
    const unsupported = expect.objectContaining({ code: 'UNSUPPORTED_DOWNSAMPLER' });
    expect(() => schemaOf().select({ valueDownsamplers: ['average'] })).toThrow(unsupported);
    expect(() => schemaOf().select({ timeDownsamplers: ['count'] })).toThrow(unsupported);
  });

  test('finishes columns to what its datapoints say', () => {
    for (const highAccuracy of [false, true]) {
      const schema = schemaOf(undefined, { highAccuracy });
      const values = [1, 2.5, null, 4, 7, 7, 1, 0, -3, 5, 11, 2];
      const points = secondly(highAccuracy ? values.map((v) => v && String(v)) : values, -4000);
      const block = foldRaw(schema, TENS, [blockOf(points)]);
      const selection = schema.select({});
      const columns = selection.finishColumns(block);
      for (let row = 0; row < block.timestamps.length; row++) {
        const { t, v } = finishRow(selection, { block, row, granularity: TENS });
        for (const [letter, value] of Object.entries(v!)) {
          expect(columns.v![letter]![row]).toEqual(value);
        }
        for (const [letter, value] of Object.entries(t!)) {
          const number = columns.t![letter]![row]!;
          expect(Number.isNaN(number) ? null : number).toEqual(
            value === null ? null : Number(value),
          );
        }
      }
    }
  });

  test('finishes a block without rows to columns without rows', () => {
    const { v, t } = schemaOf().select({}).finishColumns(EMPTY_BLOCK);
    expect(Object.keys(v!)).toEqual([...'mluqdcnazgvkh'].toSpliced(1, 0, 's'));
    expect(Object.keys(t!)).toEqual(['m', 'a', 'z', 'i', 'l', 'u', 'q', 'd']);
    for (const column of [...Object.values(v!), ...Object.values(t!)]) {
      expect(column).toHaveLength(0);
    }
  });
});
