import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import {
  bucketCeilMs,
  bucketEndMs,
  bucketStartMs,
  Granularity,
  lowerGranularities,
} from '../../src/model/granularity.ts';
import { TIME_MAX_MS } from '../../src/model/time-range.ts';

const granularities = fc.constantFrom(...Granularity.values);
/** Half of them within days of the epoch, where rounding toward zero would show. */
const instants = fc.oneof(
  fc.integer({ min: -300_000_000, max: 300_000_000 }),
  // Buckets at the very ends of what a Date holds start or end outside it.
  fc.maxSafeInteger().map((value) => value % (TIME_MAX_MS - 86_400_000)),
);

describe('granularities', () => {
  test.each(['hours', 'days', 'weeks', '15minutes@Asia/Kolkata', 'months@Europe/Paris'])(
    'of %s keep infinite instants, which stand for no bucket',
    (name) => {
      const granularity = Granularity.byName(name);
      for (const instant of [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]) {
        expect(bucketStartMs(instant, granularity)).toBe(instant);
        expect(bucketEndMs(instant, granularity)).toBe(instant);
        expect(bucketCeilMs(instant, granularity)).toBe(instant);
      }
    },
  );

  test('run from highest to lowest, with the names, keys and durations users know', () => {
    expect(
      Granularity.values.map(({ name, key, durationMs }) => [name, key, durationMs / 1000]),
    ).toEqual([
      ['seconds', 's', 1],
      ['10seconds', 'S', 10],
      ['minutes', 'm', 60],
      ['10minutes', 'M', 600],
      ['hours', 'h', 3600],
      ['6hours', 'H', 21_600],
      ['days', 'd', 86_400],
    ]);
  });

  test('are frozen', () => {
    expect([Granularity, Granularity.values, ...Granularity.values].every(Object.isFrozen)).toBe(
      true,
    );
  });

  test('are found by name', () => {
    for (const granularity of Granularity.values) {
      expect(Granularity.byName(granularity.name)).toBe(granularity);
    }
  });

  test.each([
    'week',
    '',
    'Seconds',
    'constructor',
    's',
    '7days',
    '25hours',
    '7minutes',
    '0minutes',
    'days@',
    'days@Mars/Olympus',
    'days@+02:00',
    '15minutes@',
  ])('have none of the name %j', (name) => {
    expect(() => Granularity.byName(name)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_GRANULARITY' }),
    );
  });

  test('are one object for each, however it is named', () => {
    const { of } = Granularity;
    expect(of({ unit: 'days' })).toBe(Granularity.Days);
    expect(of({ every: 60, unit: 'seconds' })).toBe(Granularity.Minutes);
    expect(of({ every: 60, unit: 'minutes', timeZone: 'Asia/Kolkata' })).toBe(
      Granularity.byName('hours@Asia/Kolkata'),
    );
    expect(of({ every: 3, unit: 'months' })).toBe(Granularity.byName('quarters'));
    expect(of({ every: 12, unit: 'months', timeZone: 'europe/paris' })).toBe(
      Granularity.byName('years@Europe/Paris'),
    );
    expect(of({ unit: 'days', timeZone: 'Etc/UTC' })).toBe(Granularity.Days);
    // Seconds are the same all over the world.
    expect(of({ every: 10, unit: 'seconds', timeZone: 'Asia/Tokyo' })).toBe(Granularity.Seconds10);
    expect(of({ every: 15, unit: 'minutes', timeZone: 'Asia/Tokyo' }).name).toBe(
      '15minutes@Asia/Tokyo',
    );
  });

  test('refuse units that are none', () => {
    for (const step of [
      { unit: 'fortnights' },
      { every: 1.5, unit: 'hours' },
      { every: 5, unit: 'weeks' },
    ]) {
      expect(() => Granularity.of(step as never)).toThrow(
        expect.objectContaining({ code: 'UNSUPPORTED_GRANULARITY' }),
      );
    }
  });

  test('below one are those that come after it', () => {
    Granularity.values.forEach(({ name }, index) => {
      expect(lowerGranularities(name)).toEqual(Granularity.values.slice(index + 1));
    });
    expect(lowerGranularities('days')).toEqual([]);
  });
});

