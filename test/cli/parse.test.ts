import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseQuery, parseTagPaths, parseTags } from '../../src/cli/parse/tags.ts';
import { parseDuration, parseTime } from '../../src/cli/parse/time.ts';
import { parseValue } from '../../src/cli/parse/value.ts';

const NOW = new Date('2026-03-04T05:06:07.890Z');

describe('parseTime()', () => {
  test.each([
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000Z'],
    ['2026-01-02T03:04:05.5Z', '2026-01-02T03:04:05.500Z'],
    ['2026-01-02T03:04:05+02:00', '2026-01-02T01:04:05.000Z'],
    ['2026-01-02 03:04', '2026-01-02T03:04:00.000Z'],
    ['2026-01-02', '2026-01-02T00:00:00.000Z'],
    ['-000001-12-31T00:00:00Z', '-000001-12-31T00:00:00.000Z'],
    ['1767322800', '2026-01-02T03:00:00.000Z'],
    ['1767322800.25', '2026-01-02T03:00:00.250Z'],
    ['1767322800000', '2026-01-02T03:00:00.000Z'],
    ['99999999999', '5138-11-16T09:46:39.000Z'],
    ['100000000000', '1973-03-03T09:46:40.000Z'],
    ['-86400', '1969-12-31T00:00:00.000Z'],
    ['now', '2026-03-04T05:06:07.890Z'],
    ['-1h', '2026-03-04T04:06:07.890Z'],
    ['now-30m', '2026-03-04T04:36:07.890Z'],
    ['+1d', '2026-03-05T05:06:07.890Z'],
  ])('reads %s as %s', (text, iso) => {
    expect(parseTime(text, NOW).toISOString()).toBe(iso);
  });

  test.each([
    '',
    'yesterday',
    '2026-13-01',
    '2026-02-30',
    '2026-01-01T25:00Z',
    '1e9',
    '-1x',
    '9e99',
    '99999999999999999999',
    '-000000-01-01x',
  ])('refuses %j', (text) => {
    expect(() => parseTime(text, NOW)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  test('reads back every instant that it prints', () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), (date) => {
        expect(parseTime(date.toISOString(), NOW).getTime()).toBe(date.getTime());
      }),
    );
  });
});

describe('parseDuration()', () => {
  test.each([
    ['500ms', 500],
    ['10s', 10_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['2d', 172_800_000],
    ['1w', 604_800_000],
    ['1y', 31_536_000_000],
  ])('reads %s as %d ms', (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });

  test.each(['', '10', '0s', '-1h', '1M', '1e3s', 's', '1h ', '1 h'])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

describe('parseTags()', () => {
  test.each<[string[], unknown]>([
    [[], {}],
    [['node=a1'], { node: 'a1' }],
    [['n=1', 'b=true', 'z=null', 'l=[1,"x"]'], { n: 1, b: true, z: null, l: [1, 'x'] }],
    [['n="1"'], { n: '1' }],
    [['a.b=1', 'a.c=x'], { a: { b: 1, c: 'x' } }],
    [['k=a=b'], { k: 'a=b' }],
    [['k='], { k: '' }],
    [['{"a":{"b":1},"c":"d"}', 'a.b=2'], { a: { b: 2 }, c: 'd' }],
    [['a=1', 'a=2'], { a: 2 }],
  ])('reads %j', (args, tags) => {
    expect(parseTags(args)).toEqual(tags);
  });

  test.each(['node', '=x', '{"a":', '[1]', 'a..b=1', '.=1'])('refuses %j', (arg) => {
    expect(() => parseTags([arg])).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  test('keeps __proto__ as a key of its own, so that the engine can refuse it', () => {
    expect(Object.keys(parseTags(['__proto__.x=1']))).toEqual(['__proto__']);
    expect(Object.keys(parseTags(['{"__proto__":{"x":1}}', 'a=1']))).toEqual(['__proto__', 'a']);
  });

  test('a query takes a stream id as it stands', () => {
    const id = '0b8f1c9e-7d34-4c7b-9f0e-2f6b5a1c3d4e';
    expect(parseQuery([id])).toEqual({ stream_id: id });
  });

  test('paths become the nested object that removes them', () => {
    expect(parseTagPaths(['unit', 'site.room'])).toEqual({ unit: '', site: { room: '' } });
  });
});

describe('parseValue()', () => {
  const numeric = { valueType: 'numeric', valueTypeOptions: {} } as const;
  const exact = { valueType: 'numeric', valueTypeOptions: { highAccuracy: true } } as const;
  const nominal = { valueType: 'nominal', valueTypeOptions: {} } as const;
  const graph = { valueType: 'graph', valueTypeOptions: {} } as const;

  test.each([
    ['42', 42],
    [' -1.5e3 ', -1500],
    ['.5', 0.5],
    ['-0', -0],
    ['null', null],
    ['{"m":-0,"c":2}', { m: -0, c: 2 }],
  ])('on a numeric stream %j is %j', (text, value) => {
    expect(parseValue(text, numeric)).toStrictEqual(value);
  });

  test.each([
    ['40.7182818284590452353602874713526624977572470936999595', undefined],
    ['123456789012345678901234567890', undefined],
    ['{"m":0.10000000000000000001,"c":2}', { m: '0.10000000000000000001', c: 2 }],
    ['null', null],
  ])('on a high accuracy stream %s keeps every digit', (text, value) => {
    expect(parseValue(text, exact)).toStrictEqual(value === undefined ? text : value);
  });

  test.each([
    ['up', 'up'],
    ['"up"', 'up'],
    ['42', 42],
    ['{"a":[1]}', { a: [1] }],
    ['null', null],
    ['{broken', '{broken'],
  ])('on a nominal stream %j is %j', (text, value) => {
    expect(parseValue(text, nominal)).toStrictEqual(value);
  });

  test('on a graph stream the text is JSON', () => {
    expect(parseValue('{"v":[],"e":[]}', graph)).toEqual({ v: [], e: [] });
  });

  test.each([
    ['abc', numeric],
    ['', numeric],
    ['NaN', numeric],
    ['Infinity', numeric],
    ['0x10', numeric],
    ['"5"', numeric],
    ['true', numeric],
    ['{"m":', numeric],
    ['', nominal],
    ['v', graph],
  ])('refuses %j', (text, syntax) => {
    expect(() => parseValue(text, syntax)).toThrow();
  });
});
