import fc from 'fast-check';
import type { Input, NumberSink, Operator, Output } from '../../src/derive/operator.ts';
import { contextOf, inOrder, type RunOptions, type RunResult } from './script.ts';

/** An instant at which two sources have a value: seconds after the one before. */
type Row = readonly [gapSeconds: number, first: number | null, second: number | null];

/** Rows of two sources that tick together. */
export function tickingRows(values: fc.Arbitrary<number | null>): fc.Arbitrary<readonly Row[]> {
  const row = fc.tuple(fc.integer({ min: 0, max: 12 }), values, values);
  return fc.array(row, { maxLength: 20 });
}

function timestampsOf(rows: readonly Row[]): Float64Array {
  let seconds = 0;
  return Float64Array.from(rows, ([gap]) => {
    seconds += gap;
    return seconds * 1000;
  });
}

/** The rows as one input after the other, in order. */
export function inputsOf(rows: readonly Row[]): readonly Input[] {
  const timestamps = timestampsOf(rows);
  const inputs = rows.flatMap(([, a, b], index) =>
    [a, b].map((value, source) => ({ timestampMs: timestamps[index]!, source, value })),
  );
  return inOrder(inputs);
}

/** Runs the rows through the operator as columns. */
export function runAligned(
  operator: Operator,
  rows: readonly Row[],
  options: RunOptions,
): RunResult {
  const outputs: Output[] = [];
  const warnings: string[] = [];
  const sink: NumberSink = {
    emit: (output) => void outputs.push(output),
    emitFloat: (timestampMs, value) =>
      void outputs.push({ timestampMs, value: Number.isNaN(value) ? null : value }),
    warn: (message) => void warnings.push(message),
  };
  const columns = [1, 2].map((at) => Float64Array.from(rows, (row) => row[at] ?? Number.NaN));
  const aligned = {
    timestamps: timestampsOf(rows),
    rowCount: rows.length,
    sources: columns.map((values) => ({ values, from: 0 })),
  };
  operator.computeAligned!(contextOf(options), aligned, sink);
  return { outputs, warnings };
}
