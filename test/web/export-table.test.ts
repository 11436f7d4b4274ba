import { describe, expect, test } from '@jest/globals';
import { exportCsv, exportJson } from '../../web/src/chart/export-table.ts';
import { streamOf } from './streams.ts';

const ROOM = streamOf('a', { title: 'Room, north "1"', unit: '°C' });
const DOOR = streamOf('b', { title: 'Door' });
const PARTS = [
  {
    stream: ROOM,
    columns: {
      granularity: 'minutes',
      isRaw: false,
      timestamps: [0, 60_000, 120_000],
      letters: { m: [1.5, null, 3], u: [2, null, 1e21] },
    },
  },
  {
    stream: DOOR,
    columns: {
      granularity: 'seconds',
      isRaw: true,
      timestamps: [59_000, 60_000],
      letters: { m: ['open\n', null] },
    },
  },
];

describe('what a chart of several streams exports', () => {
  test('is a line for each instant of the window, and fields that say what they are', () => {
    expect(exportCsv(PARTS, { startMs: 30_000, endMs: 120_000 }).split('\r\n')).toEqual([
      'time,"Room, north ""1"" mean","Room, north ""1"" max",Door',
      '1970-01-01T00:00:59.000Z,,,"open\n"',
      '1970-01-01T00:01:00.000Z,,,',
      '1970-01-01T00:02:00.000Z,3,1e+21,',
      '',
    ]);
  });

  test('is as JSON what the API calls columns', () => {
    const { series } = JSON.parse(exportJson(PARTS, { startMs: 0, endMs: 60_000 }));
    expect(series).toEqual([
      {
        stream: 'a',
        title: 'Room, north "1"',
        unit: '°C',
        granularity: 'minutes',
        timestamps: [0, 60_000],
        v: { m: [1.5, null], u: [2, null] },
      },
      {
        stream: 'b',
        title: 'Door',
        unit: '',
        granularity: 'seconds',
        timestamps: [59_000, 60_000],
        values: ['open\n', null],
      },
    ]);
  });
});
