import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CALENDAR_UNITS, evenCounts } from '../../src/model/calendar.ts';
import {
  bucketBeforeMs,
  bucketCeilMs,
  bucketEndMs,
  bucketStartMs,
  Granularity,
} from '../../src/model/granularity.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** What clocks on the wall show, as if that were UTC, found without offsets. */
function wallClock(timeZone: string): (instantMs: number) => number {
  const format = new Intl.DateTimeFormat('en-u-ca-iso8601', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (instantMs) => {
    const parts = new Map(
      format.formatToParts(instantMs).map(({ type, value }) => [type, Number(value)] as const),
    );
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type)!;
    return Date.UTC(
      part('year'),
      part('month') - 1,
      part('day'),
      part('hour'),
      part('minute'),
      part('second'),
    );
  };
}

type Floor = (localMs: number) => number;

function monthFloor(monthCount: number): Floor {
  return (localMs) => {
    const date = new Date(localMs);
    const month = Math.floor(date.getUTCMonth() / monthCount) * monthCount;
    return Date.UTC(date.getUTCFullYear(), month);
  };
}

/** Of the weekday, 0 being Sunday. */
function weekFloor(weekday: number): Floor {
  return (localMs) => {
    let dayMs = Math.floor(localMs / DAY_MS) * DAY_MS;
    while (new Date(dayMs).getUTCDay() !== weekday) dayMs -= DAY_MS;
    return dayMs;
  };
}

const CLOCK_STEPS = ['minutes', '5minutes', '15minutes', 'hours', '2hours', '6hours', '12hours'];
const DATE_FLOORS: Readonly<Record<string, Floor>> = {
  days: (localMs) => Math.floor(localMs / DAY_MS) * DAY_MS,
  weeks: weekFloor(1),
  sunday_weeks: weekFloor(0),
  months: monthFloor(1),
  '2months': monthFloor(2),
  quarters: monthFloor(3),
  years: monthFloor(12),
};

interface Walk {
  readonly timeZone: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
}

/** Looks at the clock from step to step, and checks that buckets begin where it says so, and nowhere else. */
function expectBucketsAsClocksShow({ timeZone, startMs, endMs, stepMs }: Walk): void {
  const clock = wallClock(timeZone);
  const walls: number[] = [];
  for (let atMs = startMs; atMs < endMs; atMs += stepMs) walls.push(clock(atMs));
  for (const name of CLOCK_STEPS) {
    const granularity = Granularity.byName(`${name}@${timeZone}`);
    if (granularity.durationMs < stepMs) continue;
    const floor = (localMs: number): number => Math.floor(localMs / granularity.durationMs);
    expectStarts(granularity, { startMs, stepMs }, (index) => {
      const wallMs = walls[index]!;
      return wallMs % granularity.durationMs === 0 || floor(wallMs) > floor(walls[index - 1]!);
    });
  }
  for (const [name, floor] of Object.entries(DATE_FLOORS)) {
    const granularity = Granularity.byName(`${name}@${timeZone}`);
    const latest: number[] = [];
    for (const wallMs of walls) {
      latest.push(Math.max(latest.at(-1) ?? Number.NEGATIVE_INFINITY, floor(wallMs)));
    }
    expectStarts(granularity, { startMs, stepMs }, (index) => latest[index]! > latest[index - 1]!);
  }

  function expectStarts(
    granularity: Granularity,
    from: { readonly startMs: number; readonly stepMs: number },
    isStart: (index: number) => boolean,
  ): void {
    let bucketMs = bucketStartMs(from.startMs, granularity);
    for (let index = 1; index < walls.length; index++) {
      const atMs = from.startMs + index * from.stepMs;
      if (isStart(index)) {
        const endMs = bucketEndMs(bucketMs, granularity);
        if (endMs !== atMs) fail(granularity, atMs, `the bucket before ends ${iso(endMs)}`);
        bucketMs = atMs;
      }
      const foundMs = bucketStartMs(atMs, granularity);
      if (foundMs !== bucketMs) fail(granularity, atMs, `its bucket starts ${iso(foundMs)}`);
    }
  }
}

