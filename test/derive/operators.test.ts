import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Decimal } from 'decimal.js';

import type { Arithmetic, Num } from '../../src/derive/arithmetic.ts';
import type { SourceDescription } from '../../src/derive/operator.ts';
import { OPERATOR_NAMES, operatorOf } from '../../src/derive/registry.ts';
import { Granularity } from '../../src/model/granularity.ts';
import { DECIMAL_ARITHMETIC, decimalOf } from '../../src/model/high-accuracy.ts';
import { contextOf, run } from './script.ts';

const numeric: SourceDescription = {
  name: null,
  valueType: 'numeric',
  granularity: Granularity.Seconds,
  isLevel: false,
};
const reset: SourceDescription = { ...numeric, name: 'reset', valueType: 'nominal' };
const nominal: SourceDescription = { ...numeric, valueType: 'nominal' };
const graph: SourceDescription = { ...numeric, valueType: 'graph' };
const minutely: SourceDescription = { ...numeric, granularity: Granularity.Minutes };

type Arguments = Readonly<Record<string, unknown>>;

type Refusal = [
  code: string,
  operator: string,
  what: string,
  sources: readonly SourceDescription[],
  args: Arguments,
];

function named(name: string): SourceDescription {
  return { ...numeric, name };
}

/** Operators over any number of sources, which take no arguments. */
const OVER_SOURCES = ['sum', 'mean', 'min', 'max', 'count'];

/** Operators of one source without a name, with the least that they have to be told. */
const ONE_SOURCE: Readonly<Record<string, Arguments>> = {
  derivative: {},
  counter_reset: {},
  rate: {},
  difference: {},
  clamp: { min: 0 },
  integral: {},
  exponential_smoothing: { alpha: 0.5 },
  moving_average: { window: 60 },
  time_shift: { offset: 60 },
};

/** Arguments that are positive numbers. */
const POSITIVE = [
  ['rate', 'max_value'],
  ['integral', 'unit'],
  ['integral', 'max_gap'],
  ['exponential_smoothing', 'time_constant'],
  ['exponential_smoothing', 'alpha'],
  ['moving_average', 'window'],
] as const;

function validate(name: string, sources: readonly SourceDescription[], args: Arguments = {}): void {
  operatorOf(name).validate(sources, {
    args,
    granularity: Granularity.Seconds,
    isHighAccuracy: false,
  });
}

describe('the registry', () => {
  test('knows the operators with the value types that they give', () => {
    expect(OPERATOR_NAMES.map((name) => [name, operatorOf(name).valueType])).toEqual([
      ['sum', 'numeric'],
      ['derivative', 'numeric'],
      ['counter_reset', 'nominal'],
      ['counter_derivative', 'numeric'],
      ['rate', 'numeric'],
      ['difference', 'numeric'],
      ['clamp', 'numeric'],
      ['expression', 'numeric'],
      ['integral', 'numeric'],
      ['exponential_smoothing', 'numeric'],
      ['moving_average', 'numeric'],
      ['time_shift', 'numeric'],
      ['mean', 'numeric'],
      ['min', 'numeric'],
      ['max', 'numeric'],
      ['count', 'numeric'],
    ]);
  });

  test.each(['product', '', 'Sum', 'constructor', '__proto__', 'toString'])(
    'refuses the unknown operator %j',
    (name) => {
      expect(() => operatorOf(name)).toThrow(
        expect.objectContaining({ code: 'UNSUPPORTED_DERIVE_OPERATOR' }),
      );
    },
  );
});

