import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type Aggregation,
  type BucketGrid,
  Buckets,
  calendarGrid,
  evenGrid,
} from '../../../../src/server/compat/openorg/buckets.ts';
import { newReadings } from '../../../../src/server/compat/openorg/readings.ts';
import {
  type SegmentOptions,
  Segments,
  type SeriesType,
} from '../../../../src/server/compat/openorg/segments.ts';

/** Value and second. */
type Pair = readonly [value: number, second: number];

interface Settings extends Partial<SegmentOptions> {
  readonly grid: BucketGrid;
  readonly aggregation?: Aggregation;
  readonly threshold?: number;
  readonly fromMs?: number;
  readonly toMs?: number;
}

function bucketsOf(pairs: readonly Pair[], settings: Settings): [number | null, number][] {
  const { grid, aggregation = 'average', threshold = 0.5, fromMs = 0, toMs = 1e12 } = settings;
  const type: SeriesType = 'period';
  const segments = new Segments({
    type,
    startMs: 0,
    heartbeatMs: null,
    counterWrap: null,
    ...settings,
  });
  const buckets = new Buckets({ grid, aggregation, threshold, fromMs, toMs });
  return pairs.flatMap(([value, second]) =>
    [...buckets.add(segments.next({ timestampMs: second * 1000, value }))].map(
      (bucket): [number | null, number] => [bucket.value, bucket.endMs / 1000],
    ),
  );
}

const seconds = (count: number): BucketGrid => evenGrid(count * 1000);
const values = (pairs: readonly Pair[], settings: Settings) =>
  bucketsOf(pairs, settings).map(([value]) => value);

