import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import {
  ALL_TIME,
  cutToSecond,
  intersectRanges,
  isEmptyRange,
  restOfRange,
  TIME_END_MS,
  TIME_MAX_MS,
  TIME_MIN_MS,
  type TimeRange,
} from '../../src/model/time-range.ts';

const ranges: fc.Arbitrary<TimeRange> = fc.record({
  startMs: fc.integer({ min: -10, max: 10 }),
  endMs: fc.integer({ min: -10, max: 10 }),
});

function members({ startMs, endMs }: TimeRange): readonly number[] {
  const result: number[] = [];
  for (let instantMs = startMs; instantMs < endMs; instantMs++) result.push(instantMs);
  return result;
}

describe('time ranges', () => {
  test('are empty when they hold no instant', () => {
    fc.assert(
      fc.property(ranges, (range) => {
        expect(isEmptyRange(range)).toBe(members(range).length === 0);
      }),
    );
  });

  test('intersect in the instants that both hold', () => {
    fc.assert(
      fc.property(ranges, ranges, (a, b) => {
        const inB = new Set(members(b));
        expect(members(intersectRanges(a, b))).toEqual(
          members(a).filter((instantMs) => inB.has(instantMs)),
        );
      }),
    );
  });

  test('that are worked off get shorter with each part', () => {
    const range = { startMs: 1, endMs: 3 };
    expect(restOfRange(range, 2)).toEqual({ startMs: 2, endMs: 3 });
    expect(isEmptyRange(restOfRange(range, 3))).toBe(true);
    for (const doneMs of [1, 0, Number.NaN]) {
      expect(() => restOfRange(range, doneMs)).toThrow('gets on with each of them');
    }
  });

  test('of all time reach every instant that a Date holds, and no further', () => {
    expect(new Date(TIME_MIN_MS).getTime()).toBe(TIME_MIN_MS);
    expect(new Date(TIME_MAX_MS).getTime()).toBe(TIME_MAX_MS);
    expect(new Date(TIME_MIN_MS - 1).getTime()).toBeNaN();
    expect(new Date(TIME_END_MS).getTime()).toBeNaN();
    expect(TIME_END_MS).toBeGreaterThan(TIME_MAX_MS);
    expect(ALL_TIME).toEqual({ startMs: TIME_MIN_MS, endMs: TIME_END_MS });
  });
});

describe('cutToSecond', () => {
  test('goes down to a whole second, before 1970 too', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (timestampMs) => {
        const cutMs = cutToSecond(timestampMs);
        expect(Math.abs(cutMs % 1000)).toBe(0);
        expect(timestampMs - cutMs).toBeGreaterThanOrEqual(0);
        expect(timestampMs - cutMs).toBeLessThan(1000);
      }),
    );
    expect(cutToSecond(-1)).toBe(-1000);
    expect(cutToSecond(-1000)).toBe(-1000);
    expect(cutToSecond(1999.5)).toBe(1000);
  });
});
