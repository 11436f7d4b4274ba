import { describe, expect, test } from '@jest/globals';
import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import * as mathjs from 'mathjs';
import { expandValueDownsamplers } from '../../src/downsamplers/registry.ts';
import {
  DECIMAL_ARITHMETIC,
  DECIMAL_EXPONENT_MAX,
  decimalOf,
  divideDecimals,
} from '../../src/model/high-accuracy.ts';
import { type ValueCodec, valueCodecOf } from '../../src/model/value.ts';

const invalid = expect.objectContaining({ code: 'INVALID_VALUE' });
const math = mathjs.create(mathjs.all!, { number: 'BigNumber', precision: 64 });
const E = '2.718281828459045235360287471352662497757247093699959574966967628';

function codecOf(names: readonly string[] = ['mean', 'min']): ValueCodec {
  return valueCodecOf({
    valueType: 'numeric',
    valueTypeOptions: { highAccuracy: true },
    valueDownsamplers: expandValueDownsamplers(names, 'numeric'),
  });
}

describe('values of a high-accuracy stream', () => {
  const codec = codecOf();

  test('are numbers, bigints, decimal strings and BigNumbers of any mathjs, stored as canonical text', () => {
    expect(codec.toStored(0.1)).toBe('0.1');
    expect(codec.toStored(-0)).toBe('0');
    expect(codec.toStored(2n ** 128n)).toBe(codec.toStored((2n ** 128n).toString()));
    expect(codec.toStored(E)).toBe(E);
    expect(codec.toStored('+1.50')).toBe('1.5');
    expect(codec.toStored('.5')).toBe('0.5');
    expect(codec.toStored('15e-1')).toBe('1.5');
    expect(codec.toStored(math.bignumber(E))).toBe(E);
    expect(codec.toStored(mathjs.bignumber('0.3'))).toBe('0.3');
    expect(codec.toStored(null)).toBeNull();
  });

  test.each([
    ['text that is no number', 'one'],
    ['empty text', ''],
    ['text around a number', ' 1'],
    ['hexadecimal text', '0x10'],
    ['the text NaN', 'NaN'],
    ['the text Infinity', 'Infinity'],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['a BigNumber that is NaN', math.bignumber(Number.NaN)],
    ['a BigNumber that is infinite', math.bignumber(Number.POSITIVE_INFINITY)],
    ['a power of ten that no sum could hold', `1e${DECIMAL_EXPONENT_MAX + 1}`],
    ['a power of ten too small', `1e-${DECIMAL_EXPONENT_MAX + 1}`],
    ['a power of ten beyond all', '1e99999999999999999999'],
    ['a power of ten below all', '1e-99999999999999999999'],
    ['a boolean', true],
    ['undefined', undefined],
    ['an array', ['1']],
    ['a Date', new Date(0)],
  ])('are not %s', (_name, value) => {
    expect(() => codec.toStored(value)).toThrow(invalid);
  });

  test('come back exactly, whole numbers of any size as bigint beyond 2^53', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 300n), max: 10n ** 300n }), (value) => {
        const back = codec.fromStored(codec.toStored(value));
        const isLarge = value > 2n ** 53n || value < -(2n ** 53n);
        expect(isLarge ? back : BigInt(String(back))).toBe(value);
      }),
    );
    expect(codec.fromStored(codec.toStored(2n ** 53n))).not.toBe(2n ** 53n);
    expect(codec.fromStored(codec.toStored(2n ** 53n + 1n))).toBe(2n ** 53n + 1n);
    const spelled = `7${'0'.repeat(20_000)}`;
    expect(codec.fromStored(codec.toStored(spelled))).toBe(BigInt(spelled));
    expect(codec.fromStored(null)).toBeNull();
  });

  test('come back as BigNumbers that mathjs takes for its own', () => {
    const value = codec.fromStored(codec.toStored(E)) as mathjs.BigNumber;
    expect(mathjs.isBigNumber(value)).toBe(true);
    expect(math.typeOf(value)).toBe('BigNumber');
    expect(math.add(value, math.bignumber(1)).toString()).toBe(E.replace('2', '3'));
    expect(math.multiply(math.bignumber(2), value).toString()).toBe(
      '5.436563656918090470720574942705324995514494187399919149933935256',
    );
    expect(value.plus(1).toString()).toBe(E.replace('2', '3'));
    expect(value.div(3).precision()).toBeLessThanOrEqual(64);
    expect(JSON.stringify(value)).toBe(JSON.stringify(math.bignumber(E)));
    expect(JSON.parse(JSON.stringify(value), math.reviver).toString()).toBe(E);
    expect(codec.toStored(value)).toBe(E);
  });

  test('leave other Decimals of the process as they are', () => {
    expect('isBigNumber' in new Decimal(1)).toBe(false);
    expect(JSON.stringify(new Decimal(1))).toBe('"1"');
  });

  test('may be already downsampled, the count a plain number', () => {
    const stored = codec.toStored({ m: '0.5', s: math.bignumber(1), l: 0.25, c: 2n });
    expect(stored).toEqual({ m: '0.5', s: '1', l: '0.25', c: 2 });
    const back = codec.fromStored(stored) as Record<string, unknown>;
    expect(back['c']).toBe(2);
    expect([back['m'], back['s'], back['l']].map(String)).toEqual(['0.5', '1', '0.25']);
    expect(codec.fromStored(codec.toStored({ m: null, s: null, l: null, c: 0 }))).toEqual({
      m: null,
      s: null,
      l: null,
      c: 0,
    });
    expect(() => codec.toStored({ m: 1, s: 1, c: 1 })).toThrow(invalid);
    expect(() => codec.toStored({ m: 1, s: 1, l: 'x', c: 1 })).toThrow(invalid);
    expect(() => codec.toStored({ m: 1, s: 1, l: 1, c: '1' })).toThrow(invalid);
  });

  test('are operands of either arithmetic', () => {
    expect(codec.toOperand('0.1', 'float')).toBe(0.1);
    expect(String(codec.toOperand(E, 'decimal'))).toBe(E);
    expect(codec.toOperand({ m: '1', s: '1', l: '1', c: 4 }, 'float')).toBe(0.25);
    expect(String(codec.toOperand({ m: '1', s: '1', l: '1', c: 4 }, 'decimal'))).toBe('0.25');
    expect(codec.toOperand({ m: null, s: null, l: null, c: 0 }, 'decimal')).toBeNull();
    expect(codec.fromOperand(codec.toOperand(E, 'decimal'))).toBe(E);
    expect(codec.fromOperand(0.1)).toBe('0.1');
    expect(codec.fromOperand(null)).toBeNull();
    expect(codec.fromOperand(Number.NaN)).toBeNull();
  });
});

