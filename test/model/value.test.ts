import { describe, expect, test } from '@jest/globals';
import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { expandValueDownsamplers } from '../../src/downsamplers/registry.ts';
import type { ValueType } from '../../src/model/stream.ts';
import { type ValueCodec, valueCodecOf } from '../../src/model/value.ts';
import { JSON_DEPTH_MAX } from '../../src/model/value-json.ts';

const invalid = expect.objectContaining({ code: 'INVALID_VALUE' });

function codecOf(valueType: ValueType, names: readonly string[] = ['count']): ValueCodec {
  return valueCodecOf({
    valueType,
    valueTypeOptions: {},
    valueDownsamplers: expandValueDownsamplers(names, valueType),
  });
}

describe('values of a plain numeric stream', () => {
  const codec = codecOf('numeric', ['mean', 'min']);

  test('are numbers, bigints as float64, and null', () => {
    expect(codec.toStored(1.5)).toBe(1.5);
    expect(codec.toStored(-3n)).toBe(-3);
    expect(codec.toStored(2n ** 128n)).toBe(2 ** 128);
    expect(codec.toStored(null)).toBeNull();
    expect(codec.fromStored(1.5)).toBe(1.5);
    expect(codec.fromStored(null)).toBeNull();
  });

  test.each([
    ['a string', '1'],
    ['a boolean', true],
    ['undefined', undefined],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['a bigint beyond float64', 10n ** 400n],
    ['an array', [1]],
    ['a Date', new Date(0)],
    ['a function', () => 1],
    ['a symbol', Symbol('1')],
    ['a Decimal', new Decimal(1)],
  ])('are not %s', (_name, value) => {
    expect(() => codec.toStored(value)).toThrow(invalid);
    expect(() => codec.toStored(value)).toThrow(TypeError);
  });

  test('that say NaN are told that null is the word for no data', () => {
    expect(() => codec.toStored(Number.NaN)).toThrow(/null/);
    expect(() => codec.toStored(Number.POSITIVE_INFINITY)).toThrow(/null/);
  });

  test('may be already downsampled, with exactly the letters of the stream', () => {
    const group = { c: 2, s: 5n, l: 1, m: 2.5 };
    const stored = codec.toStored(group);
    expect(stored).toEqual({ m: 2.5, s: 5, l: 1, c: 2 });
    expect(Object.keys(stored as object)).toEqual(['m', 's', 'l', 'c']);
    expect(codec.fromStored(stored)).toEqual(stored);
    expect(codec.fromStored(stored)).not.toBe(stored);
    expect(codec.toStored({ m: null, s: null, l: null, c: 0 })).toEqual({
      m: null,
      s: null,
      l: null,
      c: 0,
    });
    expect(codec.toStored({ m: 0, s: 0, l: 0, c: 0 })).toEqual({ m: 0, s: 0, l: 0, c: 0 });
  });

  test.each([
    ['a missing letter', { m: 2.5, s: 5, c: 2 }],
    ['an unknown letter', { m: 2.5, s: 5, l: 1, c: 2, u: 4 }],
    ['a letter that is null although the count is not 0', { m: 2.5, s: 5, l: null, c: 2 }],
    ['a letter that is a string', { m: 2.5, s: '5', l: 1, c: 2 }],
    ['a letter that is NaN', { m: 2.5, s: Number.NaN, l: 1, c: 2 }],
    ['a negative count', { m: 2.5, s: 5, l: 1, c: -1 }],
    ['a broken count', { m: 2.5, s: 5, l: 1, c: 1.5 }],
    ['a null count', { m: null, s: null, l: null, c: null }],
    ['no letters', {}],
  ])('are not downsampled with %s', (_name, value) => {
    expect(() => codec.toStored(value)).toThrow(invalid);
  });

  test('are never downsampled on a stream without value downsamplers', () => {
    expect(() => codecOf('numeric', []).toStored({})).toThrow(invalid);
    expect(() => codecOf('numeric', []).toStored({ c: 1 })).toThrow(invalid);
  });

  test('are operands of either arithmetic: of a group its mean, of an empty one null', () => {
    expect(codec.toOperand(1.5, 'float')).toBe(1.5);
    expect(codec.toOperand({ m: 9, s: 5, l: 1, c: 2 }, 'float')).toBe(2.5);
    expect(codec.toOperand({ m: null, s: null, l: null, c: 0 }, 'float')).toBeNull();
    expect(codec.toOperand({ l: 1, c: 1 }, 'float')).toBeNull();
    expect(codec.toOperand(null, 'decimal')).toBeNull();
    expect(String(codec.toOperand(0.1, 'decimal'))).toBe('0.1');
    expect(String(codec.toOperand({ m: 9, s: 1, l: 1, c: 3 }, 'decimal'))).toBe(
      `0.${'3'.repeat(64)}`,
    );
  });

  test('come from operators: numbers, decimals, null, and null for an overflow', () => {
    expect(codec.fromOperand(2)).toBe(2);
    expect(codec.fromOperand(new Decimal('0.1'))).toBe(0.1);
    expect(codec.fromOperand(null)).toBeNull();
    expect(codec.fromOperand(Number.POSITIVE_INFINITY)).toBeNull();
    expect(codec.fromOperand(new Decimal('1e400'))).toBeNull();
  });
});

