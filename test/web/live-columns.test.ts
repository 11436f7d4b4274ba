import { describe, expect, test } from '@jest/globals';
import type { ChartColumns } from '../../web/src/chart/columns.ts';
import { appendRows, dropBefore, replaceTail } from '../../web/src/live/live-columns.ts';

const RAW: ChartColumns = {
  granularity: 'seconds',
  isRaw: true,
  timestamps: [1000, 2000],
  letters: { m: [1, 2] },
};
const MINUTES: ChartColumns = {
  granularity: 'minutes',
  isRaw: false,
  timestamps: [0, 60_000, 120_000],
  letters: { m: [1, 2, 3], l: [0, 1, 2], u: [2, 3, 4] },
};

describe('columns and live datapoints', () => {
  test('get longer by what is newer', () => {
    expect(appendRows(RAW, { timestamps: [3000, 3000], values: [3, 4] })).toMatchObject({
      timestamps: [1000, 2000, 3000, 3000],
      letters: { m: [1, 2, 3, 4] },
    });
    expect(RAW.timestamps).toEqual([1000, 2000]);
  });

  test('ask to be read anew for a correction, and for what an answer had brought already', () => {
    expect(appendRows(RAW, { timestamps: [1500], values: [9] })).toBeNull();
    expect(appendRows(RAW, { timestamps: [2000, 3000], values: [2, 3] })).toBeNull();
    expect(appendRows(MINUTES, { timestamps: [180_000], values: [1] })).toBeNull();
  });

  test('have their newest buckets replaced', () => {
    const tail = {
      ...MINUTES,
      timestamps: [120_000, 180_000],
      letters: { m: [30, 4], l: [20, 3], u: [40, 5] },
    };
    expect(replaceTail(MINUTES, tail, 120_000)).toMatchObject({
      timestamps: [0, 60_000, 120_000, 180_000],
      letters: { m: [1, 2, 30, 4], u: [2, 3, 40, 5] },
    });
  });

  test('lose what is not there any more', () => {
    const nothing = { ...MINUTES, timestamps: [], letters: {} };
    expect(replaceTail(MINUTES, nothing, 60_000)).toMatchObject({
      timestamps: [0],
      letters: { m: [1] },
    });
  });

  test('do not mix levels', () => {
    expect(replaceTail(MINUTES, RAW, 0)).toBeNull();
  });

  test('do not keep what went out of sight', () => {
    expect(dropBefore(MINUTES, 60_000)).toMatchObject({
      timestamps: [60_000, 120_000],
      letters: { l: [1, 2] },
    });
    expect(dropBefore(MINUTES, -1)).toBe(MINUTES);
  });
});
