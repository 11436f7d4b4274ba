import { describe, expect, test } from '@jest/globals';
import { directionOf } from '../../web/src/format/direction.ts';
import { numberText, quantityText } from '../../web/src/format/number-text.ts';
import { searchQuery, withCondition } from '../../web/src/format/search-query.ts';
import { silenceAllowedMs } from '../../web/src/format/staleness.ts';
import { streamTitle, tagWords } from '../../web/src/format/stream-title.ts';
import { agoText, durationText, windowText } from '../../web/src/time/time-text.ts';
import { granularityMs } from '../../web/src/time/units.ts';

describe('directions', () => {
  test('compare numbers as numbers', () => {
    expect(directionOf(10, 9)).toBe('up');
    expect(directionOf(1.5, 2)).toBe('down');
    expect(directionOf(2, 2)).toBe('equal');
  });

  test('are none without an earlier value, or between texts', () => {
    expect(directionOf(1, undefined)).toBe('none');
    expect(directionOf(null, 1)).toBe('none');
    expect(directionOf('open', 'closed')).toBe('none');
    expect(directionOf('open', 'open')).toBe('equal');
  });
});

describe('numbers', () => {
  test.each([
    [0, '0'],
    [15.25, '15.25'],
    [0.012_345, '0.01235'],
    [-3.5, '−3.5'],
    [1234.5678, '1235'],
    [57_536, '57\u2009536'],
    [1_234_567, '1\u2009234\u2009567'],
    [1e21, '1.00e+21'],
    [1e-9, '1.00e−9'],
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '∞'],
  ])('%p is %s', (value, text) => {
    expect(numberText(value)).toBe(text);
  });

  test('get a prefix with units that have prefixes', () => {
    expect(quantityText(3_050_000_000, 'B')).toBe('3.05 GB');
    expect(quantityText(-1500, 'W')).toBe('−1.5 kW');
    expect(quantityText(1500, '°C')).toBe('1500 °C');
    expect(quantityText(42, '')).toBe('42');
  });
});

describe('the search', () => {
  test('asks for tags by name, and for text otherwise', () => {
    expect(searchQuery('load host=a1 site.name~nor n>=3 room="big hall"')).toEqual({
      q: 'load',
      tags__host: 'a1',
      tags__site__name__icontains: 'nor',
      tags__n__gte: '3',
      tags__room: 'big hall',
    });
    expect(searchQuery('=x a=')).toEqual({ q: '=x a=' });
    expect(searchQuery('  ')).toEqual({});
  });

  test('takes a tag that is pressed once', () => {
    expect(withCondition('load', 'host', 'a 1')).toBe('load host="a 1"');
    expect(withCondition('load host="a 1"', 'host', 'a 1')).toBe('load host="a 1"');
  });

  test.each(['5" pipe', '"', 'a"b', 'it\'s "so" \\ ', '""'])(
    'finds the pressed value %j',
    (value) => {
      const search = withCondition('load', 'size', value);
      expect(searchQuery(search)).toEqual({ q: 'load', tags__size: value });
      expect(withCondition(search, 'size', value)).toBe(search);
    },
  );
});

describe('streams', () => {
  test('are called by their title, or by their tags', () => {
    expect(streamTitle({ id: 'x', tags: { title: 'Load', host: 'a' } })).toBe('Load');
    expect(streamTitle({ id: 'x', tags: { host: 'a', unit: 'W', ports: [1, 2] } })).toBe('a 1, 2');
    expect(streamTitle({ id: 'x', tags: {} })).toBe('x');
    expect(tagWords({ site: { name: 'n', floor: 2 }, title: 'T' })).toEqual([
      { name: 'site.name', value: 'n' },
      { name: 'site.floor', value: 2 },
    ]);
  });

  test('may be silent for five times what is usual, and a minute at least', () => {
    expect(silenceAllowedMs([0, 3_600_000, 7_200_000], 'seconds')).toBe(5 * 3_600_000);
    expect(silenceAllowedMs([3000, 2000, 1000], 'seconds')).toBe(60_000);
    expect(silenceAllowedMs([], 'hours')).toBe(5 * 3_600_000);
  });
});

describe('times in words', () => {
  test('say what differs', () => {
    const window = { startMs: Date.UTC(2026, 2, 1, 8), endMs: Date.UTC(2026, 2, 1, 9, 30) };
    expect(windowText(window, 'UTC')).toBe('1 Mar 2026 08:00 – 09:30');
    expect(windowText({ ...window, endMs: Date.UTC(2026, 2, 2, 9) }, 'UTC')).toBe(
      '1 Mar 08:00 – 2 Mar 2026 09:00',
    );
  });

  test('are short', () => {
    expect(agoText(900)).toBe('now');
    expect(agoText(125_000)).toBe('2 min ago');
    expect(durationText(3_725_000)).toBe('1 h 2 min');
    expect(durationText(86_400_000)).toBe('1 d');
  });

  test('know lengths of granularities', () => {
    expect(granularityMs('10minutes')).toBe(600_000);
    expect(granularityMs('days@Europe/Paris')).toBe(86_400_000);
    expect(granularityMs('fortnights')).toBe(0);
  });
});