describe('what operators accept', () => {
  beforeAll(async () => operatorOf('expression').load?.());

  test.each<[string, readonly SourceDescription[], Arguments]>([
    ['sum', [numeric], {}],
    ['sum', [numeric, numeric, { ...numeric, isLevel: true }], {}],
    ['derivative', [numeric], {}],
    ['counter_reset', [numeric], {}],
    ['counter_derivative', [reset, numeric], {}],
    ['counter_derivative', [{ ...reset, valueType: 'numeric' }, numeric], { max_value: 256 }],
    ['counter_derivative', [reset, numeric], { max_value: undefined }],
    ['rate', [numeric], {}],
    ['rate', [numeric], { max_value: 256 }],
    ['difference', [numeric], {}],
    ['clamp', [numeric], { min: -1 }],
    ['clamp', [numeric], { max: 0 }],
    ['clamp', [numeric], { min: 5, max: 5 }],
    ['expression', [named('a')], { expression: 'a * 8' }],
    ['expression', [named('a'), named('b')], { expression: 'a / b + t' }],
    ['integral', [numeric], {}],
    ['integral', [numeric], { unit: 3600, max_gap: 0.5, method: 'held' }],
    ['exponential_smoothing', [numeric], { time_constant: 0.001 }],
    ['exponential_smoothing', [numeric], { alpha: 1 }],
    ['moving_average', [numeric], { window: 1.5 }],
    ['time_shift', [numeric], { offset: -86_400 }],
    ...OVER_SOURCES.flatMap((name): [string, SourceDescription[], Arguments][] => [
      [name, [numeric], {}],
      [name, [named('a'), numeric, { ...numeric, isLevel: true }], {}],
    ]),
  ])('%s takes its sources and arguments', (name, sources, args) => {
    expect(() => validate(name, sources, args)).not.toThrow();
  });

  test('each is in one of the tables', () => {
    const tables = [
      ...OVER_SOURCES,
      ...Object.keys(ONE_SOURCE),
      'counter_derivative',
      'expression',
    ];
    expect(tables.toSorted()).toEqual(OPERATOR_NAMES.toSorted());
  });

  test.each<Refusal>([
    ...OVER_SOURCES.flatMap((name): Refusal[] => [
      ['INVALID_OPERATOR_ARGUMENTS', name, 'no source', [], {}],
      ['INVALID_OPERATOR_ARGUMENTS', name, 'an unknown argument', [numeric], { max_value: 1 }],
      ['INCOMPATIBLE_TYPES', name, 'a nominal source', [numeric, nominal], {}],
      ['INCOMPATIBLE_TYPES', name, 'a graph source', [graph], {}],
      ['INCOMPATIBLE_GRANULARITIES', name, 'another granularity', [numeric, minutely], {}],
    ]),
    ['INVALID_OPERATOR_ARGUMENTS', 'derivative', 'an unknown argument', [numeric], { toString: 1 }],
    ['INVALID_OPERATOR_ARGUMENTS', 'counter_reset', 'an argument', [numeric], { max_value: 1 }],
    ['INVALID_OPERATOR_ARGUMENTS', 'counter_derivative', 'one source', [numeric], {}],
    ['INVALID_OPERATOR_ARGUMENTS', 'counter_derivative', 'the wrong order', [numeric, reset], {}],
    [
      'INVALID_OPERATOR_ARGUMENTS',
      'counter_derivative',
      'another name',
      [{ ...reset, name: 'uptime' }, numeric],
      {},
    ],
    [
      'INVALID_OPERATOR_ARGUMENTS',
      'counter_derivative',
      'a third source',
      [reset, numeric, numeric],
      {},
    ],
    [
      'INVALID_OPERATOR_ARGUMENTS',
      'counter_derivative',
      'an unknown argument',
      [reset, numeric],
      { maxValue: 9 },
    ],
    ['INCOMPATIBLE_TYPES', 'counter_derivative', 'nominal data', [reset, nominal], {}],
    [
      'INCOMPATIBLE_TYPES',
      'counter_derivative',
      'a graph of resets',
      [{ ...graph, name: 'reset' }, numeric],
      {},
    ],
    [
      'INCOMPATIBLE_GRANULARITIES',
      'counter_derivative',
      'resets of another granularity',
      [{ ...reset, granularity: Granularity.Minutes }, numeric],
      {},
    ],
    ['INCOMPATIBLE_GRANULARITIES', 'counter_derivative', 'slow data', [reset, minutely], {}],
    ...Object.entries(ONE_SOURCE).flatMap(([name, args]): Refusal[] => [
      ['INVALID_OPERATOR_ARGUMENTS', name, 'no source', [], args],
      ['INVALID_OPERATOR_ARGUMENTS', name, 'two sources', [numeric, numeric], args],
      ['INVALID_OPERATOR_ARGUMENTS', name, 'a name', [named('x')], args],
      ['INVALID_OPERATOR_ARGUMENTS', name, 'an argument', [numeric], { ...args, maximum: 1 }],
      ['INCOMPATIBLE_TYPES', name, 'a nominal source', [nominal], args],
      ['INCOMPATIBLE_TYPES', name, 'a graph source', [graph], args],
      ['INCOMPATIBLE_GRANULARITIES', name, 'another granularity', [minutely], args],
    ]),
    ...POSITIVE.flatMap(([name, argument]) =>
      [0, -1, Number.NaN, Infinity, '1', null].map(
        (value): Refusal => [
          'INVALID_OPERATOR_ARGUMENTS',
          name,
          `${argument} ${JSON.stringify(value)}`,
          [numeric],
          { [argument]: value },
        ],
      ),
    ),
    ['INVALID_OPERATOR_ARGUMENTS', 'integral', 'another method', [numeric], { method: 'left' }],
    ['INVALID_OPERATOR_ARGUMENTS', 'exponential_smoothing', 'no weight', [numeric], {}],
    [
      'INVALID_OPERATOR_ARGUMENTS',
      'exponential_smoothing',
      'two weights',
      [numeric],
      { alpha: 1, time_constant: 1 },
    ],
    ['INVALID_OPERATOR_ARGUMENTS', 'exponential_smoothing', 'alpha 1.1', [numeric], { alpha: 1.1 }],
    ['INVALID_OPERATOR_ARGUMENTS', 'moving_average', 'no window', [numeric], {}],
    ['INVALID_OPERATOR_ARGUMENTS', 'time_shift', 'no offset', [numeric], {}],
    ...[0, 0.5, 2 ** 53, '1', null].map(
      (offset): Refusal => [
        'INVALID_OPERATOR_ARGUMENTS',
        'time_shift',
        `offset ${JSON.stringify(offset)}`,
        [numeric],
        { offset },
      ],
    ),
    ['INVALID_OPERATOR_ARGUMENTS', 'expression', 'no source', [], { expression: '1' }],
    ['INVALID_OPERATOR_ARGUMENTS', 'expression', 'no name', [numeric], { expression: '1' }],
    ['INVALID_OPERATOR_ARGUMENTS', 'expression', 'no text', [named('a')], {}],
    ['INVALID_OPERATOR_ARGUMENTS', 'expression', 'a number', [named('a')], { expression: 1 }],
    ['INVALID_OPERATOR_ARGUMENTS', 'expression', 'a stranger', [named('a')], { expression: 'b' }],
    [
      'INVALID_OPERATOR_ARGUMENTS',
      'expression',
      'two of a name',
      [named('a'), named('a')],
      { expression: 'a' },
    ],
    [
      'INCOMPATIBLE_TYPES',
      'expression',
      'a nominal source',
      [{ ...nominal, name: 'a' }],
      { expression: 'a' },
    ],
    [
      'INCOMPATIBLE_GRANULARITIES',
      'expression',
      'another granularity',
      [{ ...minutely, name: 'a' }],
      { expression: 'a' },
    ],
    ['INVALID_OPERATOR_ARGUMENTS', 'rate', 'a negative maximum', [numeric], { max_value: -1 }],
    ['INVALID_OPERATOR_ARGUMENTS', 'clamp', 'no limit', [numeric], {}],
    ['INVALID_OPERATOR_ARGUMENTS', 'clamp', 'text as a limit', [numeric], { min: '0' }],
    ['INVALID_OPERATOR_ARGUMENTS', 'clamp', 'an infinite limit', [numeric], { max: Infinity }],
    ['INVALID_OPERATOR_ARGUMENTS', 'clamp', 'limits crossed', [numeric], { min: 2, max: 1 }],
  ])('%s: %s with %s', (code, name, _what, sources, args) => {
    expect(() => validate(name, sources, args)).toThrow(expect.objectContaining({ code }));
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, '256', null, 256n, [256], true])(
    'counter_derivative refuses %p as max_value',
    (value) => {
      expect(() => validate('counter_derivative', [reset, numeric], { max_value: value })).toThrow(
        expect.objectContaining({ code: 'INVALID_OPERATOR_ARGUMENTS' }),
      );
    },
  );
});

