import { describe, expect, test } from '@jest/globals';
import type { Difference } from '../../src/api/types.ts';
import { differenceLine } from '../../src/cli/format/difference-line.ts';
import { Granularity } from '../../src/model/granularity.ts';

const ID = '0b8f1c9e-7d34-4c7b-9f0e-2f6b5a1c3d4e';
const PLACE = `${ID} 10seconds 2026-01-01T12:00:00Z`;

function lineOf(stored: unknown, expected: unknown): string {
  const timestamp = new Date('2026-01-01T12:00:00Z');
  const difference = {
    streamId: ID,
    granularity: Granularity.Seconds10,
    timestamp,
    stored,
    expected,
  };
  return differenceLine(difference as unknown as Difference);
}

describe('the line of a difference', () => {
  test('has the columns that differ, by bits, and no other', () => {
    expect(lineOf({ m: 1, l: 0, c: 3, u: null }, { m: 2, l: -0, c: 3, u: 4 })).toBe(
      `${PLACE} m stored 1 expected 2, l stored 0 expected -0, u stored nothing expected 4`,
    );
  });

  test('says where there is a row on one side only', () => {
    expect(lineOf(null, { m: 1 })).toBe(`${PLACE} stored nothing expected {"m":1}`);
    expect(lineOf({ m: 1 }, null)).toBe(`${PLACE} stored {"m":1} expected nothing`);
  });

  test('shows long values from where they differ on', () => {
    const zeros = '0'.repeat(100);
    expect(lineOf({ m: `${zeros}1` }, { m: `${zeros}2` })).toBe(
      `${PLACE} m stored …000000001" expected …000000002"`,
    );
  });

  test('is never longer than 160 characters, whatever differs', () => {
    const stored = Object.fromEntries([...'abcdefgh'].map((name) => [name, name.repeat(500)]));
    const expected = Object.fromEntries([...'abcdefgh'].map((name) => [name, 'x'.repeat(500)]));
    const line = lineOf(stored, expected);
    expect(line.length).toBeLessThanOrEqual(160);
    expect(line).toMatch(/ a stored "a+… expected "x+… and 7 more$/);
    expect(lineOf(null, expected)).toHaveLength(`${PLACE} stored nothing expected `.length + 36);
  });
});
