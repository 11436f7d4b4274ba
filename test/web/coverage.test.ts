import { describe, expect, test } from '@jest/globals';
import { type ChartColumns, knownRows } from '../../web/src/chart/columns.ts';
import { coverageCells, coverageGaps } from '../../web/src/chart/coverage.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Counts of hours; hours that are not named have no bucket. */
function hours(startMs: number, counts: readonly (number | null)[]): ChartColumns {
  return knownRows({
    granularity: 'hours',
    isRaw: false,
    timestamps: counts.map((_, hour) => startMs + hour * HOUR_MS),
    letters: { c: counts },
  });
}

const raw = (timestamps: readonly number[]): ChartColumns => ({
  granularity: 'seconds',
  isRaw: true,
  timestamps,
  letters: { m: timestamps },
});

describe('where a history has data', () => {
  test('is told in cells of one length, how full they are and how many datapoints they have', () => {
    const counts = [...new Array(48).fill(60), ...new Array(24).fill(0), ...new Array(24).fill(30)];
    const options = { zone: 'UTC', countMax: 10, areCounted: true };
    const cells = coverageCells(hours(10 * DAY_MS, counts), options);
    expect(cells).toEqual([
      { startMs: 10 * DAY_MS, endMs: 11 * DAY_MS, count: 1440, share: 1 },
      { startMs: 11 * DAY_MS, endMs: 12 * DAY_MS, count: 1440, share: 1 },
      { startMs: 12 * DAY_MS, endMs: 13 * DAY_MS, count: 0, share: 0 },
      { startMs: 13 * DAY_MS, endMs: 14 * DAY_MS, count: 720, share: 0.5 },
    ]);
  });

  test('goes by the days of the zone, also those of 23 and 25 hours', () => {
    // 28 to 30 March and 24 to 26 October 2026 in Paris.
    for (const [startMs, lengths] of [
      [Date.parse('2026-03-27T23:00:00Z'), [24, 23, 24]],
      [Date.parse('2026-10-23T22:00:00Z'), [24, 25, 24]],
    ] as const) {
      const count = lengths.reduce((sum, length) => sum + length, 0);
      const columns = hours(startMs, new Array(count).fill(1));
      const cells = coverageCells(columns, { zone: 'Europe/Paris', countMax: 4, areCounted: true });
      expect(cells.map(({ startMs: from, endMs }) => (endMs - from) / HOUR_MS)).toEqual(lengths);
      expect(cells.map((cell) => cell.count)).toEqual(lengths);
      expect(cells.map(({ share }) => share)).toEqual([1, 1, 1]);
    }
  });

  test('has no cell shorter than a bucket, nor more cells than are wanted', () => {
    const columns = hours(0, new Array(400).fill(5));
    const cellsOf = (countMax: number) =>
      coverageCells(columns, { zone: 'UTC', countMax, areCounted: true });
    expect(cellsOf(100_000)).toHaveLength(400);
    expect(cellsOf(200).length).toBeLessThanOrEqual(200);
    expect(cellsOf(20)).toHaveLength(17);
  });

  test('knows of no number where nothing was counted, and nothing of a stream without datapoints', () => {
    const cells = coverageCells(raw([0, 1000, 2000, 3000, 45_000]), {
      zone: 'UTC',
      countMax: 10,
      areCounted: false,
    });
    expect(cells.map(({ count, share }) => [count, share])).toEqual([
      [null, 1],
      [0, 0],
      [0, 0],
      [0, 0],
      [null, 1],
    ]);
    expect(coverageCells(raw([]), { zone: 'UTC', countMax: 10, areCounted: true })).toEqual([]);
  });

  test('has no empty cell where no gap is, however irregular the datapoints are', () => {
    const seconds = [0, 1, 2, 4, 5, 8, 9, 10, 11, 14, 15, 16, 18, 19, 20];
    const columns = raw(seconds.map((second) => second * 1000));
    expect(coverageGaps(columns)).toEqual([]);
    const cells = coverageCells(columns, { zone: 'UTC', countMax: 100, areCounted: true });
    expect(cells.map(({ count }) => count)).toEqual([7, 7, 1]);
  });

  test('is not where gaps are, the longest first', () => {
    const counts = [...new Array(20).fill(1), 0, ...new Array(20).fill(1), null, 0, 0, 1, 1];
    expect(coverageGaps(hours(0, counts))).toEqual([
      { startMs: 41 * HOUR_MS, endMs: 44 * HOUR_MS },
      { startMs: 20 * HOUR_MS, endMs: 21 * HOUR_MS },
    ]);
    expect(coverageGaps(raw([0, 1, 2, 3, 10, 11]))).toEqual([{ startMs: 3, endMs: 10 }]);
    expect(coverageGaps(raw([5]))).toEqual([]);
  });
});