describe('decimals of 64 digits', () => {
  const arithmetic = DECIMAL_ARITHMETIC as Arithmetic<Num>;
  const of = (source: number, second: number, text: string) => ({
    timestampMs: second * 1000,
    source,
    value: decimalOf(text),
  });
  const texts = (outputs: readonly { value: unknown }[]) =>
    outputs.map(({ value }) => (value === null ? null : (value as Decimal).toFixed()));

  test('stay exact in a sum', () => {
    const inputs = [of(0, 0, '340282366920938463463374607431768211456'), of(1, 0, '0.1')];
    const { outputs } = run(operatorOf('sum'), inputs, { sourceCount: 2, arithmetic });
    expect(texts(outputs)).toEqual(['340282366920938463463374607431768211456.1']);
  });

  test('stay exact in a derivative', () => {
    const inputs = [
      of(0, 0, '340282366920938463463374607431768211456'),
      of(0, 4, '340282366920938463463374607431768211457'),
      of(0, 7, '340282366920938463463374607431768211458'),
    ];
    const { outputs } = run(operatorOf('derivative'), inputs, { arithmetic });
    expect(texts(outputs)).toEqual(['0.25', `0.${'3'.repeat(64)}`]);
  });

  test('tell a counter that fell by less than a float can see', () => {
    const inputs = [of(0, 0, '9007199254740993'), of(0, 1, '9007199254740992')];
    const { outputs } = run(operatorOf('counter_reset'), inputs, { arithmetic });
    expect(outputs).toEqual([{ timestampMs: 1000, value: 1 }]);
  });

  test('wrap around max_value, and a decimal zero is no reset', () => {
    const inputs = [of(1, 0, '9007199254740990.5'), of(0, 1, '0'), of(1, 1, '4')];
    const { outputs } = run(operatorOf('counter_derivative'), inputs, {
      sourceCount: 2,
      args: { max_value: 2 ** 53 },
      arithmetic,
    });
    expect(texts(outputs)).toEqual(['5.5']);
  });

  test('clear the previous value at a reset that is not zero', () => {
    const inputs = [of(1, 0, '9'), of(0, 1, '0.5'), of(1, 1, '4'), of(1, 2, '5')];
    const { outputs } = run(operatorOf('counter_derivative'), inputs, {
      sourceCount: 2,
      arithmetic,
    });
    expect(texts(outputs)).toEqual(['1']);
  });
});