describe('DECIMAL_ARITHMETIC', () => {
  const { of, add, subtract, divide, isLess } = DECIMAL_ARITHMETIC;

  test('adds and subtracts whole numbers of any size exactly', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.bigInt({ min: -(10n ** 99n), max: 10n ** 99n }), (a, b) => {
        const [x, y] = [decimalOf(a.toString()), decimalOf(b.toString())];
        expect(add(x, y).toFixed()).toBe((a + b).toString());
        expect(subtract(x, y).toFixed()).toBe((a - b).toString());
        expect(isLess(x, y)).toBe(a < b);
      }),
    );
  });

  test('divides to 64 significant digits', () => {
    expect(divide(of(2), of(3)).toString()).toBe(`0.${'6'.repeat(63)}7`);
    expect(of(0.1).toString()).toBe('0.1');
  });

  test('gives what stays cheap to compute with', () => {
    expect(add(of(1), of(2)).div(7).precision()).toBe(64);
  });

  test('divides exactly where the quotient ends within the digits of both', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 150n), max: 10n ** 150n }),
        fc.integer({ min: 1, max: 1_000_000 }),
        (value, count) => {
          const product = decimalOf((value * BigInt(count)).toString());
          expect(divideDecimals(product, decimalOf(count)).toFixed()).toBe(value.toString());
        },
      ),
    );
  });
});
