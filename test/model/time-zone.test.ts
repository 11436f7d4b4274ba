import { describe, expect, test } from '@jest/globals';
import { Granularity } from '../../src/model/granularity.ts';
import { timeZoneName } from '../../src/model/time-zone.ts';

/** Names that some runtimes take for a zone's own and others for an alias, and all others that are written oddly. */
const ALIASES = [
  'Africa/Asmara',
  'America/Argentina/ComodRivadavia',
  'America/Knox_IN',
  'America/Nuuk',
  'America/Port-au-Prince',
  'America/Port_of_Spain',
  'Antarctica/DumontDUrville',
  'Antarctica/McMurdo',
  'Asia/Calcutta',
  'Asia/Ho_Chi_Minh',
  'Asia/Kolkata',
  'Australia/ACT',
  'Australia/LHI',
  'Australia/NSW',
  'Brazil/DeNoronha',
  'Chile/EasterIsland',
  'EST5EDT',
  'Etc/GMT+5',
  'Europe/Isle_of_Man',
  'Europe/Kiev',
  'Europe/Kyiv',
  'GB-Eire',
  'Mexico/BajaNorte',
  'NZ-CHAT',
  'PRC',
  'ROK',
  'US/East-Indiana',
  'W-SU',
];

describe('the name of a time zone', () => {
  test.each([...Intl.supportedValuesOf('timeZone'), ...ALIASES])(
    '%s is kept as it is, and found in any case',
    (name) => {
      expect(timeZoneName(name)).toBe(name);
      expect(timeZoneName(name.toLowerCase())).toBe(name);
      expect(timeZoneName(name.toUpperCase())).toBe(name);
    },
  );

  test.each(['UTC', 'utc', 'Etc/UTC', 'gmt', 'Zulu', 'Etc/GMT', 'Etc/GMT0'])('%s is UTC', (name) =>
    expect(timeZoneName(name)).toBe('UTC'),
  );

  test.each(['', 'Paris', 'Europe', '+02:00', 'GMT+2', ' Europe/Paris', 'constructor'])(
    '%j is none',
    (name) => expect(timeZoneName(name)).toBeNull(),
  );

  test('makes one granularity of all ways to write it, and two of two aliases', () => {
    const days = Granularity.byName('days@asia/KOLKATA');
    expect(days.name).toBe('days@Asia/Kolkata');
    expect(Granularity.of({ unit: 'days', timeZone: 'Asia/Kolkata' })).toBe(days);
    expect(Granularity.byName('days@Asia/Calcutta')).not.toBe(days);
  });
});
