import fc from 'fast-check';

/** Zones, each with an instant around which its clocks are changed, or show an odd time. */
export const PLACES: readonly (readonly [timeZone: string, instant: string])[] = [
  ['UTC', '2024-02-29T12:00:00Z'],
  ['Europe/Paris', '2024-03-31T01:00:00Z'],
  ['Europe/Paris', '2024-10-27T01:00:00Z'],
  ['Europe/Paris', '1911-03-10T23:50:39Z'],
  ['America/New_York', '2024-11-03T06:00:00Z'],
  ['America/St_Johns', '2000-04-02T03:31:00Z'],
  ['America/St_Johns', '2000-10-29T02:31:00Z'],
  ['Asia/Kolkata', '2024-01-01T00:00:00Z'],
  ['Asia/Kathmandu', '1985-12-31T18:30:00Z'],
  ['Australia/Lord_Howe', '2024-04-06T15:00:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00:00Z'],
  ['America/Sao_Paulo', '2017-10-15T03:00:00Z'],
  ['Africa/Monrovia', '1972-01-07T00:44:30Z'],
  ['Europe/Amsterdam', '1937-06-30T22:40:28Z'],
];

/** Levels that streams may have beside those that all have, from the finest. */
export const EXTRA_LEVELS: readonly string[] = [
  '15seconds',
  '30seconds',
  '2minutes',
  '5minutes',
  '15minutes',
  '30minutes',
  'hours',
  '2hours',
  '6hours',
  '12hours',
  'days',
  'weeks',
  'sunday_weeks',
  'months',
  '2months',
  'quarters',
  'years',
];

/** The further levels of a stream. */
export interface Extra {
  readonly timeZone: string;
  readonly levels: readonly string[];
}

/** Where and when a history happens. */
export interface Setting {
  /** Seconds since 1970 at which it begins; late datapoints may be earlier. */
  readonly start: number;
  /** By stream, of those that derive from nothing. */
  readonly extras: readonly Extra[];
}

/** Of a stream that has only the levels that all have. */
export const NO_EXTRA: Extra = { timeZone: 'UTC', levels: [] };

/** At noon, where one stream has calendars of its own. */
export const PLAIN_SETTING: Setting = {
  start: Date.UTC(2000, 0, 1, 12) / 1000,
  extras: [
    NO_EXTRA,
    {
      timeZone: 'Asia/Kathmandu',
      levels: ['30seconds', '5minutes', '12hours', 'weeks', 'months'],
    },
    NO_EXTRA,
    NO_EXTRA,
    NO_EXTRA,
  ],
};

/** Before clocks are changed, mostly with streams of the zone where that happens. */
export const setting: fc.Arbitrary<Setting> = fc.constantFrom(...PLACES).chain(([here, instant]) =>
  fc.record({
    start: fc
      .integer({ min: 0, max: 12_000 })
      .map((seconds) => Math.floor(Date.parse(instant) / 1000) - seconds),
    extras: fc.array(extraAt(here), { minLength: 5, maxLength: 5 }),
  }),
);

function extraAt(here: string): fc.Arbitrary<Extra> {
  return fc.oneof(
    { weight: 1, arbitrary: fc.constant(NO_EXTRA) },
    {
      weight: 1,
      arbitrary: fc.record({
        timeZone: fc.oneof(
          fc.constant(here),
          fc.constant(here),
          fc.constantFrom(...PLACES.map(([timeZone]) => timeZone)),
        ),
        levels: fc.subarray([...EXTRA_LEVELS], { minLength: 1, maxLength: 3 }),
      }),
    },
  );
}