describe('values of a nominal stream', () => {
  const codec = codecOf('nominal', ['most_often']);

  test('are any JSON values, copied', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const stored = codec.toStored(value);
        expect(JSON.stringify(stored)).toBe(JSON.stringify(value));
        expect(JSON.stringify(codec.fromStored(stored))).toBe(JSON.stringify(value));
      }),
    );
    const given = { list: [1] };
    const stored = codec.toStored(given);
    given.list.push(2);
    expect(stored).toEqual({ list: [1] });
    expect(Object.is(codec.toStored(-0), 0)).toBe(true);
  });

  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  test.each([
    ['undefined', undefined],
    ['undefined within an object', { a: undefined }],
    ['a hole in an array', new Array(1)],
    ['a function', () => 1],
    ['NaN', Number.NaN],
    ['Infinity in an array', [Number.POSITIVE_INFINITY]],
    ['a bigint', 1n],
    ['a symbol', Symbol('a')],
    ['a Date', new Date(0)],
    ['a Map', new Map()],
    ['a cycle', cycle],
  ])('are not %s', (_name, value) => {
    expect(() => codec.toStored(value)).toThrow(invalid);
  });

  test('are not nested deeper than the limit', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
    expect(codec.toStored(nested(JSON_DEPTH_MAX))).toEqual(nested(JSON_DEPTH_MAX));
    expect(() => codec.toStored(nested(JSON_DEPTH_MAX + 2))).toThrow(invalid);
  });

  test('keep a key named like the prototype as a key', () => {
    const value: unknown = JSON.parse('{"__proto__":{"a":1}}');
    expect(JSON.stringify(codec.toStored(value))).toBe('{"__proto__":{"a":1}}');
  });

  test('are operands as they are, and come from operators as numbers', () => {
    expect(codec.toOperand('up', 'float')).toBe('up');
    expect(codec.fromOperand(1)).toBe(1);
    expect(codec.fromOperand(new Decimal(1))).toBe(1);
    expect(codec.fromOperand(null)).toBeNull();
  });
});

describe('values of a graph stream', () => {
  const codec = codecOf('graph');

  test('are vertices and edges between them, with whatever else they carry, and null', () => {
    const graph = { v: [{ i: 'a', x: 1 }, { i: 2 }], e: [{ f: 'a', t: 2, w: [1] }], name: 'g' };
    expect(codec.toStored(graph)).toEqual(graph);
    expect(codec.fromStored(graph)).toEqual(graph);
    expect(codec.toStored({ v: [], e: [] })).toEqual({ v: [], e: [] });
    expect(codec.toStored(null)).toBeNull();
  });

  test.each([
    ['undefined', undefined],
    ['a number', 1],
    ['an array', []],
    ['an object without vertices', { e: [] }],
    ['an object without edges', { v: [] }],
    ['an object whose vertices are no list', { v: {}, e: [] }],
    ['a graph of a vertex without id', { v: [{ x: 1 }], e: [] }],
    ['a graph of a vertex that is no object', { v: ['a'], e: [] }],
    ['a graph of two vertices with one id', { v: [{ i: 'a' }, { i: 'a' }], e: [] }],
    ['a graph of an edge without a start', { v: [{ i: 'a' }], e: [{ t: 'a' }] }],
    ['a graph of an edge without an end', { v: [{ i: 'a' }], e: [{ f: 'a' }] }],
    ['a graph of an edge to nowhere', { v: [{ i: 'a' }], e: [{ f: 'a', t: 'b' }] }],
    ['a graph of an edge from nowhere', { v: [{ i: 1 }], e: [{ f: '1', t: 1 }] }],
    ['a graph with a value that is no JSON', { v: [{ i: 'a', x: Number.NaN }], e: [] }],
  ])('are not %s', (_name, value) => {
    expect(() => codec.toStored(value)).toThrow(invalid);
  });
});

describe('valueCodecOf()', () => {
  test('gives the same codec for the same record', () => {
    const record = { valueType: 'numeric', valueTypeOptions: {}, valueDownsamplers: [] } as const;
    expect(valueCodecOf(record)).toBe(valueCodecOf(record));
  });
});
