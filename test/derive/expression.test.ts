import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { compileExpression } from '../../src/derive/expression-parser.ts';
import type { Input, SourceDescription } from '../../src/derive/operator.ts';
import { operatorOf } from '../../src/derive/registry.ts';
import { Granularity } from '../../src/model/granularity.ts';
import { inputsOf, runAligned, tickingRows } from './aligned.ts';
import { inOrder, run } from './script.ts';

const expression = operatorOf('expression');

beforeAll(async () => expression.load?.());

function sourceNamed(name: string | null): SourceDescription {
  return { name, valueType: 'numeric', granularity: Granularity.Seconds, isLevel: false };
}

function validate(
  text: unknown,
  names: readonly (string | null)[] = ['a'],
  options: { readonly isHighAccuracy?: boolean } = {},
): void {
  expression.validate(names.map(sourceNamed), {
    args: { expression: text },
    granularity: Granularity.Seconds,
    ...options,
  });
}

/** Null for no value, as a derived stream has it; of names that the text does not use, none are given. */
function evaluate(text: string, values: Readonly<Record<string, number>> = {}): number | null {
  const value = compileExpression(
    text,
    Object.keys(values),
  )(Float64Array.from([...Object.values(values), 60]));
  return Number.isNaN(value) ? null : value;
}

describe('what expressions give', () => {
  test.each<[string, Readonly<Record<string, number>>, number | null]>([
    // The cases of specs: equations.
    ['a+b/c', { a: 1, b: 6, c: 3 }, 3],
    ['(a+b)*c', { a: 1, b: 2, c: 3 }, 9],
    ['a - (b - c)', { a: 1, b: 2, c: 3 }, 2],
    ['a/b', { a: 1, b: 0 }, null],
    ['4 * a', { a: 2 }, 8],
    ['-a', { a: 2 }, -2],
    ['a - -a', { a: 2 }, 4],
    ['2 ^ 3 ^ 2 - a', { a: 0 }, 512],
    ['-a ^ 2', { a: 3 }, -9],
    ['7 % a', { a: 4 }, 3],
    ['-7 % a', { a: 4 }, 1],
    ['mod(7, -a)', { a: 4 }, -1],
    ['a % 0', { a: 4 }, null],
    ['a > 2 ? 10 : 20', { a: 3 }, 10],
    ['a > 2 ? 10 : 20', { a: 2 }, 20],
    ['(a > 2) + (a == 3) + (a != 3)', { a: 3 }, 2],
    ['a >= 3 and not (a < 3)', { a: 3 }, 1],
    ['a < 0 or a <= -1 xor true', { a: 3 }, 1],
    ['min(a, 2, 7) + max(a, 2)', { a: 3 }, 5],
    ['round(a)', { a: -2.5 }, -3],
    ['floor(a) + ceil(a)', { a: 1.5 }, 3],
    ['sqrt(a)', { a: 9 }, 3],
    ['sqrt(a)', { a: -9 }, null],
    ['log10(a) + log2(8)', { a: 100 }, 5],
    ['log(exp(a))', { a: 1 }, 1],
    ['cos(pi) + a', { a: 1 }, 0],
    ['t / 60 + a', { a: 1 }, 2],
    ['t', { t: 5 }, 5],
    ['min', { min: 5 }, 5],
    ['0x10 + 1.5e1 + a', { a: 0 }, 31],
    // Null is contagious where it is used.
    ['a + 1', { a: Number.NaN }, null],
    ['a == a', { a: Number.NaN }, null],
    ['not a', { a: Number.NaN }, null],
    ['max(a, 1)', { a: Number.NaN }, null],
    ['a ? 1 : 2', { a: Number.NaN }, null],
    ['b > 0 ? b : a', { a: Number.NaN, b: 1 }, 1],
    ['coalesce(a, b, 1)', { a: Number.NaN, b: 2 }, 2],
    ['a > 100 ? null : a', { a: 200 }, null],
  ])('%s with %j is %j', (text, values, expected) => {
    expect(evaluate(text, values)).toBe(expected);
  });

  test('chains are as long as the text may be: they are not nested', () => {
    expect(evaluate(`a${' + a'.repeat(499)}`, { a: 1 })).toBe(500);
    expect(evaluate(`a${'+a'.repeat(999)}`, { a: 1 })).toBe(1000);
    expect(evaluate(`a${' - a'.repeat(199)}`, { a: 1 })).toBe(-198);
  });

  test('random expressions give what plain JavaScript makes of them', () => {
    type Case = { readonly text: string; readonly value: (a: number, b: number) => number };
    const binary =
      (symbol: string, apply: (x: number, y: number) => number) =>
      (x: Case, y: Case): Case => ({
        text: `(${x.text} ${symbol} ${y.text})`,
        value: (a, b) => apply(x.value(a, b), y.value(a, b)),
      });
    const truth =
      (apply: (x: number, y: number) => boolean) =>
      (x: number, y: number): number =>
        Number.isNaN(x) || Number.isNaN(y) ? Number.NaN : Number(apply(x, y));
    const joins = [
      binary('+', (x, y) => x + y),
      binary('-', (x, y) => x - y),
      binary('*', (x, y) => x * y),
      binary('/', (x, y) => (y === 0 ? Number.NaN : x / y)),
      binary(
        '<',
        truth((x, y) => x < y),
      ),
      binary(
        'and',
        truth((x, y) => x !== 0 && y !== 0),
      ),
      (x: Case, y: Case): Case => ({
        text: `min(${x.text}, ${y.text}, 1)`,
        value: (a, b) => Math.min(x.value(a, b), y.value(a, b), 1),
      }),
      (x: Case, y: Case): Case => ({
        text: `(${x.text} ? ${y.text} : -${x.text})`,
        value: (a, b) => {
          const condition = x.value(a, b);
          if (Number.isNaN(condition)) return condition;
          return condition === 0 ? -x.value(a, b) : y.value(a, b);
        },
      }),
    ];
    const { tree } = fc.letrec<{ tree: Case; leaf: Case }>((tie) => ({
      leaf: fc.oneof(
        fc.constant<Case>({ text: 'a', value: (a) => a }),
        fc.constant<Case>({ text: 'b', value: (_a, b) => b }),
        fc.integer({ min: 0, max: 9 }).map((n): Case => ({ text: `${n}`, value: () => n })),
      ),
      tree: fc.oneof(
        { depthSize: 'small' },
        tie('leaf'),
        fc
          .tuple(fc.constantFrom(...joins), tie('tree'), tie('tree'))
          .map(([join, x, y]) => join(x, y)),
      ),
    }));
    const value = fc.constantFrom(0, 1, -2, 0.5, 3, Number.NaN);
    fc.assert(
      fc.property(tree, value, value, (inner, a, b) => {
        const whole = joins[0]!(
          inner,
          joins[0]!(joins[2]!({ text: '0', value: () => 0 }, { text: 'a', value: (x) => x }), {
            text: '0 * b',
            value: (_x, y) => 0 * y,
          }),
        );
        expect(compileExpression(whole.text, ['a', 'b'])(Float64Array.of(a, b, 0))).toEqual(
          whole.value(a, b),
        );
      }),
      { numRuns: 500 },
    );
  });
});