describe('buckets of readings', () => {
  test('B3.9 the least and the greatest are those of the bucket alone', () => {
    const rising: Pair[] = [
      [5, 1800],
      [10, 3600],
      [15, 5400],
      [20, 7200],
    ];
    const grid = seconds(3600);
    expect(values(rising, { grid, aggregation: 'min' })).toEqual([5, 15]);
    expect(values(rising, { grid, aggregation: 'max' })).toEqual([10, 20]);
    const falling: Pair[] = rising.map(([value, second]) => [25 - value, second]);
    expect(values(falling, { grid, aggregation: 'max' })).toEqual([20, 10]);
  });

  test('B3.10 averages are weighted by time, and stamped with the end', () => {
    const pairs: Pair[] = [
      [4, 900],
      [8, 1800],
      [12, 3600],
      [20, 5400],
      [30, 7200],
    ];
    expect(bucketsOf(pairs, { grid: seconds(3600) })).toEqual([
      [9, 3600],
      [25, 7200],
    ]);
  });

  test('B3.13 a value is held from the reading before it, or for a heartbeat', () => {
    const pairs: Pair[] = [
      [5, 1800],
      [7, 7200],
    ];
    const grid = seconds(1800);
    expect(values(pairs, { grid })).toEqual([5, 7, 7, 7]);
    expect(values(pairs, { grid, heartbeatMs: 1_800_000 })).toEqual([5, null, null, 7]);
  });

  test('B3.14 the threshold is about the time that is known', () => {
    const pairs: Pair[] = [
      [4, 1800],
      [8, 7200],
    ];
    const grid = seconds(7200);
    expect(values(pairs, { grid, threshold: 0.5 })).toEqual([7]);
    expect(values(pairs, { grid, threshold: 1 })).toEqual([7]);
    expect(values(pairs, { grid, threshold: 0.5, aggregation: 'max' })).toEqual([8]);
    const heartbeatMs = 1_800_000;
    expect(values(pairs, { grid, threshold: 0.5, heartbeatMs })).toEqual([6]);
    expect(values(pairs, { grid, threshold: 0.51, heartbeatMs })).toEqual([null]);
  });

  test('B3.15 readings that are not newer than the last one are left out', () => {
    const all = [
      { timestampMs: 1_800_000, value: 99 },
      { timestampMs: 5_400_000, value: 7 },
      { timestampMs: 3_600_000, value: 98 },
      { timestampMs: 5_400_000, value: 8 },
    ];
    expect(newReadings(all, 3_600_000)).toEqual([{ timestampMs: 5_400_000, value: 7 }]);
  });

  test('B3.17 a local day has 25 hours when clocks are set back', () => {
    const startMs = Date.parse('2011-10-29T23:00:00Z');
    const pairs = Array.from(
      { length: 25 },
      (_, hour): Pair => [1, startMs / 1000 + 3600 * (hour + 1)],
    );
    const grid = calendarGrid('days', 'Europe/London');
    const found = bucketsOf(pairs, { grid, startMs, fromMs: startMs, toMs: 1e13, threshold: 1 });
    expect(found).toEqual([[1, Date.parse('2011-10-31T00:00:00Z') / 1000]]);
    expect(bucketsOf(pairs.slice(0, 24), { grid, startMs, fromMs: startMs, toMs: 1e13 })).toEqual(
      [],
    );
  });

  test('B3.18 negative values are values', () => {
    const pairs: Pair[] = [
      [-4, 1800],
      [-8, 3600],
    ];
    const grid = seconds(3600);
    expect(values(pairs, { grid })).toEqual([-6]);
    expect(values(pairs, { grid, aggregation: 'max' })).toEqual([-4]);
    expect(values(pairs, { grid, aggregation: 'min' })).toEqual([-8]);
  });

  test('B3.23 gauges go straight from reading to reading', () => {
    const pairs: Pair[] = [
      [5, 0],
      [15, 3600],
    ];
    expect(values(pairs, { grid: seconds(3600), type: 'gauge' })).toEqual([10]);
    const halves = { grid: seconds(1800), type: 'gauge' as const };
    expect(values(pairs, { ...halves, aggregation: 'max' })).toEqual([10, 15]);
    expect(values(pairs, { ...halves, aggregation: 'min' })).toEqual([5, 10]);
    expect(values(pairs, { ...halves, heartbeatMs: 1_800_000 })).toEqual([null, null]);
  });

  test('B3.23 counters have rates, begin anew, and go over', () => {
    const pairs: Pair[] = [
      [100, 0],
      [160, 60],
      [10, 120],
    ];
    const settings = { grid: seconds(60), type: 'counter' as const };
    expect(values(pairs, settings)).toEqual([1, 10 / 60]);
    expect(values(pairs, { ...settings, counterWrap: 180 })).toEqual([1, 0.5]);
  });

  test('are those of every second of the time, whatever the readings', () => {
    const reading = fc.record({
      gap: fc.integer({ min: 1, max: 40 }),
      value: fc.integer({ min: -50, max: 50 }),
    });
    fc.assert(
      fc.property(
        fc.array(reading, { maxLength: 40 }),
        fc.integer({ min: 1, max: 30 }),
        fc.option(fc.integer({ min: 1, max: 40 }), { nil: null }),
        fc.constantFrom(0, 0.3, 0.5, 1),
        (all, length, heartbeat, threshold) => {
          let at = 0;
          const pairs = all.map(({ gap, value }): Pair => {
            at += gap;
            return [value, at];
          });
          // What holds in each second, one by one: that is the definition.
          const held: (number | null)[] = [];
          for (const [value, second] of pairs) {
            const since = held.length;
            for (let s = since; s < second; s++) {
              const isKnown =
                heartbeat === null || second - since <= heartbeat || s >= second - heartbeat;
              held.push(isKnown ? value : null);
            }
          }
          const expected: Record<Aggregation, (number | null)[]> = {
            average: [],
            min: [],
            max: [],
          };
          for (let from = 0; from + length <= held.length; from += length) {
            const known = held.slice(from, from + length).filter((value) => value !== null);
            const isEnough = known.length > 0 && known.length / length >= threshold;
            const sum = known.reduce((a, b) => a + b, 0);
            expected.average.push(isEnough ? sum / known.length : null);
            expected.min.push(isEnough ? Math.min(...known) : null);
            expected.max.push(isEnough ? Math.max(...known) : null);
          }
          const grid = seconds(length);
          const heartbeatMs = heartbeat === null ? null : heartbeat * 1000;
          for (const aggregation of ['average', 'min', 'max'] as const) {
            const found = values(pairs, { grid, aggregation, threshold, heartbeatMs });
            expect(found).toHaveLength(expected[aggregation].length);
            for (const [index, value] of expected[aggregation].entries()) {
              if (value === null) expect(found[index]).toBeNull();
              else expect(found[index]).toBeCloseTo(value, 9);
            }
          }
        },
      ),
    );
  });
});
