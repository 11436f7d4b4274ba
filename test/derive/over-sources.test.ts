import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Arithmetic, Num } from '../../src/derive/arithmetic.ts';
import type { AlignedRows, Input, NumberSink } from '../../src/derive/operator.ts';
import { operatorOf } from '../../src/derive/registry.ts';
import { Granularity } from '../../src/model/granularity.ts';
import { DECIMAL_ARITHMETIC, decimalOf } from '../../src/model/high-accuracy.ts';
import { contextOf, inOrder, run } from './script.ts';

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
    const row = fc.tuple(fc.integer({ min: 0, max: 12 }), values, values);
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), (rows) => {
        let seconds = 0;
        const timestamps = Float64Array.from(rows, ([gap]) => {
          seconds += gap;
          return seconds * 1000;
        });
        const columns = [1, 2].map((at) =>
          Float64Array.from(rows, (item) => item[at] ?? Number.NaN),
        );
        const given = inOrder(
          rows.flatMap(([, a, b], index) =>
            [a, b].map((value, source) => ({ timestampMs: timestamps[index]!, source, value })),
          ),
        );
        const outputs: unknown[] = [];
        const sink: NumberSink = {
          emit: (output) => void outputs.push(output),
          emitFloat: (timestampMs, value) =>
            void outputs.push({ timestampMs, value: Number.isNaN(value) ? null : value }),
          warn: () => {},
        };
        const aligned: AlignedRows = {
          timestamps,
          rowCount: rows.length,
          sources: columns.map((column) => ({ values: column, from: 0 })),
        };
        const options = { sourceCount: 2, granularity };
        operator.computeAligned!(contextOf(options), aligned, sink);
        expect(outputs).toEqual(run(operator, given, options).outputs);
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
