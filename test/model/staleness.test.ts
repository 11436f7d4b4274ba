import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import {
  addRange,
  addRanges,
  clipRanges,
  isInRanges,
  type RangeSet,
  STALE_RANGE_COUNT_MAX,
  subtractRange,
} from '../../src/model/staleness.ts';
import type { TimeRange } from '../../src/model/time-range.ts';

const END_MS = 60;

/** Some of them empty. */
const ranges: fc.Arbitrary<TimeRange> = fc
  .tuple(fc.integer({ min: 0, max: END_MS }), fc.integer({ min: -1, max: 12 }))
  .map(([startMs, lengthMs]) => ({ startMs, endMs: Math.min(startMs + lengthMs, END_MS) }));

const operations = fc.array(
  fc.record({ kind: fc.constantFrom('add', 'subtract', 'clip'), range: ranges }),
  { maxLength: 20 },
);

function members(set: RangeSet): Set<number> {
  const result = new Set<number>();
  for (const { startMs, endMs } of set) {
    for (let instantMs = startMs; instantMs < endMs; instantMs++) result.add(instantMs);
  }
  return result;
}

/** Whether the ranges are not empty, ascending, disjoint and not touching. */
function isCanonical(set: RangeSet): boolean {
  return set.every(
    ({ startMs, endMs }, i) => startMs < endMs && (i === 0 || set[i - 1]!.endMs < startMs),
  );
}

describe('sets of stale ranges', () => {
  test('are sets of instants under any sequence of add, subtract and clip', () => {
    fc.assert(
      fc.property(operations, (list) => {
        let set: RangeSet = [];
        let model = new Set<number>();
        for (const { kind, range } of list) {
          const inRange = members([range]);
          if (kind === 'add') {
            set = addRange(set, range);
            model = new Set([...model, ...inRange]);
          } else if (kind === 'subtract') {
            set = subtractRange(set, range);
            model = new Set([...model].filter((instantMs) => !inRange.has(instantMs)));
          } else {
            set = clipRanges(set, range);
            model = new Set([...model].filter((instantMs) => inRange.has(instantMs)));
          }
          expect(members(set)).toEqual(model);
          expect(isCanonical(set)).toBe(true);
        }
        for (let instantMs = -1; instantMs <= END_MS; instantMs++) {
          expect(isInRanges(set, instantMs)).toBe(model.has(instantMs));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('do not depend on the order in which ranges were added', () => {
    fc.assert(
      fc.property(fc.array(ranges, { maxLength: 15 }), (list) => {
        expect(addRanges([], list.toReversed())).toEqual(addRanges([], list));
      }),
    );
  });

  test('are the same when many ranges are added at once as one after the other', () => {
    fc.assert(
      fc.property(fc.array(ranges, { maxLength: 5 }), fc.array(ranges), (first, list) => {
        const set = addRanges([], first);
        expect(addRanges(set, list)).toEqual(list.reduce(addRange, set));
        expect(addRanges(set, [...set, ...set, ...set])).toBe(set);
      }),
      { numRuns: 300 },
    );
  });

  test('join ranges that touch', () => {
    const set = addRanges(
      [],
      [
        { startMs: 0, endMs: 10 },
        { startMs: 20, endMs: 30 },
        { startMs: 10, endMs: 20 },
      ],
    );
    expect(set).toEqual([{ startMs: 0, endMs: 30 }]);
  });

  test('stay the same object when nothing changes', () => {
    const set = addRange([], { startMs: 0, endMs: 10 });
    expect(addRange(set, { startMs: 2, endMs: 10 })).toBe(set);
    expect(addRange(set, { startMs: 5, endMs: 5 })).toBe(set);
    expect(subtractRange(set, { startMs: 5, endMs: 5 })).toBe(set);
  });

  test('take and give back a range without an end', () => {
    const set = addRange([], { startMs: -5, endMs: Number.POSITIVE_INFINITY });
    expect(subtractRange(set, { startMs: 0, endMs: 10 })).toEqual([
      { startMs: -5, endMs: 0 },
      { startMs: 10, endMs: Number.POSITIVE_INFINITY },
    ]);
  });
});

describe('more ranges than are kept', () => {
  const manyRanges = fc.array(
    fc
      .tuple(fc.integer({ min: 0, max: 4000 }), fc.integer({ min: 1, max: 3 }))
      .map(([startMs, lengthMs]) => ({ startMs, endMs: startMs + lengthMs })),
    { minLength: 300, maxLength: 900, size: 'max' },
  );

  test('are joined: nothing stale is forgotten, and there are never too many', () => {
    let joinedRunCount = 0;
    fc.assert(
      fc.property(manyRanges, (list) => {
        const exact = members(list);
        const set = addRanges([], list);
        const kept = members(set);
        expect([...exact].every((instantMs) => kept.has(instantMs))).toBe(true);
        expect(set.length).toBeLessThanOrEqual(STALE_RANGE_COUNT_MAX);
        expect(isCanonical(set)).toBe(true);
        if (kept.size > exact.size) joinedRunCount++;
      }),
      { numRuns: 30 },
    );
    expect(joinedRunCount).toBeGreaterThan(0);
  });

  test('are joined across the smallest gap', () => {
    const apart = Array.from({ length: STALE_RANGE_COUNT_MAX }, (_, i) => ({
      startMs: i * 100,
      endMs: i * 100 + 10,
    }));
    const set = addRange(addRanges([], apart), { startMs: 540, endMs: 595 });
    expect(set).toHaveLength(STALE_RANGE_COUNT_MAX);
    expect(members(set).size).toBe(STALE_RANGE_COUNT_MAX * 10 + 55 + 5);
    expect(isInRanges(set, 597)).toBe(true);
  });
});
