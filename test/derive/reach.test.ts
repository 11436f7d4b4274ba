import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { Input, Operator } from '../../src/derive/operator.ts';
import { OPERATOR_NAMES, operatorOf } from '../../src/derive/registry.ts';
import { bucketStartMs, Granularity } from '../../src/model/granularity.ts';
import { contextOf, inOrder, type RunOptions, run } from './script.ts';

interface Setting {
  readonly title: string;
  readonly operator: Operator;
  readonly options: RunOptions;
  /** By source. */
  readonly values: readonly fc.Arbitrary<unknown>[];
}

const numbers: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -4, max: 20 }) },
  { weight: 1, arbitrary: fc.constant(null) },
);
const resets: fc.Arbitrary<unknown> = fc.constantFrom(null, 0, false, '', 1, 'boot', { boot: 1 });

const SETTINGS: readonly Setting[] = [
  { title: 'derivative', operator: operatorOf('derivative'), options: {}, values: [numbers] },
  { title: 'counter_reset', operator: operatorOf('counter_reset'), options: {}, values: [numbers] },
  { title: 'difference', operator: operatorOf('difference'), options: {}, values: [numbers] },
  { title: 'rate', operator: operatorOf('rate'), options: {}, values: [numbers] },
  {
    title: 'rate with a maximum',
    operator: operatorOf('rate'),
    options: { args: { max_value: 32 } },
    values: [numbers],
  },
  {
    title: 'clamp',
    operator: operatorOf('clamp'),
    options: { args: { min: 0, max: 10 } },
    values: [numbers],
  },
  {
    title: 'counter_derivative without a maximum',
    operator: operatorOf('counter_derivative'),
    options: { sourceCount: 2 },
    values: [resets, numbers],
  },
  {
    title: 'counter_derivative with a maximum',
    operator: operatorOf('counter_derivative'),
    options: { sourceCount: 2, args: { max_value: 32 } },
    values: [resets, numbers],
  },
];

const secondsArbitrary = fc.integer({ min: -12, max: 12 });

function inputArbitrary({ values }: Setting): fc.Arbitrary<Input> {
  return fc.oneof(
    ...values.map((value, source) =>
      fc.record({
        timestampMs: secondsArbitrary.map((seconds) => seconds * 1000),
        source: fc.constant(source),
        value,
      }),
    ),
  );
}

function historyArbitrary(setting: Setting): fc.Arbitrary<readonly Input[]> {
  return fc.array(inputArbitrary(setting), { maxLength: 25 }).map(inOrder);
}

function settlesAfter({ reach }: Operator, input: Input): boolean {
  return reach.kind === 'sequence' && reach.settles(input);
}

test('every operator of sequence reach has its setting here', () => {
  const sequences = OPERATOR_NAMES.filter((name) => operatorOf(name).reach.kind === 'sequence');
  expect(new Set(SETTINGS.map(({ operator }) => operator.name))).toEqual(new Set(sequences));
});

test.each<[string, number, unknown, boolean]>([
  ['derivative', 0, 1, true],
  ['derivative', 0, null, true],
  ['rate', 0, 1, true],
  ['rate', 0, null, true],
  ['difference', 0, null, true],
  ['clamp', 0, null, true],
  ['counter_reset', 0, 0, true],
  ['counter_reset', 0, null, false],
  ['counter_derivative', 1, 0, true],
  ['counter_derivative', 1, null, true],
  ['counter_derivative', 0, 1, true],
  ['counter_derivative', 0, 'boot', true],
  ['counter_derivative', 0, [], true],
  ['counter_derivative', 0, 0, false],
  ['counter_derivative', 0, false, false],
  ['counter_derivative', 0, '', false],
  ['counter_derivative', 0, null, false],
])('%s, source %d, value %j: settles is %j', (name, source, value, expected) => {
  expect(settlesAfter(operatorOf(name), { timestampMs: 0, source, value })).toBe(expected);
});

