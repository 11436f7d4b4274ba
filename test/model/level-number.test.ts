import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Granularity } from '../../src/model/granularity.ts';
import { LEVEL_NUMBERS, levelLabel, levelNumber } from '../../src/model/level-number.ts';

describe('the numbers of levels', () => {
  test('of granularities that every stream may have are their indexes', () => {
    for (const [index, { name }] of Granularity.values.entries()) {
      expect(levelNumber(name)).toBe(index);
    }
  });

  test('of others never change, and are the same in every zone but UTC', () => {
    const numbers = {
      milliseconds: 16,
      '500milliseconds': 30,
      '2seconds': 33,
      '15minutes': 52,
      '2hours': 57,
      weeks: 65,
      sunday_weeks: 66,
      months: 67,
      '6months': 71,
      quarters: 73,
      years: 74,
      'minutes@Europe/Paris': 108,
      'hours@Europe/Paris': 120,
      'days@Europe/Paris': 128,
      'days@Asia/Kolkata': 128,
      'years@Asia/Kolkata': 138,
    } as const;
    for (const [name, number] of Object.entries(numbers)) {
      expect([name, levelNumber(name as 'days')]).toEqual([name, number]);
    }
  });

  test('are what the page about them says', () => {
    const page = readFileSync('docs/format/levels.md', 'utf8');
    const rows = page.matchAll(
      /^\| ([\d, ]*)`(\w+)`(?:, `(\w+)`)?(?:, `(\w+)`)? \| ([\d, -]+) \|$/gm,
    );
    for (const [, counts = '', ...rest] of rows) {
      const numbers = (rest.pop() ?? '').match(/\d+/g)!.map(Number);
      const units = rest.filter((unit) => unit !== undefined);
      const every = counts.trim() === '' ? [] : counts.split(',').map(Number);
      const kinds =
        every.length > 0
          ? every.map((count) => ({ every: count, unit: units[0]! }))
          : units.map((unit) => ({ every: 1, unit }));
      for (const [index, { every: count, unit }] of kinds.entries()) {
        const granularity = Granularity.of({ every: count, unit: unit as 'days' });
        if (granularity.every !== count || granularity.unit !== unit) continue;
        const number = levelNumber(granularity.name);
        if (number > 6)
          expect([granularity.name, number]).toEqual([granularity.name, 16 + numbers[0]! + index]);
      }
    }
  });

  test('are all different, below 256, and have a label', () => {
    expect(new Set(LEVEL_NUMBERS).size).toBe(LEVEL_NUMBERS.length);
    expect(Math.max(...LEVEL_NUMBERS)).toBeLessThan(256);
    expect([0, 6, 65, 129].map(levelLabel)).toEqual(['seconds', 'days', 'weeks', 'weeks']);
    expect(levelLabel(7)).toBe('number 7');
  });
});
