import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  LineProtocolParser,
  newLineMemory,
  TIME_UNITS,
} from '../../../src/server/ingest/line-protocol.ts';
import { cutAt, NOW_MS, type Parsed, parsed, RECORD_SIZE_MAX_BYTES } from './support.ts';

function read(pieces: readonly (string | Uint8Array)[], unit = 'ns'): Parsed {
  return parsed(
    (batch) =>
      new LineProtocolParser(batch, {
        nowMs: NOW_MS,
        unit: TIME_UNITS[unit]!,
        booleans: 'nominal',
        recordSizeMaxBytes: RECORD_SIZE_MAX_BYTES,
        memory: newLineMemory(),
      }),
    ...pieces,
  );
}

describe('line protocol', () => {
  test.each<[line: string, rows: readonly (readonly [string, number, unknown])[]]>([
    ['m f=1 1000000', [['m f', 1, 1]]],
    [
      'm,b=2,a=1 f=1.5,g=-2e3 1000000',
      [
        ['m,a=1,b=2 f', 1, 1.5],
        ['m,a=1,b=2 g', 1, -2000],
      ],
    ],
    [
      'm f=5i,g=6u,h=-7i 1000000',
      [
        ['m f', 1, 5],
        ['m g', 1, 6],
        ['m h', 1, -7],
      ],
    ],
    ['m f=9007199254740993i 0', [['m f', 0, 9007199254740993n]]],
    ['m f=9007199254740991i 0', [['m f', 0, 9007199254740991]]],
    [
      'm a=t,b=True,c=FALSE,d=f 0',
      [
        ['m a', 0, true],
        ['m b', 0, true],
        ['m c', 0, false],
        ['m d', 0, false],
      ],
    ],
    ['m f="a, b=\\"c\\" \\\\ \\n" 0', [['m f', 0, 'a, b="c" \\ \\n']]],
    [
      'm f="two\nlines",g=1 0',
      [
        ['m f', 0, 'two\nlines'],
        ['m g', 0, 1],
      ],
    ],
    ['m\\ 1\\,2,t\\=a\\ g=v\\,w f\\ 1=1 0', [['m\\ 1\\,2,t\\=a\\ g=v\\,w f\\ 1', 0, 1]]],
    ['m,ü=é f=1 0', [['m,ü=é f', 0, 1]]],
    ['m\\x f=1 0', [['m\\\\x f', 0, 1]]],
    ['m f=1', [['m f', NOW_MS, 1]]],
    ['  m   f=1   1000000  ', [['m f', 1, 1]]],
    ['m f=1 -1', [['m f', -1, 1]]],
    ['m f=1 1700000000123999999', [['m f', 1700000000123, 1]]],
    ['# a comment', []],
    ['', []],
  ])('reads %j', (line, rows) => {
    const { rows: found, problems } = read([`${line}\r\n`]);
    expect(problems).toEqual([]);
    expect(found.map(([key, ms, value]) => [key.replace('series:', ''), ms, value])).toEqual(rows);
  });

  test.each([
    ['ns', '1999999', 1],
    ['us', '1999', 1],
    ['u', '-1', -1],
    ['ms', '17', 17],
    ['s', '17', 17_000],
    ['m', '2', 120_000],
    ['h', '2', 7_200_000],
  ])('has timestamps in %s', (unit, text, ms) => {
    expect(read([`m f=1 ${text}`], unit).rows).toEqual([['series:m f', ms, 1, 1]]);
  });

  test.each([
    ['m', 'no fields'],
    [',t=1 f=1', 'no measurement'],
    ['m,t f=1', 'Expected a tag as name=value, not "t"'],
    ['m,t= f=1', 'Expected a tag as name=value, not "t="'],
    ['m,t=1,t=2 f=1', 'The tag "t" is there twice'],
    ['m f', 'Expected a field as name=value, not "f"'],
    ['m =1', 'Expected a field as name=value'],
    ['m f=1,', 'Expected a field as name=value'],
    ['m f=', '"" is no value'],
    ['m f=abc', '"abc" is no value'],
    ['m f=1.5i', '"1.5i" is no value'],
    ['m f=-1u', '"-1u" is no value'],
    ['m f=9223372036854775808i', 'is no value'],
    ['m f=18446744073709551616u', 'is no value'],
    ['m f=1e999', 'is no value'],
    ['m f=NaN', 'is no value'],
    ['m f="a"b', 'Expected a comma or a space behind the text "a"'],
    ['m f=1 1.5', '"1.5" is not a timestamp'],
    ['m f=1 1 2', '"1 2" is not a timestamp'],
    ['m f=1 99999999999999999999999', 'is not a timestamp'],
    ['m f="no end', 'no end'],
    [`m f="${'x'.repeat(RECORD_SIZE_MAX_BYTES)}"`, 'more than 1024 bytes'],
  ])('refuses %j alone', (line, detail) => {
    const { rows, problems } = read([`m f=1 0\n${line}\nm f=2 0\n`]);
    expect(rows.map(([, , value, at]) => [value, at])).toEqual([
      [1, 1],
      [2, 3],
    ]);
    expect(problems).toHaveLength(1);
    expect(problems[0]!.line).toBe(2);
    expect(problems[0]!.detail).toContain(detail);
  });

  test('takes nothing of a line with a bad field', () => {
    const { rows, problems } = read(['m f=1,g=x 0']);
    expect([rows, problems.length]).toEqual([[], 1]);
  });

  test('counts lines behind texts of several lines', () => {
    const { problems } = read(['m f="1\n2\n3" 0\nbad\n']);
    expect(problems.map(({ line }) => line)).toEqual([4]);
  });

  test('reads a body full of quotation marks that nothing ends in bounded time', () => {
    const body = 'm f="\\"\n\\"\n'.repeat(40_000);
    expect(read([body]).rows).toEqual([]);
  });

  test('has tags that find the stream, and names of its own for those that streams keep', () => {
    const { series } = read(['cpu,host=a,value_type=x,field=y,a__b=z usage=1 0']);
    expect(series.map(({ query, tags }) => ({ query, tags }))).toEqual([
      {
        query: { series: 'cpu,a__b=z,field=y,host=a,value_type=x usage' },
        tags: {
          measurement: 'cpu',
          field: 'usage',
          host: 'a',
          a_b: 'z',
          tag_field: 'y',
          tag_value_type: 'x',
        },
      },
    ]);
  });

  const name = fc
    .string({ minLength: 1, maxLength: 8 })
    .filter((text) => !/[\n\r\\#]|^\t/.test(text));
  const value = fc.oneof(
    fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .map((number) => [Object.is(number, -0) ? '-0' : String(number), number]),
    fc.integer().map((number) => [`${number}i`, number]),
    fc.boolean().map((flag) => [String(flag), flag]),
    fc
      .string({ unit: fc.constantFrom('a', '"', '\\', '\n', ' ', ',', '=', 'é') })
      .map((text) => [`"${text.replace(/["\\]/g, '\\$&')}"`, text]),
  );
  const row = fc.record({
    measurement: name,
    tags: fc.uniqueArray(fc.tuple(name, name), { selector: ([tag]) => tag, maxLength: 3 }),
    field: name,
    value,
    ms: fc.integer({ min: -1e12, max: 4e12 }),
  });
  const escaped = (text: string): string => text.replace(/[,= ]/g, '\\$&');

  test('gives back what an encoder wrote, wherever the body is cut', () => {
    const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 20 }), places, (rows, cuts) => {
        const lines = rows.map(({ measurement, tags, field, value: [text], ms }) => {
          const pairs = tags.map(([tag, of]) => `,${escaped(tag)}=${escaped(of)}`).join('');
          return `${measurement.replace(/[, ]/g, '\\$&')}${pairs} ${escaped(field)}=${text} ${ms}000000`;
        });
        const body = Buffer.from(lines.join('\n'));
        const whole = read([body]);
        expect(whole.problems).toEqual([]);
        const found = [...whole.rows].sort((a, b) => a[3] - b[3]);
        const tagsOf = new Map(whole.series.map(({ key, tags }) => [key, tags]));
        const meant = found.map(([key, ms, of]) => {
          const { measurement, field, ...tags } = tagsOf.get(key)!;
          return { measurement, field, tagValues: Object.values(tags).sort(), ms, of };
        });
        expect(meant).toEqual(
          rows.map(({ measurement, tags, field, value: [, of], ms }) => {
            return { measurement, field, tagValues: tags.map(([, is]) => is).sort(), ms, of };
          }),
        );
        expect(read(cutAt(body, cuts))).toEqual(whole);
      }),
    );
  });

  test('does not care where any bytes are cut, and refuses what is no line', () => {
    const bytes = fc.array(fc.constantFrom(...Buffer.from('m,t= f"1i.e\\\n\r#\u00e9t')), {
      maxLength: 200,
    });
    const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });
    fc.assert(
      fc.property(bytes, places, (given, cuts) => {
        const body = Uint8Array.from(given);
        expect(read(cutAt(body, cuts))).toEqual(read([body]));
      }),
      { numRuns: 1000 },
    );
  });
});