describe('what expressions refuse', () => {
  test.each<[string, string]>([
    ['', 'is empty'],
    ['a +', 'cannot be read'],
    ['(a', 'cannot be read'],
    ['a%', 'cannot be read'],
    ['a + 8%', 'cannot be read'],
    ['a % 2 % a %) + a', 'Value expected at character 12'],
    ['a + b', 'unknown name b: it knows a, t, pi, e (at character 5)'],
    ['3 + 4', 'does not use the source "a"'],
    ['2 a', 'write *'],
    ['a 5', 'write *'],
    ['a b', 'write *'],
    ['a = 5', 'takes no assignment'],
    ['f(x) = a', 'takes no function assignment'],
    ['a; a', 'takes no block'],
    ['[a, 1]', 'takes no array'],
    ['a:1000000000', 'takes no range'],
    ['{ a: 1 }', 'takes no object'],
    ['a.b', 'takes no accessor'],
    ['a[1]', 'takes no accessor'],
    ['"a"', 'takes no string'],
    ['1 < a < 3', 'takes no relational'],
    ['a!', 'takes no operator !'],
    ["a'", "takes no operator '"],
    ['a .* a', 'takes no operator .*'],
    ['a | 1', 'takes no operator |'],
    ['a to b', 'takes no operator to'],
    ['Infinity + a', 'takes finite numbers only'],
    ['1e999 + a', 'takes finite numbers only'],
    ['sqrt(a, 2)', 'gives sqrt 2 arguments, and it takes 1'],
    ['max() + a', 'gives max 0 arguments, and it takes at least 1'],
    ['factorial(a)', 'takes no function factorial'],
    ['random() + a', 'takes no function random'],
    ['5 cm + a', 'write *'],
  ])('%s: %s', (text, message) => {
    expect(() => validate(text)).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPERATOR_ARGUMENTS',
        message: expect.stringContaining(message),
      }),
    );
  });

  // Ways out of the parser, or of evaluators that know more than this one.
  test.each([
    'cos.constructor("return process")()',
    'a.constructor.constructor("return process")()',
    'constructor("return process")()',
    '__proto__',
    '__proto__(a)',
    'a.__proto__.polluted = 1',
    'toString()',
    'valueOf(a)',
    'hasOwnProperty("a")',
    'this',
    'globalThis',
    'process',
    'process.exit()',
    'require("fs")',
    'import({ pi: 4 }, { override: true })',
    'createUnit("a")',
    'parse("1+1")',
    'parser()',
    'evaluate("1+1")',
    'simplify("a")',
    'derivative("a^2", "a")',
    'compile("a").evaluate()',
    'help(a)',
    'config({})',
    'typed("x", {})',
    'f(x) = cos.constructor',
    'f(x) = f(x); f(a)',
    'map([1, 2], f)',
    'chain(a).done()',
    'expression.docs',
    'ones(1e9)',
    'zeros(100000, 100000)',
    'range(0, 1e12)',
    'eval("1")',
    'Function("return 1")()',
    '(x => x)(a)',
    'a["constructor"]',
    'cos["constructor"]("return process")()',
    '{}.constructor.constructor("return process")()',
    '[].map.constructor("return process")()',
    '"".constructor.constructor("return process")()',
    'a + end',
    '\u0000 + a',
    'a \u2028 process',
    '\u0024{a}',
  ])('no way out: %s', (text) => {
    expect(() => validate(text)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPERATOR_ARGUMENTS' }),
    );
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('texts that are too long or nested too deeply, however they nest', () => {
    const refused = expect.objectContaining({ code: 'INVALID_OPERATOR_ARGUMENTS' });
    expect(() => validate(`a${' '.repeat(2000)}`)).toThrow(refused);
    for (const [open, close] of [
      ['(', ')'],
      ['-', ''],
      ['abs(', ')'],
      ['a ? a : ', ''],
      ['2 ^ ', ''],
      ['1 + (', ')'],
      ['not ', ''],
      // Parsers that look ahead here take time that doubles with each level.
      ['a % (', ')'],
    ] as const) {
      const nested = (depth: number): string => `${open.repeat(depth)}a${close.repeat(depth)}`;
      expect(() => validate(nested(20))).not.toThrow();
      expect(() => validate(nested(60))).toThrow(refused);
      const longest = Math.floor(1990 / (open.length + close.length));
      expect(() => validate(nested(longest))).toThrow(refused);
    }
  });

  test.each<[string, readonly (string | null)[], unknown]>([
    ['no source', [], '1'],
    ['a source without a name', [null], '1'],
    ['two sources of one name', ['a', 'a'], 'a'],
    ['a name with a hyphen', ['a-b'], 'a-b'],
    ['a word of the language', ['mod'], 'mod'],
    ['an empty name', [''], '1'],
    ['a source that is not used', ['a', 'b'], 'a'],
    ['no text', ['a'], 5],
    ['a missing text', ['a'], undefined],
  ])('%s', (_what, names, text) => {
    expect(() => validate(text, names)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPERATOR_ARGUMENTS' }),
    );
  });

  test('high accuracy, other types, other granularities and unknown arguments', () => {
    const invalid = expect.objectContaining({ code: 'INVALID_OPERATOR_ARGUMENTS' });
    expect(() => validate('a', ['a'], { isHighAccuracy: true })).toThrow(invalid);
    const options = { args: { expression: 'a' }, granularity: Granularity.Seconds };
    const source = sourceNamed('a');
    expect(() =>
      expression.validate([source], { ...options, args: { expression: 'a', scope: {} } }),
    ).toThrow(invalid);
    expect(() => expression.validate([{ ...source, valueType: 'nominal' }], options)).toThrow(
      expect.objectContaining({ code: 'INCOMPATIBLE_TYPES' }),
    );
    expect(() =>
      expression.validate([source], { ...options, granularity: Granularity.Minutes }),
    ).toThrow(expect.objectContaining({ code: 'INCOMPATIBLE_GRANULARITIES' }));
  });
});

