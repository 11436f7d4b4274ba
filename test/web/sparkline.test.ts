import { describe, expect, test } from '@jest/globals';
import { sparklinePath, sparklineRuns } from '../../web/src/chart/sparkline.ts';

const BOX = { width: 100, height: 20, margin: 2 };

describe('a sparkline', () => {
  test('places negative values below positive ones, by time', () => {
    const [run] = sparklineRuns([0, 10, 40], [-5, 0, 5], BOX);
    expect(run).toEqual([
      { x: 2, y: 18 },
      { x: 26, y: 10 },
      { x: 98, y: 2 },
    ]);
  });

  test('begins anew after a gap', () => {
    const runs = sparklineRuns([0, 1, 2, 3, 4], [1, null, null, 3, 2], BOX);
    expect(runs.map((run) => run.length)).toEqual([1, 2]);
    expect(sparklinePath(runs).match(/M/g)).toHaveLength(2);
  });

  test('of equal values lies in the middle, and of one value is seen', () => {
    expect(sparklineRuns([0, 1], [7, 7], BOX)[0]!.map(({ y }) => y)).toEqual([10, 10]);
    expect(sparklinePath(sparklineRuns([5], [7], BOX))).toBe('M98 10h0.01');
  });

  test('of nothing is nothing', () => {
    expect(sparklinePath(sparklineRuns([], [], BOX))).toBe('');
    expect(sparklineRuns([1, 2], [null, null], BOX)).toEqual([]);
  });
});
