import { describe, expect, test } from '@jest/globals';
import { clockTime, instantOfLocal, isTimeZone, localMs } from '../../web/src/time/zone.ts';

const PARIS = 'Europe/Paris';

describe('clocks of zones', () => {
  test('show the time of the zone, before 1970 too', () => {
    expect(clockTime(Date.parse('2026-07-01T22:30:15.250Z'), PARIS)).toEqual({
      year: 2026,
      month: 7,
      day: 2,
      hour: 0,
      minute: 30,
      second: 15,
      millisecond: 250,
    });
    expect(clockTime(-1, 'UTC')).toMatchObject({ year: 1969, second: 59, millisecond: 999 });
  });

  test('and instants go into each other', () => {
    for (const iso of ['2026-01-15T10:00Z', '2026-07-15T10:00Z', '2026-03-29T05:00Z']) {
      const instantMs = Date.parse(iso);
      expect(instantOfLocal(localMs(instantMs, PARIS), PARIS)).toBe(instantMs);
    }
  });

  test('take the first of a time that is shown twice, and go past one that is skipped', () => {
    const twice = Date.UTC(2026, 9, 25, 2, 30);
    expect(new Date(instantOfLocal(twice, PARIS)).toISOString()).toBe('2026-10-25T00:30:00.000Z');
    const skipped = Date.UTC(2026, 2, 29, 2, 30);
    expect(new Date(instantOfLocal(skipped, PARIS)).toISOString()).toBe('2026-03-29T01:30:00.000Z');
  });

  test('know which names are zones', () => {
    expect(isTimeZone('America/St_Johns')).toBe(true);
    expect(isTimeZone('Nowhere/Land')).toBe(false);
  });
});
