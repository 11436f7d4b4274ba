import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  MEDIAN_EXACT_COUNT_MAX,
  MEDIAN_RELATIVE_ERROR,
  MedianCollector,
  plainMedian,
} from '../../src/downsamplers/median-state.ts';
import { Granularity } from '../../src/model/granularity.ts';
import { blockOf, finishAll, finishOne, foldRaw, foldStates, schemaOf } from './support.ts';

const HOURS = Granularity.Hours;
const schema = schemaOf(['median']);

function medianOf(values: readonly number[]): unknown {
  return finishOne(
    schema,
    HOURS,
    values.map((value) => ({ timestampMs: 0, value })),
  ).v['n'];
}

describe('median', () => {
  test('is exact up to the border', () => {
    expect(medianOf([3, 1, 2])).toBe(2);
    expect(medianOf([4, 1, 3, 2])).toBe(2.5);
    expect(medianOf(Array.from({ length: MEDIAN_EXACT_COUNT_MAX }, (_, i) => i))).toBe(63.5);
    expect(medianOf([1.7e308, 1.7e308])).toBe(1.7e308);
  });

  test('beyond the border is within the stated error of the lower middle value', () => {
    const value = fc.oneof(
      fc.double({ noNaN: true, min: -1e300, max: 1e300 }),
      fc.constantFrom(0, 1e-308, -1e-308, 5e-324),
      fc.integer({ min: -50, max: 50 }),
    );
    fc.assert(
      fc.property(
        fc.array(value, { minLength: MEDIAN_EXACT_COUNT_MAX + 1, maxLength: 300 }),
        (values) => {
          const lower = [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!;
          const error = Math.abs((medianOf(values) as number) - lower);
          // The sketch takes numbers near the smallest normal float for 0.
          expect(error).toBeLessThanOrEqual(
            Math.abs(lower) * MEDIAN_RELATIVE_ERROR * 1.000001 + 1e-307,
          );
        },
      ),
      // Sketches over six hundred powers of ten are slow.
      { numRuns: 25 },
    );
  });

  test('does not depend on how values were merged, on either side of the border', () => {
    const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { maxLength: 150 });
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 5 }), (pieces) => {
        const whole = new MedianCollector();
        for (const value of pieces.flat()) whole.add(value, 1);
        const merged = new MedianCollector();
        for (const piece of pieces) {
          const part = new MedianCollector();
          for (const value of piece) part.add(value, 1);
          merged.merge(JSON.parse(JSON.stringify(part.state())));
        }
        expect(merged.state()).toEqual(whole.state());
        expect(plainMedian(merged.state())).toEqual(plainMedian(whole.state()));
      }),
    );
  });

  test('survives the largest floats beyond the border', () => {
    const values = new Array(200).fill(Number.MAX_VALUE);
    const median = medianOf(values) as number;
    expect(Number.isFinite(median)).toBe(true);
    expect(median).toBeGreaterThan(Number.MAX_VALUE * 0.95);
  });

  test('takes an already downsampled value as its median, count times', () => {
    const points = [
      { timestampMs: 0, value: 1 },
      { timestampMs: 0, value: { c: 3, n: 5 } },
      { timestampMs: 0, value: 9 },
      { timestampMs: 0, value: { c: 1, n: 8 } },
    ];
    expect(finishOne(schema, HOURS, points).v).toEqual({ c: 6, n: 5 });
    const heavy = [...points, { timestampMs: 0, value: { c: 6, n: 8 } }];
    expect(finishOne(schema, HOURS, heavy).v).toEqual({ c: 12, n: 8 });
  });

  test('leaves out already downsampled values from before the stream had a median', () => {
    const points = [
      { timestampMs: 0, value: { c: 3, s: 5 } },
      { timestampMs: 0, value: 9 },
    ];
    expect(finishOne(schema, HOURS, points).v).toEqual({ c: 4, n: 9 });
    expect(finishOne(schema, HOURS, points.slice(0, 1)).v).toEqual({ c: 3, n: null });
    const own = schemaOf(['median', 'percentile_90', 'distinct']);
    expect(finishOne(own, HOURS, points).v).toEqual({ c: 4, n: 9, p90: 9, h: 1 });
  });

  test('keeps no zero that JSON would not give back', () => {
    const collector = new MedianCollector();
    collector.add(-0, 1);
    collector.merge({ v: [-0], w: [2] });
    const state = collector.state();
    expect(JSON.parse(JSON.stringify(state))).toStrictEqual(state);
    expect(state).toStrictEqual({ v: [0, 0], w: [1, 2] });
  });

  test('merges levels on both sides of the border', () => {
    const points = Array.from({ length: 500 }, (_, i) => ({
      timestampMs: i * 1000,
      value: i - 250,
    }));
    const tens = foldRaw(schema, Granularity.Seconds10, [blockOf(points)]);
    const [merged] = finishAll(schema, HOURS, foldStates(schema, HOURS, [tens]));
    expect(merged).toEqual(finishAll(schema, HOURS, foldRaw(schema, HOURS, [blockOf(points)]))[0]);
    expect(Math.abs((merged!.v['n'] as number) - -1)).toBeLessThanOrEqual(MEDIAN_RELATIVE_ERROR);
  });
});
