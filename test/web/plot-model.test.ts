import { describe, expect, test } from '@jest/globals';
import { axisRange } from '../../web/src/chart/axis-range.ts';
import { type ChartColumns, chartColumns, withGaps } from '../../web/src/chart/columns.ts';
import { joinTables, lastRowUntil, nearestRow } from '../../web/src/chart/join-columns.ts';
import { plotEvents } from '../../web/src/chart/plot-events.ts';
import { type PlotLine, plotModel } from '../../web/src/chart/plot-model.ts';
import { streamOf } from './streams.ts';

const MINUTES: ChartColumns = {
  granularity: 'minutes',
  isRaw: false,
  timestamps: [0, 60_000],
  letters: { m: [5, 6], l: [1, 2], u: [9, 8] },
};

function line(id: string, others: Partial<PlotLine> = {}): PlotLine {
  return {
    id,
    label: id,
    unit: '',
    axis: 'y',
    color: 0,
    kind: 'line',
    letter: 'm',
    columns: MINUTES,
    ...others,
  };
}

describe('what a plot draws', () => {
  test('is a line with its band, buckets in their middle', () => {
    const { series, bands, joined } = plotModel([line('a')]);
    expect(series.map(({ role }) => role)).toEqual(['value', 'low', 'high']);
    expect(bands).toEqual([{ high: 2, low: 1, color: 0, isStack: false }]);
    expect(joined.times).toEqual([30_000, 90_000]);
    expect(joined.columns).toEqual([
      [5, 6],
      [1, 2],
      [9, 8],
    ]);
  });

  test('is half a band where there is one extreme, and a band alone without a line', () => {
    const half = { ...MINUTES, letters: { m: [5, 6], u: [9, 8] } };
    expect(plotModel([line('a', { columns: half })]).bands).toEqual([
      { high: 1, low: 0, color: 0, isStack: false },
    ]);
    expect(plotModel([line('a', { kind: 'band' })]).series.map(({ role }) => role)).toEqual([
      'low',
      'high',
    ]);
  });

  test('of raw datapoints is the line', () => {
    const raw = { granularity: 'seconds', isRaw: true, timestamps: [7], letters: { m: [3] } };
    const { joined, bands } = plotModel([line('a', { columns: raw, letter: 's' })]);
    expect(joined).toEqual({ times: [7], columns: [[3]] });
    expect(bands).toEqual([]);
  });

  test('leaves out hidden lines', () => {
    expect(plotModel([line('a'), line('b')], new Set(['a'])).series[0]!.lineId).toBe('b');
  });

  test('stacks sums, and keeps the own values beside them', () => {
    const stack = (id: string, m: (number | null)[]): PlotLine =>
      line(id, { kind: 'stack', columns: { ...MINUTES, letters: { m } } });
    const { joined, own, bands } = plotModel([stack('a', [1, 2]), stack('b', [10, null])]);
    expect(joined.columns).toEqual([
      [1, 2],
      [11, 2],
    ]);
    expect(own.columns[1]).toEqual([10, null]);
    expect(bands.map(({ high, low }) => [high, low])).toEqual([
      [0, null],
      [1, 0],
    ]);
  });

  test('has one axis for each unit, with the widest ends', () => {
    const { axes } = plotModel([
      line('a', { axis: 'W', unit: 'W', minimum: 0 }),
      line('b', { axis: 'W', unit: 'W', minimum: -5, maximum: 3 }),
      line('c', { axis: 'V', unit: 'V' }),
    ]);
    const rest = { divisor: 1, isOfAreas: false };
    expect(axes).toEqual([
      { key: 'W', unit: 'W', minimum: -5, maximum: 3, color: null, ...rest },
      { key: 'V', unit: 'V', minimum: null, maximum: null, color: 0, ...rest },
    ]);
  });
});

describe('columns of charts', () => {
  test('break where datapoints are missing, not where they always come so rarely', () => {
    const times = [0, 1000, 2000, 30_000, 31_000];
    expect(withGaps(times, [[1, 2, 3, 4, 5]], 0)).toEqual({
      times: [0, 1000, 2000, 16_000, 30_000, 31_000],
      columns: [[1, 2, 3, null, 4, 5]],
    });
    expect(withGaps([0, 60_000, 120_000], [[1, 2, 3]], 0).times).toHaveLength(3);
    expect(withGaps(times, [[1, 2, 3, 4, 5]], 10_000).times).toHaveLength(5);
  });

  test('have a gap where one bucket is missing among others that are all there', () => {
    const minutes = Array.from({ length: 30 }, (_, row) => (row < 20 ? row : row + 1) * 60_000);
    const { times, columns } = withGaps(minutes, [minutes], 60_000);
    expect(times[20]).toBe(20 * 60_000);
    expect(columns[0]![20]).toBeNull();
    expect(times).toHaveLength(31);
    // Every second bucket is empty: nothing is missing.
    expect(withGaps(minutes, [minutes], 30_000).times).toHaveLength(30);
  });

  test('of several streams come over all of their times', () => {
    const joined = joinTables([
      { times: [1, 3], columns: [[10, 30]] },
      { times: [2, 3], columns: [[null, 33]] },
    ]);
    expect(joined).toEqual({
      times: [1, 2, 3],
      columns: [
        [10, undefined, 30],
        [undefined, null, 33],
      ],
    });
    expect(nearestRow(joined, { column: 0, row: 1 })).toBe(0);
    expect(nearestRow(joined, { column: 1, row: 0 })).toBe(1);
    expect(nearestRow(joined, { column: 5, row: 0 })).toBeNull();
    expect(nearestRow(joined, { column: 0, row: 9 })).toBeNull();
    expect(lastRowUntil(joined.times, 2.5)).toBe(1);
    expect(lastRowUntil(joined.times, 0)).toBe(-1);
  });

  test('come from answers of both kinds', () => {
    const answer = { granularity: 'seconds', timestamps: [1], next: null };
    expect(chartColumns({ ...answer, values: [4] })).toMatchObject({
      isRaw: true,
      letters: { m: [4] },
    });
    expect(chartColumns({ ...answer, v: { u: [4] } })).toMatchObject({
      isRaw: false,
      letters: { u: [4] },
    });
  });
});

describe('the ends of a y axis', () => {
  const FREE = { minimum: null, maximum: null };
  test('leave some room, but none below zero for what is never negative', () => {
    expect(axisRange(0, 100, FREE)).toEqual([0, 106]);
    expect(axisRange(-10, 90, FREE)[0]).toBe(-16);
  });

  test('are where they were fixed, and never equal', () => {
    expect(axisRange(3, 5, { minimum: 0, maximum: 10 })).toEqual([0, 10]);
    for (const [low, high] of [axisRange(7, 7, FREE), axisRange(null, null, FREE)]) {
      expect(high).toBeGreaterThan(low);
    }
    expect(axisRange(-5, -3, { minimum: 0, maximum: null })[1]).toBeGreaterThan(0);
  });
});

test('events are marked at each datapoint, and at buckets that have some', () => {
  const stream = streamOf('e', { label: 'Alarm', message: 'Too hot' });
  const raw = { granularity: 'seconds', isRaw: true, timestamps: [5], letters: { m: [1] } };
  expect(plotEvents(stream, raw, 3)).toEqual([
    { timeMs: 5, label: 'Alarm', message: 'Too hot', color: 3 },
  ]);
  const counts = { ...MINUTES, letters: { c: [0, 2] } };
  expect(plotEvents(stream, counts, 3).map(({ timeMs }) => timeMs)).toEqual([90_000]);
});
