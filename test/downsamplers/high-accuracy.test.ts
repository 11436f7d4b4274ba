import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Granularity } from '../../src/model/granularity.ts';
import {
  blockOf,
  cutAt,
  finishAll,
  finishOne,
  foldRaw,
  foldStates,
  GROUP_NAMES,
  schemaOf,
  secondly,
} from './support.ts';

const TENS = Granularity.Seconds10;
const MINUTES = Granularity.Minutes;
const schema = schemaOf(undefined, { highAccuracy: true });
const groupSchema = schemaOf(GROUP_NAMES, { highAccuracy: true });
const E = '2.718281828459045235360287471352662497757247093699959574966967628';

describe('high-accuracy downsampling', () => {
  test('keeps the mean of forty times a number of 63 decimals equal to it, at every level', () => {
    const long = `${E.slice(0, -1)}2`;
    let block = foldRaw(schema, TENS, [blockOf(secondly(new Array(40).fill(long)))]);
    for (const granularity of Granularity.values.slice(1)) {
      if (granularity !== TENS) block = foldStates(schema, granularity, [block]);
      for (const { v } of finishAll(schema, granularity, block)) {
        expect(String(v['m'])).toBe(long);
        expect(String(v['l'])).toBe(long);
        expect(String(v['n'])).toBe(long);
        expect(String(v['d'])).toBe('0');
      }
    }
  });

  test('keeps whole numbers of any size exact', () => {
    const large = 2n ** 128n;
    const { v } = finishOne(
      schema,
      MINUTES,
      secondly([large, large + 1n, large + 2n].map((value) => value.toString())),
    );
    expect(v).toMatchObject({
      s: 3n * large + 3n,
      l: large,
      u: large + 2n,
      m: large + 1n,
      n: large + 1n,
      q: large ** 2n + (large + 1n) ** 2n + (large + 2n) ** 2n,
      c: 3,
    });
    expect(String(v['d'])).toBe(
      '0.8164965809277260327324280249019637973219824935522233761442308557',
    );
  });

  test('equals arithmetic in whole numbers, in any order of merging', () => {
    const value = fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 50 }), fc.nat(50), (values, at) => {
        const raw = blockOf(secondly(values.map(String)));
        const direct = foldRaw(schema, MINUTES, [raw]);
        const tens = foldRaw(schema, TENS, [raw]);
        expect(foldStates(schema, MINUTES, [tens])).toEqual(direct);
        expect(foldRaw(schema, MINUTES, cutAt(raw, [at % (values.length + 1)]))).toEqual(direct);
        const sum = values.reduce((a, b) => a + b, 0n);
        const [bucket] = finishAll(schema, MINUTES, direct);
        expect(decimalTextOf(bucket!.v['s'])).toBe(sum.toString());
        expect(decimalTextOf(bucket!.v['q'])).toBe(
          values.reduce((a, b) => a + b * b, 0n).toString(),
        );
      }),
    );
  });

  test('weighs an already downsampled value by its count', () => {
    const group = {
      m: '0.2',
      s: '0.6',
      l: '0.1',
      u: '0.3',
      q: '0.14',
      d: '0.08',
      c: 3,
      n: '0.2',
      a: '0.3',
      z: '0.1',
      g: '0.2',
      v: '0.0064',
    };
    const { v } = finishOne(groupSchema, MINUTES, secondly(['0.1', null, group]));
    expect({ ...v, m: String(v['m']), s: String(v['s']), q: String(v['q']) }).toMatchObject({
      c: 4,
      m: '0.175',
      s: '0.7',
      q: '0.15',
    });
    expect([String(v['l']), String(v['u']), String(v['n'])]).toEqual(['0.1', '0.3', '0.2']);
    expect([String(v['a']), String(v['z']), String(v['g'])]).toEqual(['0.1', '0.1', '0.2']);
    expect(String(v['v'])).toBe('0.006875');
    expect(String(v['d'])).toBe(
      '0.08291561975888499622787331841676716709817721363973383992646705365',
    );
  });

  test('gives range, variance, rate of change and percentiles without rounding', () => {
    const own = schemaOf(
      ['range', 'variance', 'rate_of_change', 'percentile_99.9', 'percentile_25', 'distinct'],
      { highAccuracy: true },
    );
    const large = 10n ** 80n;
    const values = [large + 1n, large, large + 4n, large + 4n].map(String);
    const { v } = finishOne(own, MINUTES, secondly(values));
    const texts = Object.fromEntries(
      Object.entries(v).map(([letter, value]) => [letter, decimalTextOf(value)]),
    );
    expect(texts).toMatchObject({ a: values[0], z: values[3], g: '4', v: '3.1875', k: '1' });
    expect(texts).toMatchObject({
      'p99.9': values[3],
      p25: `${large.toString().slice(0, -1)}0.75`,
    });
    expect(texts['h']).toBe('3');
    const thirds = finishOne(own, MINUTES, secondly(['0', '1', '0', '1'])).v;
    expect(String(thirds['k'])).toBe(`0.${'3'.repeat(64)}`);
    expect(String(thirds['p99.9'])).toBe('1');
    expect(finishOne(own, MINUTES, secondly(['7'])).v).toMatchObject({ k: null });
  });

  test('takes a float64 column as the decimals that its numbers print as', () => {
    const { v } = finishOne(schema, MINUTES, secondly([0.1, 0.2, null]));
    expect(String(v['s'])).toBe('0.3');
    expect(v['c']).toBe(2);
  });

  test('gives the median from a sketch beyond its border', () => {
    const points = Array.from({ length: 300 }, () => ({ timestampMs: 0, value: '1e400' }));
    const { v } = finishOne(schema, MINUTES, points);
    expect(Number(v['n'] as number)).toBeGreaterThan(1e307);
    expect(v['u']).toBe(10n ** 400n);
  });
});

function decimalTextOf(value: unknown): string {
  return typeof value === 'object' ? (value as { toFixed(): string }).toFixed() : String(value);
}
