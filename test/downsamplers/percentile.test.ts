import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  MEDIAN_EXACT_COUNT_MAX,
  MEDIAN_RELATIVE_ERROR,
  MedianCollector,
  plainMedian,
  plainPercentile,
} from '../../src/downsamplers/median-state.ts';
import { Granularity } from '../../src/model/granularity.ts';
import { blockOf, finishAll, foldRaw, foldStates, schemaOf } from './support.ts';

const MINUTES = Granularity.Minutes;

function percentileOf(values: readonly number[], percentage: number): number {
  const collector = new MedianCollector();
  for (const value of values) collector.add(value, 1);
  return plainPercentile(JSON.parse(JSON.stringify(collector.state())), percentage);
}

/** Definition 7 of Hyndman and Fan. */
function naivePercentile(values: readonly number[], percentage: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = (percentage * (values.length - 1)) / 100;
  const low = sorted[Math.floor(rank)]!;
  return low + (sorted[Math.ceil(rank)]! - low) * (rank - Math.floor(rank));
}

const percentage = fc.oneof(
  fc.constantFrom(0, 50, 90, 99, 99.9, 100),
  fc.integer({ min: 0, max: 1000 }).map((tenths) => tenths / 10),
);

describe('percentile', () => {
  test('lies between two values linearly, up to the border', () => {
    expect(percentileOf([1, 2, 3, 4], 50)).toBe(2.5);
    expect(percentileOf([4, 1], 25)).toBe(1.75);
    expect(percentileOf([5], 99.9)).toBe(5);
    expect(percentileOf([1, 2, 3], 0)).toBe(1);
    expect(percentileOf([1, 2, 3], 100)).toBe(3);
    expect(percentileOf([-1.7e308, 1.7e308], 50)).toBe(0);
    expect(percentileOf([], 50)).toBeNaN();
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 128 }),
        percentage,
        (values, p) => {
          expect(percentileOf(values, p)).toBeCloseTo(naivePercentile(values, p), 8);
        },
      ),
    );
  });

  test('of 50 is the median', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1, maxLength: 200 }), (values) => {
        const collector = new MedianCollector();
        for (const value of values) collector.add(value, 1);
        const state = collector.state();
        expect(plainPercentile(state, 50)).toBeCloseTo(plainMedian(state), 4);
      }),
    );
  });

  test('beyond the border is within the stated error of the lower value', () => {
    const value = fc.oneof(
      fc.double({ noNaN: true, min: -1e9, max: 1e9 }),
      fc.constantFrom(0, 1e-308, -1e-308),
      fc.integer({ min: -50, max: 50 }),
    );
    fc.assert(
      fc.property(
        fc.array(value, { minLength: MEDIAN_EXACT_COUNT_MAX + 1, maxLength: 400 }),
        percentage,
        (values, p) => {
          const rank = Math.floor((p * (values.length - 1)) / 100 + 1e-9);
          const lower = values.toSorted((a, b) => a - b)[rank]!;
          const error = Math.abs(percentileOf(values, p) - lower);
          expect(error).toBeLessThanOrEqual(
            Math.abs(lower) * MEDIAN_RELATIVE_ERROR * 1.000001 + 1e-307,
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  test('takes percentages that are no floats to their whole ranks', () => {
    const values = Array.from({ length: 1001 }, (_, i) => (i < 999 ? 1 : 1000));
    expect(percentileOf(values, 99.9)).toBeGreaterThan(900);
    expect(percentileOf(values, 99.8)).toBeLessThan(2);
  });

  test('goes through levels, several from one state', () => {
    const schema = schemaOf(['percentile_50', 'percentile_99', 'median']);
    expect(schema.columns.filter((name) => schema.isJson(name))).toEqual(['n']);
    const points = Array.from({ length: 60 }, (_, i) => ({ timestampMs: i * 1000, value: i }));
    const tens = foldRaw(schema, Granularity.Seconds10, [blockOf(points)]);
    const [minute] = finishAll(schema, MINUTES, foldStates(schema, MINUTES, [tens]));
    expect(minute!.v).toEqual({ c: 60, n: 29.5, p50: 29.5, p99: 58.41 });
    expect(finishAll(schema, Granularity.Seconds10, tens)[1]!.v).toMatchObject({ p50: 14.5 });
  });
});
