import { describe, expect, test } from '@jest/globals';
import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { humanQuantity } from '../../src/cli/format/human.ts';
import { jsonArray } from '../../src/cli/format/sequence.ts';
import { tableLines } from '../../src/cli/format/table.ts';
import { parseValue } from '../../src/cli/parse/value.ts';
import { csvCell, csvText, parseCsvLine } from '../../src/text/csv.ts';
import { exactJson, timeText, valueText } from '../../src/text/exact-json.ts';

async function* each<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}

async function toArray<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const array: Item[] = [];
  for await (const item of items) array.push(item);
  return array;
}

describe('exactJson()', () => {
  test('reads back to the same JSON value, −0 and all', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(exactJson(value))).toStrictEqual(value);
      }),
    );
  });

  test('keeps every double by its bits', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Object.is(JSON.parse(exactJson(value)), value)).toBe(true);
      }),
    );
  });

  test('writes what JSON has no number for as text', () => {
    expect(exactJson(2n ** 70n)).toBe('"1180591620717411303424"');
    expect(exactJson(new Decimal('2.5000000000000000000001'))).toBe('"2.5000000000000000000001"');
    expect(exactJson(new Decimal('-0'))).toBe('"-0"');
    expect(exactJson(new Date('2026-01-01T00:00:00Z'))).toBe('"2026-01-01T00:00:00Z"');
    expect(exactJson({ a: undefined, b: [null, -0] })).toBe('{"b":[null,-0]}');
  });

  test('a table shows texts and digits without quotes', () => {
    expect(valueText('up')).toBe('up');
    expect(valueText(2n ** 70n)).toBe('1180591620717411303424');
    expect(valueText(new Decimal('0.1'))).toBe('0.1');
    expect(timeText(new Date(1500))).toBe('1970-01-01T00:00:01.500Z');
  });
});

describe('CSV', () => {
  test('cells read back to the value of their stream', () => {
    const nominal = { valueType: 'nominal', valueTypeOptions: {} } as const;
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const line = csvText([['2026-01-01T00:00:00Z', csvCell(value)]]);
        expect(line.endsWith('\n')).toBe(true);
        expect(line.slice(0, -1)).not.toContain('\n');
        const [, cell] = parseCsvLine(line.slice(0, -1));
        expect(parseValue(cell!, nominal)).toStrictEqual(value);
      }),
    );
  });

  test('high accuracy values stand without quotes', () => {
    expect(csvCell(2n ** 70n)).toBe('1180591620717411303424');
    expect(csvCell(new Decimal('-0'))).toBe('-0');
  });

  test('quotes that do not match are an error of their line', () => {
    expect(() => parseCsvLine('1,"a')).toThrow();
    expect(() => parseCsvLine('1,a"b')).toThrow();
  });
});

describe('humanQuantity()', () => {
  test.each<[number | null, string, string]>([
    [null, 'B', '–'],
    [0, 'B/s', '0.00 B/s'],
    [12_345, 'B/s', '12.3 kB/s'],
    [999_999, 'B/s', '1.00 MB/s'],
    [3 * 1024 ** 3, 'B', '3.00 GiB'],
    [1023, 'B', '1023 B'],
    [-2048, 'B', '-2.00 KiB'],
    [7.25, '%', '7.25 %'],
    [59, 's', '59.0 s'],
    [183_845, 's', '2d 03:04:05'],
    [0.52, '', '0.52'],
    [123_456, '', '123k'],
    [0.00025, '', '250µ'],
  ])('%p %s reads %s', (value, unit, text) => {
    expect(humanQuantity(value, unit)).toBe(text);
  });
});

describe('tables', () => {
  const columns = [{ title: 'id' }, { title: 'n', align: 'right' as const }];

  test('columns are as wide as their widest cell', async () => {
    const lines = await toArray(
      tableLines(
        columns,
        each([
          ['a', '1'],
          ['bcd', '22'],
        ]),
      ),
    );
    expect(lines).toEqual(['id    n', 'a     1', 'bcd  22']);
  });

  test('an empty table has its titles', async () => {
    expect(await toArray(tableLines(columns, each([])))).toEqual(['id  n']);
  });

  test('rows after the first 500 stream through', async () => {
    const rows = Array.from({ length: 1200 }, (_, i) => [String(i), 'x']);
    const lines = await toArray(tableLines(columns, each(rows)));
    expect(lines).toHaveLength(1201);
    expect(lines[1200]).toBe('1199  x');
  });

  test('control characters of values do not reach the terminal', async () => {
    const lines = await toArray(tableLines(columns, each([['\u001b[31m\n', '1']])));
    expect(lines[1]).toBe('·[31m·  1');
  });
});

test('a JSON array is written one item per line', async () => {
  const lines = await toArray(jsonArray(each([1, 2]), String));
  expect(lines).toEqual(['[', '1,', '2', ']']);
  expect(await toArray(jsonArray(each([]), String))).toEqual(['[', ']']);
});
