import { describe, expect, test } from '@jest/globals';
import { parseLiveEvent, reaches } from '../../web/src/live/live-event.ts';
import { summaryOf, withRows } from '../../web/src/live/stream-summary.ts';

const parse = (event: unknown) => parseLiveEvent(JSON.stringify(event));

describe('live events', () => {
  test('bring datapoints', () => {
    expect(
      parse({
        kind: 'appended',
        streamId: 's',
        timestamps: [1, '1970-01-01T00:00:02Z'],
        values: [5, null],
      }),
    ).toEqual({
      kind: 'appended',
      streamId: 's',
      rows: { timestamps: [1, 2000], values: [5, null] },
    });
  });

  test('say from when on something may have changed', () => {
    const from = '1970-01-01T00:00:03Z';
    expect(parse({ kind: 'changed', streamId: 's', from })).toMatchObject({ fromMs: 3000 });
    expect(parse({ kind: 'changed', streamId: 's', from: null })).toMatchObject({ fromMs: null });
    const levels = { minutes: { from: 5000, until: 9000 }, hours: { from: 4000, until: 9000 } };
    expect(parse({ kind: 'levels', streamId: 's', levels })).toMatchObject({ fromMs: 4000 });
    expect(
      parse({ kind: 'levels', streamId: 's', levels: { ...levels, days: { from: null } } }),
    ).toMatchObject({ fromMs: null });
  });

  test('begin with where the streams are', () => {
    const streams = [
      { streamId: 'a', tags: {}, position: { latest: '1970-01-01T00:00:03Z', count: 1, edits: 0 } },
      { streamId: 'b', tags: {}, position: { latest: null, count: 0, edits: 0 } },
    ];
    expect(parse({ kind: 'ready', streams })).toEqual({
      kind: 'ready',
      positions: new Map([['a', { latestMs: 3000, count: 1 }]]),
    });
    expect(parse({ kind: 'ready' })).toEqual({ kind: 'ready', positions: new Map() });
  });

  test('that are not known do no harm', () => {
    expect(parse({ kind: 'reset', streams: [] })).toEqual({ kind: 'reset' });
    expect(parse({ kind: 'news', streamId: 's' })).toBeNull();
    expect(parse({ kind: 'appended', streamId: 's' })).toBeNull();
    expect(parseLiveEvent('not JSON')).toBeNull();
    expect(parseLiveEvent('null')).toBeNull();
  });
});

describe('what the list shows of a stream', () => {
  const summary = summaryOf(
    { granularity: 'seconds', timestamps: [30, 20], values: [3, 2], next: null },
    { granularity: 'minutes', timestamps: [0, 10], v: { m: [1, null] }, next: null },
  );

  test('is in the order of time', () => {
    expect(summary.recent).toEqual({ timestamps: [20, 30], values: [2, 3] });
    expect(summary.trend).toEqual({ timestamps: [0, 10], values: [1, null] });
  });

  test('goes on with what is newer, and is read anew for everything else', () => {
    const next = withRows(summary, { timestamps: [40, 40], values: [4, 5] })!;
    expect(next.recent).toEqual({ timestamps: [20, 30, 40, 40], values: [2, 3, 4, 5] });
    expect(next.trend.timestamps).toEqual([0, 10, 40, 40]);
    expect(withRows(next, { timestamps: [35], values: [9] })).toBeNull();
    expect(withRows(next, { timestamps: [40], values: [4] })).toBeNull();
  });

  test('reaches a position with all of its newest datapoints', () => {
    expect(reaches([1, 2, 2], { latestMs: 2, count: 2 })).toBe(true);
    expect(reaches([1, 2], { latestMs: 2, count: 2 })).toBe(false);
    expect(reaches([1], { latestMs: 2, count: 1 })).toBe(false);
    expect(reaches([3], { latestMs: 2, count: 9 })).toBe(true);
    expect(reaches([], { latestMs: 2, count: 1 })).toBe(false);
  });

  test('does not grow without end', () => {
    const timestamps = Array.from({ length: 5000 }, (_, row) => 100 + row);
    const long = withRows(summary, { timestamps, values: timestamps })!;
    expect(long.recent.timestamps).toHaveLength(8);
    expect(long.trend.timestamps.length).toBeLessThan(1000);
    expect(long.trend.timestamps.at(-1)).toBe(5099);
  });
});