describe.each(SETTINGS)('the reach of $title', (setting) => {
  const { operator, options } = setting;

  test('lets a replay start at the last settling input before a window', () => {
    fc.assert(
      fc.property(
        historyArbitrary(setting),
        secondsArbitrary,
        fc.integer({ min: 1, max: 24 }),
        (history, startSeconds, lengthSeconds) => {
          const startMs = startSeconds * 1000;
          const endMs = startMs + lengthSeconds * 1000;
          const first = history.findLastIndex(
            (input) => input.timestampMs < startMs && settlesAfter(operator, input),
          );
          const replayed = history
            .slice(Math.max(first, 0))
            .filter(({ timestampMs }) => timestampMs < endMs);
          const inWindow = ({ timestampMs }: { timestampMs: number }) =>
            timestampMs >= startMs && timestampMs < endMs;
          expect(run(operator, replayed, options).outputs.filter(inWindow)).toEqual(
            run(operator, history, options).outputs.filter(inWindow),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  test('ends a change at the first settling input after it', () => {
    const change = fc.record({
      at: fc.nat(),
      kind: fc.constantFrom('replace', 'remove', 'insert'),
      input: inputArbitrary(setting),
    });
    fc.assert(
      fc.property(historyArbitrary(setting), change, (history, { at, kind, input }) => {
        fc.pre(kind === 'insert' || history.length > 0);
        const index = at % Math.max(history.length, 1);
        const changedMs = kind === 'insert' ? input.timestampMs : history[index]!.timestampMs;
        const changed = inOrder([
          ...history.filter((_, i) => kind === 'insert' || i !== index),
          ...(kind === 'remove' ? [] : [{ ...input, timestampMs: changedMs }]),
        ]);
        const lastMs =
          history.find((item) => item.timestampMs > changedMs && settlesAfter(operator, item))
            ?.timestampMs ?? Number.POSITIVE_INFINITY;
        const isOutside = ({ timestampMs }: { timestampMs: number }) =>
          timestampMs < changedMs || timestampMs > lastMs;
        expect(run(operator, changed, options).outputs.filter(isOutside)).toEqual(
          run(operator, history, options).outputs.filter(isOutside),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('gives outputs in order of time and only at instants of inputs', () => {
    fc.assert(
      fc.property(historyArbitrary(setting), (history) => {
        const times = run(operator, history, options).outputs.map(({ timestampMs }) => timestampMs);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        expect(history.map(({ timestampMs }) => timestampMs)).toEqual(
          expect.arrayContaining(times),
        );
      }),
    );
  });
});

describe('the reach of sum', () => {
  const sum = operatorOf('sum');
  const floats: fc.Arbitrary<number | null> = fc.oneof(
    { weight: 4, arbitrary: fc.double({ noNaN: true, min: -1e9, max: 1e9 }) },
    { weight: 1, arbitrary: fc.constant(null) },
  );
  const histories = fc
    .tuple(
      fc.integer({ min: 1, max: 3 }),
      fc.array(
        fc.record({
          timestampMs: fc.integer({ min: -25, max: 25 }).map((seconds) => seconds * 1000),
          source: fc.nat({ max: 2 }),
          value: floats,
        }),
        { maxLength: 30 },
      ),
    )
    .map(([sourceCount, inputs]) => ({
      sourceCount,
      inputs: inputs.filter(({ source }) => source < sourceCount),
    }));
  const granularity = Granularity.Seconds10;

  function naiveSum(inputs: readonly Input[], sourceCount: number): readonly unknown[] {
    const buckets = new Map<number, Map<number, number | null>>();
    for (const { timestampMs, source, value } of inputs) {
      const bucketMs = bucketStartMs(timestampMs, granularity);
      if (!buckets.has(bucketMs)) buckets.set(bucketMs, new Map());
      buckets.get(bucketMs)!.set(source, value as number | null);
    }
    return [...buckets]
      .filter(([, latest]) => latest.size === sourceCount)
      .toSorted(([a], [b]) => a - b)
      .map(([timestampMs, latest]) => {
        const present = [...latest]
          .toSorted(([a], [b]) => a - b)
          .map(([, value]) => value)
          .filter((value) => value !== null);
        return {
          timestampMs,
          value: present.length === 0 ? null : present.reduce((a, b) => a + b),
        };
      });
  }

  test('is a bucket, whose sum is that of the last value of each source', () => {
    fc.assert(
      fc.property(histories, ({ inputs, sourceCount }) => {
        const ordered = inOrder(inputs);
        expect(run(sum, ordered, { sourceCount, granularity }).outputs).toEqual(
          naiveSum(ordered, sourceCount),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('gives the same bits whichever source comes first within a bucket', () => {
    fc.assert(
      fc.property(histories, fc.boolean(), ({ inputs, sourceCount }, isReversed) => {
        const ordered = inOrder(inputs);
        const bySource = ordered.toSorted(
          (a, b) =>
            bucketStartMs(a.timestampMs, granularity) - bucketStartMs(b.timestampMs, granularity) ||
            (isReversed ? b.source - a.source : a.source - b.source),
        );
        expect(run(sum, bySource, { sourceCount, granularity }).outputs).toEqual(
          run(sum, ordered, { sourceCount, granularity }).outputs,
        );
      }),
    );
  });

  test('lets each bucket be computed alone', () => {
    fc.assert(
      fc.property(histories, ({ inputs, sourceCount }) => {
        const ordered = inOrder(inputs);
        const starts = new Set(
          ordered.map((input) => bucketStartMs(input.timestampMs, granularity)),
        );
        const alone = [...starts].flatMap((startMs) => {
          const bucket = ordered.filter(
            (input) => bucketStartMs(input.timestampMs, granularity) === startMs,
          );
          return run(sum, bucket, { sourceCount, granularity }).outputs;
        });
        expect(alone).toEqual(run(sum, ordered, { sourceCount, granularity }).outputs);
      }),
    );
  });

  test('ends with the same sums when every input is flushed as it comes', () => {
    fc.assert(
      fc.property(histories, ({ inputs, sourceCount }) => {
        const ordered = inOrder(inputs);
        const live = new Map<number, unknown>();
        const sink = {
          emit: (output: { timestampMs: number; value: unknown }) =>
            void live.set(output.timestampMs, output.value),
          warn: () => {},
        };
        let state = sum.start(contextOf({ sourceCount, granularity }));
        for (const input of ordered) {
          state = sum.step(state, input, sink);
          sum.flush!(state, sink);
        }
        const outputs = [...live].map(([timestampMs, value]) => ({ timestampMs, value }));
        expect(outputs).toEqual(run(sum, ordered, { sourceCount, granularity }).outputs);
      }),
    );
  });
});
