import { describe, expect, test } from '@jest/globals';
import { timeTicks } from '../../web/src/time/ticks.ts';

function labels(start: string, end: string, zone: string, countMax: number): readonly string[] {
  const window = { startMs: Date.parse(start), endMs: Date.parse(end) };
  return timeTicks(window, { zone, countMax }).map(({ label, context }) =>
    context === null ? label : `${label} | ${context}`,
  );
}

describe('ticks of a time axis', () => {
  test('are round on the clock of the zone, and say the day once', () => {
    expect(labels('2026-03-01T22:10:00Z', '2026-03-02T01:50:00Z', 'UTC', 4)).toEqual([
      '23:00 | 1 Mar 2026',
      '00:00 | 2 Mar 2026',
      '01:00',
    ]);
    // India is half an hour off the others: its full hours are not.
    expect(labels('2026-03-01T22:10:00Z', '2026-03-02T00:50:00Z', 'Asia/Kolkata', 4)).toEqual([
      '04:00 | 2 Mar 2026',
      '05:00',
      '06:00',
    ]);
  });

  test('begin days at midnight of the zone across a change of the clock', () => {
    const window = {
      startMs: Date.parse('2026-03-28T12:00Z'),
      endMs: Date.parse('2026-03-31T12:00Z'),
    };
    const ticks = timeTicks(window, { zone: 'Europe/Paris', countMax: 4 });
    expect(ticks.map(({ instantMs }) => new Date(instantMs).toISOString())).toEqual([
      '2026-03-28T23:00:00.000Z',
      '2026-03-29T22:00:00.000Z',
      '2026-03-30T22:00:00.000Z',
    ]);
  });

  test('leave out an hour that the clock skips, and never repeat an instant', () => {
    const window = {
      startMs: Date.parse('2026-03-29T00:00Z'),
      endMs: Date.parse('2026-03-29T04:00Z'),
    };
    const ticks = timeTicks(window, { zone: 'Europe/Paris', countMax: 8 });
    expect(new Set(ticks.map(({ instantMs }) => instantMs)).size).toBe(ticks.length);
    expect(ticks.map(({ label }) => label)).toContain('03:00');
    expect(ticks.map(({ label }) => label)).not.toContain('02:00');
  });

  test('go by months and years where days are too many', () => {
    expect(labels('2025-11-15T00:00Z', '2026-03-15T00:00Z', 'UTC', 6)).toEqual([
      'Dec | 2025',
      'Jan | 2026',
      'Feb',
      'Mar',
    ]);
    expect(labels('1990-06-01T00:00Z', '2026-06-01T00:00Z', 'UTC', 5)).toEqual([
      '2000',
      '2010',
      '2020',
    ]);
  });

  test('are at most as many as asked for, at every length of window', () => {
    for (let spanMs = 10; spanMs < 1e13; spanMs *= 1.7) {
      const startMs = Date.parse('2026-03-01T12:34:56.789Z');
      const ticks = timeTicks({ startMs, endMs: startMs + spanMs }, { zone: 'UTC', countMax: 8 });
      expect(ticks.length).toBeLessThanOrEqual(9);
    }
  });

  test('are none for a window without a length', () => {
    expect(timeTicks({ startMs: 5, endMs: 5 }, { zone: 'UTC', countMax: 8 })).toEqual([]);
  });
});