function fail(granularity: Granularity, atMs: number, what: string): never {
  throw new Error(`${granularity} at ${iso(atMs)}: ${what}`);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** A zone with days on which its clocks are changed. */
const CHANGES: readonly (readonly [string, string])[] = [
  ['Europe/Paris', '2024-03-31'],
  ['Europe/Paris', '2024-10-27'],
  ['America/New_York', '2024-03-10'],
  ['America/New_York', '2024-11-03'],
  ['Asia/Kolkata', '2024-06-01'],
  ['Asia/Kathmandu', '1986-01-01'],
  ['Australia/Lord_Howe', '2024-04-07'],
  ['Australia/Lord_Howe', '2024-10-06'],
  ['Africa/Casablanca', '2024-03-10'],
  ['Africa/Casablanca', '2024-04-14'],
  ['Pacific/Apia', '2011-12-30'],
  ['America/Sao_Paulo', '2017-10-15'],
  ['America/Sao_Paulo', '2018-02-18'],
  ['America/St_Johns', '2000-04-02'],
  ['America/St_Johns', '2000-10-29'],
  ['Africa/Cairo', '2010-08-11'],
  ['America/Juneau', '1983-10-30'],
  ['Pacific/Kwajalein', '1993-08-21'],
  ['Asia/Pyongyang', '2018-05-05'],
];

/** A zone with instants at which it left its local mean time. */
const HISTORIC: readonly (readonly [string, string])[] = [
  ['Europe/Paris', '1911-03-10T23:50:39Z'],
  ['Europe/Amsterdam', '1937-06-30T22:40:28Z'],
  ['Africa/Monrovia', '1972-01-07T00:44:30Z'],
  ['Asia/Kolkata', '1945-10-14T17:30:00Z'],
];

describe('buckets of calendars', () => {
  test.each(CHANGES)('%s, around %s: are what clocks show', (timeZone, day) => {
    const dayMs = Date.parse(day);
    const startMs = dayMs - 26 * HOUR_MS;
    const endMs = dayMs + 26 * HOUR_MS;
    expectBucketsAsClocksShow({ timeZone, startMs, endMs, stepMs: MINUTE_MS });
  });

  test.each(HISTORIC)('%s, second by second around %s: are what clocks show', (timeZone, at) => {
    const changeMs = Date.parse(at);
    const startMs = changeMs - 20 * MINUTE_MS;
    const endMs = changeMs + 20 * MINUTE_MS;
    expectBucketsAsClocksShow({ timeZone, startMs, endMs, stepMs: SECOND_MS });
  });

  test.each(['Europe/Paris', 'Australia/Lord_Howe', 'America/Sao_Paulo', 'Asia/Tehran'])(
    '%s, through years: are what clocks show',
    (timeZone) => {
      const startMs = Date.UTC(2015, 11, 20);
      const endMs = Date.UTC(2018, 1, 20);
      expectBucketsAsClocksShow({ timeZone, startMs, endMs, stepMs: 30 * MINUTE_MS });
    },
  );

  const zone = fc.constantFrom(
    'UTC',
    ...new Set([...CHANGES, ...HISTORIC].map(([timeZone]) => timeZone)),
  );
  const step = fc
    .constantFrom(...CALENDAR_UNITS)
    .chain((unit) =>
      fc.record({ unit: fc.constant(unit), every: fc.constantFrom(...evenCounts(unit)) }),
    );
  const instant = fc.oneof(
    fc.integer({ min: Date.UTC(1850, 0), max: Date.UTC(2100, 0) }),
    fc.integer({ min: -8.64e15, max: 8.64e15 }),
  );

  test('hold each instant, and follow each other without gaps', () => {
    fc.assert(
      fc.property(zone, step, instant, (timeZone, { every, unit }, instantMs) => {
        const granularity = Granularity.of({ every, unit, timeZone });
        const startMs = bucketStartMs(instantMs, granularity);
        const endMs = bucketEndMs(instantMs, granularity);
        expect(startMs).toBeLessThanOrEqual(instantMs);
        expect(endMs).toBeGreaterThan(instantMs);
        for (const insideMs of [startMs, endMs - 1, startMs + Math.floor((endMs - startMs) / 2)]) {
          expect(bucketStartMs(insideMs, granularity)).toBe(startMs);
          expect(bucketEndMs(insideMs, granularity)).toBe(endMs);
        }
        expect(bucketStartMs(endMs, granularity)).toBe(endMs);
        expect(bucketBeforeMs(endMs, granularity)).toBe(startMs);
        const ceilMs = startMs === instantMs ? startMs : endMs;
        // Not `toBe`, for which 0 and -0 are not the same.
        expect(bucketCeilMs(instantMs, granularity) === ceilMs).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('days and hours on which clocks are changed', () => {
  const hoursOf = (name: string, from: string, count: number): readonly string[] => {
    const granularity = Granularity.byName(name);
    const result: string[] = [];
    let startMs = granularity.bucketStart(Date.parse(from)).getTime();
    for (let index = 0; index < count; index++) {
      const endMs = granularity.bucketEnd(startMs).getTime();
      result.push(`${iso(startMs).slice(0, 16)} ${(endMs - startMs) / HOUR_MS}`);
      startMs = endMs;
    }
    return result;
  };

  test('a day has 23 hours where clocks are put forward, and 25 where they are put back', () => {
    expect(hoursOf('days@Europe/London', '2011-10-30T12:00Z', 2)).toEqual([
      '2011-10-29T23:00 25',
      '2011-10-31T00:00 24',
    ]);
    expect(hoursOf('days@Europe/Paris', '2024-03-30T12:00Z', 3)).toEqual([
      '2024-03-29T23:00 24',
      '2024-03-30T23:00 23',
      '2024-03-31T22:00 24',
    ]);
  });

  test('an hour that is repeated is two buckets', () => {
    expect(hoursOf('hours@Europe/Paris', '2024-10-26T23:30Z', 3)).toEqual([
      '2024-10-26T23:00 1',
      '2024-10-27T00:00 1',
      '2024-10-27T01:00 1',
    ]);
    expect(hoursOf('6hours@Europe/Paris', '2024-10-26T23:30Z', 2)).toEqual([
      '2024-10-26T22:00 7',
      '2024-10-27T05:00 6',
    ]);
  });

  test('half an hour more or less makes the hour around it longer or shorter', () => {
    expect(hoursOf('hours@Australia/Lord_Howe', '2024-04-06T14:30Z', 2)).toEqual([
      '2024-04-06T14:00 1.5',
      '2024-04-06T15:30 1',
    ]);
    expect(hoursOf('hours@Australia/Lord_Howe', '2024-10-05T15:00Z', 2)).toEqual([
      '2024-10-05T14:30 1',
      '2024-10-05T15:30 0.5',
    ]);
  });

  test('a day that a zone left out has no bucket', () => {
    expect(hoursOf('days@Pacific/Apia', '2011-12-29T20:00Z', 2)).toEqual([
      '2011-12-29T10:00 24',
      '2011-12-30T10:00 24',
    ]);
    expect(hoursOf('days@Pacific/Apia', '2011-12-29T09:00Z', 1)).toEqual(['2011-12-28T10:00 24']);
  });

  test('weeks begin on Monday or Sunday, and belong to no year', () => {
    expect(hoursOf('weeks@Europe/Paris', '2024-12-31T14:30Z', 1)).toEqual(['2024-12-29T23:00 168']);
    expect(hoursOf('sunday_weeks@Europe/Paris', '2024-12-31T14:30Z', 1)).toEqual([
      '2024-12-28T23:00 168',
    ]);
    expect(hoursOf('weeks', '2024-12-31T14:30Z', 1)).toEqual(['2024-12-30T00:00 168']);
  });
});
