import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Arithmetic, Num } from '../../src/derive/arithmetic.ts';
import type { Input } from '../../src/derive/operator.ts';
import { operatorOf } from '../../src/derive/registry.ts';
import { Granularity } from '../../src/model/granularity.ts';
import { DECIMAL_ARITHMETIC, decimalOf } from '../../src/model/high-accuracy.ts';
import { inputsOf, runAligned, tickingRows } from './aligned.ts';
import { inOrder, run } from './script.ts';

const granularity = Granularity.Seconds10;
const values = fc.option(
  fc.double({ noNaN: true, min: -1e9, max: 1e9 }).map((v) => v + 0),
  { freq: 5 },
);
const inputs = fc.array(
  fc.record({
    timestampMs: fc.integer({ min: -25, max: 25 }).map((seconds) => seconds * 1000),
    source: fc.nat({ max: 2 }),
    value: values,
  }),
  { maxLength: 30 },
);

const NAIVE: Readonly<Record<string, (present: readonly number[]) => number | null>> = {
  sum: (present) => (present.length === 0 ? null : present.reduce((a, b) => a + b)),
  mean: (present) =>
    present.length === 0 ? null : present.reduce((a, b) => a + b) / present.length,
  min: (present) => (present.length === 0 ? null : Math.min(...present)),
  max: (present) => (present.length === 0 ? null : Math.max(...present)),
  count: (present) => present.length,
};

function naive(
  name: string,
  ordered: readonly Input[],
  { isOverQuery }: { isOverQuery: boolean },
): readonly unknown[] {
  const buckets = new Map<number, (number | null | undefined)[]>();
  for (const { timestampMs, source, value } of ordered) {
    const start = Math.floor(timestampMs / 10_000) * 10_000;
    const bucket = buckets.get(start) ?? [undefined, undefined, undefined];
    bucket[source] = value as number | null;
    buckets.set(start, bucket);
  }
  return [...buckets].flatMap(([timestampMs, latest]) => {
    if (!isOverQuery && latest.includes(undefined)) return [];
    const present = latest.filter((value) => typeof value === 'number');
    return [{ timestampMs, value: NAIVE[name]!(present) }];
  });
}

describe.each(Object.keys(NAIVE))('%s over sources', (name) => {
  const operator = operatorOf(name);

  test('takes those of a list once all are there, and those of a query as they are', () => {
    fc.assert(
      fc.property(inputs, fc.boolean(), (given, isOverQuery) => {
        const ordered = inOrder(given);
        const options = { sourceCount: 3, granularity, isOverQuery };
        expect(run(operator, ordered, options).outputs).toEqual(
          naive(name, ordered, { isOverQuery }),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('gives the same in columns', () => {
    const options = { sourceCount: 2, granularity };
    fc.assert(
      fc.property(tickingRows(values), (rows) => {
        expect(runAligned(operator, rows, options).outputs).toEqual(
          run(operator, inputsOf(rows), options).outputs,
        );
      }),
    );
  });
});

test('decimals are computed as decimals', () => {
  const arithmetic = DECIMAL_ARITHMETIC as unknown as Arithmetic<Num>;
  const given = ['0.1', '0.2', '0.6'].map((text, source) => ({
    timestampMs: 0,
    source,
    value: decimalOf(text),
  }));
  const results = ['mean', 'min', 'max', 'count'].map((name) => {
    const [output] = run(operatorOf(name), given, { sourceCount: 3, arithmetic }).outputs;
    return String(output!.value);
  });
  expect(results).toEqual(['0.3', '0.1', '0.6', '3']);
});
