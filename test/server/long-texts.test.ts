import { describe, expect, test } from '@jest/globals';
import { decimalFromCaller } from '../../src/model/high-accuracy.ts';
import { parseAuthorization } from '../../src/server/access/credentials.ts';
import { numberOfY } from '../../src/server/compat/feeds/inputs.ts';
import { readingsOfCsv } from '../../src/server/compat/openorg/readings.ts';
import { TagFilter } from '../../src/server/http/tag-filter.ts';
import { decimalAt } from '../../src/server/ingest/byte-numbers.ts';

/** Whoever looks at each part of a text of this length from each place on does not end. */
const LENGTH = 2_000_000;
const DIGITS = '1'.repeat(LENGTH);

describe('a text of any length is read once', () => {
  test('where a number of line protocol, CSV or Graphite is meant', () => {
    const bytes = Buffer.from(`${DIGITS}x`);
    expect(decimalAt(bytes, 0, bytes.length)).toBeNaN();
    expect(decimalAt(Buffer.from('1.5e3'), 0, 5)).toBe(1500);
    expect(decimalAt(Buffer.from('0000000000000001.e1'), 0, 19)).toBe(10);
  });

  test('where a number of a query is meant', () => {
    expect(TagFilter.parse({ tags__a: `${DIGITS}x` }).matches({ a: `${DIGITS}x` })).toBe(true);
    expect(TagFilter.parse({ tags__a: '1.' }).matches({ a: 1 })).toBe(true);
  });

  test('where a reading, a value of a feed or a decimal is meant', () => {
    expect(() => readingsOfCsv(`1970-01-01T00:00:00Z,${DIGITS}x\n`)).toThrow('readings[0].val');
    expect(() => numberOfY(`${DIGITS}x`, 'float')).toThrow('y: expected a number');
    expect(() => decimalFromCaller(`${DIGITS}x`)).toThrow();
  });

  test('where credentials are meant', () => {
    const spaces = ' '.repeat(LENGTH);
    expect(parseAuthorization(`Basic${spaces}x${spaces}y`)).toEqual({ kind: 'malformed' });
    expect(parseAuthorization(` Bearer${spaces}dse_x `)).toEqual({
      kind: 'token',
      secret: 'dse_x',
    });
  });
});
