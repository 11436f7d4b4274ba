import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FREQUENCY_VALUE_COUNT_MAX } from '../../src/downsamplers/frequency-state.ts';
import { Granularity } from '../../src/model/granularity.ts';
import { canonicalJson } from '../../src/model/tags.ts';
import {
  blockOf,
  cutAt,
  finishAll,
  finishOne,
  foldRaw,
  foldStates,
  schemaOf,
  secondly,
} from './support.ts';

const MINUTES = Granularity.Minutes;
const names = ['most_often', 'least_often', 'frequencies'];
const schema = schemaOf(names, { valueType: 'nominal' });

describe('most_often, least_often and frequencies', () => {
  test('count JSON values, and skip null', () => {
    const { v } = finishOne(
      schema,
      MINUTES,
      secondly(['a', { x: 1, y: 2 }, null, { y: 2, x: 1 }, 1]),
    );
    expect(v).toEqual({
      c: 4,
      o: { x: 1, y: 2 },
      r: 'a',
      f: { a: 1, '{"x":1,"y":2}': 2, '1': 1 },
    });
  });

  test('give the one that appeared first, of equals', () => {
    const { v } = finishOne(schema, MINUTES, secondly(['b', 'a', 'c', 'a', 'b']));
    expect(v).toMatchObject({ o: 'b', r: 'c' });
    expect(finishOne(schema, MINUTES, secondly(['y', 'x'])).v).toMatchObject({ o: 'y', r: 'y' });
  });

  test('share one key between a string and a value of that text', () => {
    expect(finishOne(schema, MINUTES, secondly(['1', 1, 1])).v['f']).toEqual({ '1': 3 });
  });

  test('take names of prototype members as any other value', () => {
    const { v } = finishOne(schema, MINUTES, secondly(['__proto__', 'constructor', '__proto__']));
    expect(Object.entries(v['f'] as object)).toEqual([
      ['__proto__', 2],
      ['constructor', 1],
    ]);
  });

  test('give null in a bucket without data', () => {
    const empty = schema.select({}).emptyDatapoint(0, MINUTES);
    expect(empty.v).toEqual({ c: 0, o: null, r: null, f: null });
  });

  test('count float64 columns of nominal numbers too', () => {
    const block = blockOf(secondly([5, 5, null, 6]));
    expect(block.columns['v']).toBeInstanceOf(Float64Array);
    const [bucket] = finishAll(schema, MINUTES, foldRaw(schema, MINUTES, [block]));
    expect(bucket!.v).toEqual({ c: 3, o: 5, r: 6, f: { '5': 2, '6': 1 } });
  });

  test('merge levels, and blocks cut anywhere, to what one pass gives', () => {
    const value = fc.constantFrom('a', 'b', 'c', 1, 2, true, null, { k: 1 });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 100 }), fc.nat(100), (values, at) => {
        const raw = blockOf(secondly(values));
        const direct = foldRaw(schema, MINUTES, [raw]);
        expect(foldRaw(schema, MINUTES, cutAt(raw, [at % (values.length + 1)]))).toEqual(direct);
        const tens = foldRaw(schema, Granularity.Seconds10, [raw]);
        expect(foldStates(schema, MINUTES, [tens])).toEqual(direct);
        for (const { v, startMs } of finishAll(schema, MINUTES, direct)) {
          const inBucket = values.filter(
            (item, i) => item !== null && Math.floor(i / 60) * 60_000 === startMs,
          );
          const top = inBucket.filter((item) => canonicalJson(item) === canonicalJson(v['o']));
          const counts = Object.values(v['f'] as Record<string, number>);
          expect(top).toHaveLength(Math.max(...counts));
          expect(counts.reduce((a, b) => a + b, 0)).toBe(inBucket.length);
        }
      }),
    );
  });

  test('keep the first distinct values to appear, up to the limit, and count the rest together', () => {
    const distinct = Array.from({ length: FREQUENCY_VALUE_COUNT_MAX + 5 }, (_, i) => `v${i}`);
    const late = new Array(50).fill('late');
    const points = [...distinct, 'v3', ...late].map((value) => ({ timestampMs: 0, value }));
    const { v } = finishOne(schema, MINUTES, points);
    expect(v).toMatchObject({ c: FREQUENCY_VALUE_COUNT_MAX + 56, o: 'v3', r: 'v0' });
    const counts = v['f'] as Record<string, number>;
    expect(Object.keys(counts)).toHaveLength(FREQUENCY_VALUE_COUNT_MAX);
    const state = foldRaw(schema, MINUTES, [blockOf(points)]);
    expect(state.columns['f']![0]).toMatchObject({ o: 55 });
    const twice = foldStates(schema, Granularity.Days, [
      state,
      { ...state, timestamps: Float64Array.of(60_000) },
    ]);
    expect(twice.columns['f']![0]).toMatchObject({ o: 110 });
  });

  test('graph streams are counted', () => {
    const graphs = schemaOf(undefined, { valueType: 'graph' });
    const { v } = finishOne(graphs, MINUTES, secondly([{ v: [], e: [] }, null, { v: [], e: [] }]));
    expect(v).toEqual({ c: 2 });
  });
});