describe('buckets', () => {
  test('partition time: each instant lies in exactly the bucket that starts at its start', () => {
    fc.assert(
      fc.property(instants, granularities, (timestampMs, granularity) => {
        const startMs = bucketStartMs(timestampMs, granularity);
        expect(startMs).toBeLessThanOrEqual(timestampMs);
        expect(startMs + granularity.durationMs).toBeGreaterThan(timestampMs);
        expect(Math.abs(startMs % granularity.durationMs)).toBe(0);
        expect(bucketStartMs(startMs, granularity)).toBe(startMs);
        expect(bucketStartMs(startMs + granularity.durationMs - 1, granularity)).toBe(startMs);
        expect(bucketStartMs(startMs - 1, granularity)).toBe(startMs - granularity.durationMs);
      }),
    );
  });

  test('nest: the bucket of a finer bucket start is the bucket of the instant', () => {
    fc.assert(
      fc.property(instants, granularities, (timestampMs, granularity) => {
        for (const lower of lowerGranularities(granularity.name)) {
          expect(bucketStartMs(bucketStartMs(timestampMs, granularity), lower)).toBe(
            bucketStartMs(timestampMs, lower),
          );
        }
      }),
    );
  });

  test('round up to the instant itself on a boundary, to the next start elsewhere', () => {
    fc.assert(
      fc.property(instants, granularities, (timestampMs, granularity) => {
        const startMs = bucketStartMs(timestampMs, granularity);
        // `+ 0` makes one zero of the two.
        expect(bucketCeilMs(timestampMs, granularity) + 0).toBe(
          startMs === timestampMs ? startMs + 0 : startMs + granularity.durationMs,
        );
      }),
    );
  });

  test('start on round UTC boundaries, before 1970 too', () => {
    const start = (granularity: Granularity, text: string) =>
      granularity.bucketStart(new Date(text)).toISOString();
    expect(start(Granularity.Hours6, '2016-02-29T17:59:59.999Z')).toBe('2016-02-29T12:00:00.000Z');
    expect(start(Granularity.Days, '1969-12-31T23:59:59.999Z')).toBe('1969-12-31T00:00:00.000Z');
    expect(start(Granularity.Seconds10, '1969-12-31T23:59:59.999Z')).toBe(
      '1969-12-31T23:59:50.000Z',
    );
    expect(start(Granularity.Seconds, '1970-01-01T00:00:00.000Z')).toBe('1970-01-01T00:00:00.000Z');
    expect(Granularity.Minutes.bucketStart(119_999).getTime()).toBe(60_000);
  });
});

test('a granularity is its name as text and in JSON', () => {
  for (const granularity of Granularity.values) {
    expect(`${granularity}`).toBe(granularity.name);
    expect(JSON.stringify({ granularity })).toBe(JSON.stringify({ granularity: granularity.name }));
  }
});

describe('what is no granularity', () => {
  const refusal = (give: () => unknown): unknown => {
    try {
      return give();
    } catch (error) {
      const { code, message } = error as { code: string; message: string };
      expect(code).toBe('UNSUPPORTED_GRANULARITY');
      return message;
    }
  };

  test.each<[unknown, string]>([
    [null, 'null'],
    [undefined, 'undefined'],
    [5, '5'],
    ['minutes', '"minutes"'],
    [Symbol('minutes'), 'Symbol(minutes)'],
  ])('is refused by its value: %p', (step, shown) => {
    expect(refusal(() => Granularity.of(step as never))).toBe(
      `Expected a granularity as { every, unit, timeZone }, not ${shown}.`,
    );
  });

  test.each<[unknown, string]>([
    ['15', '"15"'],
    [1n, '1'],
    [7, '7'],
    [Number.NaN, 'NaN'],
    [null, 'null'],
    [[15], 'an array'],
    [{}, 'an object'],
  ])('is refused by how many units it has: %p', (every, shown) => {
    const message = refusal(() => Granularity.of({ every, unit: 'weeks' } as never));
    expect(message).toBe(
      'Argument every of weeks must be one of the numbers that divide evenly into larger units, ' +
        `1, not ${shown}.`,
    );
  });

  test.each<unknown>(['', 'fortnights', null, 5, 1n, {}, Symbol('days')])(
    'is refused by its unit, zone or name: %p',
    (given) => {
      const unit = given as never;
      expect(refusal(() => Granularity.of({ unit }))).toMatch(/^Unknown unit /);
      expect(refusal(() => Granularity.of({ unit: 'days', timeZone: unit }))).toMatch(
        /^Unknown time zone /,
      );
      expect(refusal(() => Granularity.byName(unit))).toMatch(/^Unknown granularity /);
    },
  );
});