describe('an expression over buckets', () => {
  const granularity = Granularity.Seconds10;
  const args = { expression: 'a / b + t * 0' };
  const options = { args, sourceCount: 2, sourceNames: ['a', 'b'], granularity };
  const values = fc.constantFrom<number | null>(null, 0, 1, -1, 2, 0.5);

  test('gives each bucket in which every source has a value that of their last values', () => {
    const input = fc.record({
      timestampMs: fc.integer({ min: -25, max: 25 }).map((seconds) => seconds * 1000),
      source: fc.nat({ max: 1 }),
      value: values,
    });
    fc.assert(
      fc.property(fc.array(input, { maxLength: 25 }), (inputs: readonly Input[]) => {
        const ordered = inOrder(inputs);
        const last = new Map<number, unknown[]>();
        for (const { timestampMs, source, value } of ordered) {
          const start = Math.floor(timestampMs / 10_000) * 10_000;
          const bucket = last.get(start) ?? [undefined, undefined];
          bucket[source] = value;
          last.set(start, bucket);
        }
        const complete = [...last].filter(([, bucket]) => !bucket.includes(undefined));
        const expected = complete.map(([timestampMs, [a, b]]) => ({
          timestampMs,
          value: a === null || b === null || b === 0 ? null : (a as number) / (b as number) + 0,
        }));
        const zeroCount = complete.filter(([, [a, b]]) => a !== null && b === 0).length;
        const { outputs, warnings } = run(expression, ordered, options);
        expect(outputs).toEqual(expected);
        expect(warnings).toHaveLength(zeroCount);
      }),
      { numRuns: 500 },
    );
  });

  test('gives the same in columns as step by step', () => {
    fc.assert(
      fc.property(tickingRows(values), (rows) => {
        expect(runAligned(expression, rows, options)).toEqual(
          run(expression, inputsOf(rows), options),
        );
      }),
    );
  });
});