describe('results beyond the largest float', () => {
  const at = (source: number, second: number, value: number) => ({
    timestampMs: second * 1000,
    source,
    value,
  });

  test('give a warning and no sum', () => {
    const inputs = [at(0, 0, 1e308), at(1, 0, 1e308), at(0, 1, 1), at(1, 1, 2)];
    const { outputs, warnings } = run(operatorOf('sum'), inputs, { sourceCount: 2 });
    expect(outputs).toEqual([{ timestampMs: 1000, value: 3 }]);
    expect(warnings).toHaveLength(1);
  });

  test('give a warning and no derivative', () => {
    const inputs = [at(0, 0, -1e308), at(0, 1, 1e308), at(0, 2, 1e308)];
    const { outputs, warnings } = run(operatorOf('derivative'), inputs);
    expect(outputs).toEqual([{ timestampMs: 2000, value: 0 }]);
    expect(warnings).toHaveLength(1);
  });
});

describe('the state of sum', () => {
  test('emits a bucket once, and again only after it took another input', () => {
    const sum = operatorOf('sum');
    const outputs: unknown[] = [];
    const sink = { emit: ({ value }: { value: unknown }) => void outputs.push(value), warn() {} };
    const state = sum.start(contextOf({ sourceCount: 2, granularity: Granularity.Seconds10 }));
    sum.flush!(state, sink);
    sum.step(state, { timestampMs: 1000, source: 1, value: 2 }, sink);
    sum.flush!(state, sink);
    expect(outputs).toEqual([]);
    sum.step(state, { timestampMs: 4000, source: 0, value: null }, sink);
    sum.flush!(state, sink);
    sum.flush!(state, sink);
    expect(outputs).toEqual([2]);
    sum.step(state, { timestampMs: 9000, source: 1, value: 7 }, sink);
    sum.step(state, { timestampMs: 10_000, source: 1, value: 1 }, sink);
    expect(outputs).toEqual([2, 7]);
    sum.flush!(state, sink);
    expect(outputs).toEqual([2, 7]);
  });
});

describe('broken promises to an operator', () => {
  test.each([Number.NaN, '1', undefined, {}])('a numeric input of %p is a defect', (value) => {
    expect(() => run(operatorOf('derivative'), [{ timestampMs: 0, source: 0, value }])).toThrow(
      expect.objectContaining({ name: 'AssertionFailed' }),
    );
  });

  test('inputs that go back in time are a defect', () => {
    const inputs = [5000, 4000].map((timestampMs) => ({ timestampMs, source: 0, value: 1 }));
    expect(() => run(operatorOf('derivative'), inputs)).toThrow(
      expect.objectContaining({ name: 'AssertionFailed' }),
    );
  });
});
