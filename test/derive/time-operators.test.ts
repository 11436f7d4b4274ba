import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Input, Operator, OperatorContext, Output } from '../../src/derive/operator.ts';
import { OPERATOR_NAMES, operatorOf } from '../../src/derive/registry.ts';
import { TIME_OPERATORS, type TimeOperator, timeOutputs } from '../law/time-operators.ts';
import { contextOf, type RunOptions, run } from './script.ts';

interface Setting {
  readonly op: TimeOperator;
  readonly args: Readonly<Record<string, unknown>>;
}

const SETTINGS: readonly Setting[] = [
  { op: 'integral', args: {} },
  { op: 'integral', args: { max_gap: 9, unit: 3600 } },
  { op: 'integral', args: { method: 'held', unit: 0.3 } },
  { op: 'exponential_smoothing', args: { time_constant: 7.5 } },
  { op: 'exponential_smoothing', args: { alpha: 0.3 } },
  { op: 'exponential_smoothing', args: { alpha: 1 } },
  { op: 'moving_average', args: { window: 10 } },
  { op: 'moving_average', args: { window: 1 } },
  { op: 'moving_average', args: { window: 2.5 } },
  { op: 'time_shift', args: { offset: 15 } },
  { op: 'time_shift', args: { offset: -100_000 } },
];

const value: fc.Arbitrary<number | null> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -9, max: 9 }) },
  { weight: 4, arbitrary: fc.integer({ min: -1e9, max: 1e9 }).map((n) => n / 3) },
  { weight: 2, arbitrary: fc.constantFrom(1e17, -1e17, 1e-9, 0) },
  { weight: 2, arbitrary: fc.constant(null) },
);

/** Inputs in order, some of them at the same time, some far apart. */
const history: fc.Arbitrary<readonly Input[]> = fc
  .array(fc.tuple(fc.constantFrom(0, 1, 1, 2, 3, 8, 50), value), { maxLength: 40 })
  .map((steps) => {
    let seconds = -60;
    return steps.map(([gap, item]) => {
      seconds += gap;
      return { timestampMs: seconds * 1000, source: 0, value: item };
    });
  });

function rowsOf(points: readonly { timestampMs: number; value: unknown }[]) {
  return points.map(({ timestampMs, value: v }) => ({ t: timestampMs / 1000, v }));
}

/** What the operator does when numbers come to it in columns. */
function runRows(operator: Operator, inputs: readonly Input[], options: RunOptions): Output[] {
  const outputs: Output[] = [];
  const sink = {
    emit: (output: Output) => void outputs.push(output),
    emitFloat: (timestampMs: number, item: number) =>
      void outputs.push({ timestampMs, value: Number.isNaN(item) ? null : item }),
    warn: () => {},
  };
  operator.stepRows!(
    operator.start(contextOf(options)),
    {
      source: 0,
      timestamps: Float64Array.from(inputs, ({ timestampMs }) => timestampMs),
      values: Float64Array.from(inputs, (input) => (input.value ?? Number.NaN) as number),
      from: 0,
      to: inputs.length,
    },
    sink,
  );
  return outputs;
}

test('every operator whose reach is a time, or all that follows, has its setting here', () => {
  const names = OPERATOR_NAMES.filter(
    (name) => !['sequence', 'bucket'].includes(operatorOf(name).reach.kind),
  );
  expect(names).toEqual(TIME_OPERATORS);
  expect(new Set(SETTINGS.map(({ op }) => op))).toEqual(new Set(names));
});

describe.each(SETTINGS)('$op with $args', ({ op, args }) => {
  const operator = operatorOf(op);
  const { reach } = operator;
  const context: OperatorContext = contextOf({ args });

  function outputsOf(inputs: readonly Input[]): readonly Output[] {
    return run(operator, inputs, { args }).outputs;
  }

  test('gives what its definition says, bit for bit', () => {
    fc.assert(
      fc.property(history, (inputs) => {
        const { outputs, warnings } = run(operator, inputs, { args });
        expect(rowsOf(outputs)).toEqual(
          timeOutputs(op, args, { inputs: rowsOf(inputs), last: null }),
        );
        expect(warnings).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('gives the same of columns', () => {
    fc.assert(
      fc.property(history, (inputs) => {
        expect(runRows(operator, inputs, { args })).toEqual(outputsOf(inputs));
      }),
    );
  });

  test('can be taken up in the middle', () => {
    fc.assert(
      fc.property(history, fc.nat(40), (inputs, at) => {
        const startMs = inputs[at]?.timestampMs ?? 0;
        const before = inputs.filter(({ timestampMs }) => timestampMs < startMs);
        const rest = inputs.filter(({ timestampMs }) => timestampMs >= startMs);
        let state = operator.start(context);
        let known: readonly Input[] = [];
        const last = outputsOf(before).findLast((output) => output.value !== null);
        if (reach.kind === 'running' && last !== undefined) {
          const input = before.findLast(({ timestampMs }) => timestampMs === last.timestampMs)!;
          state = reach.resume(context, { output: last, input });
          known = before.filter(({ timestampMs }) => timestampMs > last.timestampMs);
        } else if (reach.kind === 'window') {
          const fromMs = startMs - reach.windowMs(args);
          known = before.filter(({ timestampMs }) => timestampMs > fromMs);
        }
        const outputs: Output[] = [];
        const sink = { emit: (output: Output) => void outputs.push(output), warn: () => {} };
        for (const input of known) state = operator.step(state, input, sink);
        outputs.length = 0;
        for (const input of rest) state = operator.step(state, input, sink);
        const whole = outputsOf(inputs);
        expect(outputs).toEqual(whole.slice(whole.length - rest.length));
      }),
      { numRuns: 500 },
    );
  });

  test('reaches as far as it says', () => {
    fc.assert(
      fc.property(history, fc.nat(39), value, (inputs, at, changedValue) => {
        fc.pre(at < inputs.length);
        const changedMs = inputs[at]!.timestampMs;
        const changed = inputs.map((input, i) =>
          i === at ? { ...input, value: changedValue } : input,
        );
        const windowMs = reach.kind === 'window' ? reach.windowMs(args) : 1;
        const offsetMs = reach.kind === 'shift' ? reach.offsetMs(args) : 0;
        const endMs = reach.kind === 'running' ? Number.POSITIVE_INFINITY : changedMs + windowMs;
        const isOutside = ({ timestampMs }: Output) =>
          timestampMs - offsetMs < changedMs || timestampMs - offsetMs >= endMs;
        expect(outputsOf(changed).filter(isOutside)).toEqual(outputsOf(inputs).filter(isOutside));
      }),
      { numRuns: 500 },
    );
  });
});

describe('durations in seconds are taken as they are written', () => {
  const at = (...instants: readonly number[]): Input[] =>
    instants.map((timestampMs, value) => ({ timestampMs, source: 0, value }));

  test.each([1.1, 1.001, 4.35, 0.3])('a window of %d is open at its start', (window) => {
    const lengthMs = Math.round(window * 1000);
    for (const startMs of [-lengthMs, 0, 1e12]) {
      const { outputs } = run(operatorOf('moving_average'), at(startMs, startMs + lengthMs), {
        args: { window },
      });
      expect(outputs.map(({ value: item }) => item)).toEqual([0, 1]);
      const inside = run(operatorOf('moving_average'), at(startMs, startMs + lengthMs - 1), {
        args: { window },
      });
      expect(inside.outputs.map(({ value: item }) => item)).toEqual([0, 0.5]);
    }
  });

  test.each([1e-7, 1e-320])('a window of %d has the value itself', (window) => {
    for (const startMs of [0, 1e12, 8e15]) {
      const { outputs } = run(operatorOf('moving_average'), at(startMs, startMs + 1), {
        args: { window },
      });
      expect(outputs.map(({ value: item }) => item)).toEqual([0, 1]);
    }
  });

  test.each([1.1, 1.001, 4.35])('a gap of %d is not above the greatest of as much', (gap) => {
    const lengthMs = Math.round(gap * 1000);
    const { outputs } = run(operatorOf('integral'), at(0, lengthMs, 2 * lengthMs + 1), {
      args: { max_gap: gap, unit: 0.0005 },
    });
    expect(outputs.map(({ value: item }) => item)).toEqual([0, lengthMs, lengthMs]);
  });
});

describe('results beyond the largest float', () => {
  const huge = [1.7e308, 1.7e308, -1.7e308, 1].map((item, second) => ({
    timestampMs: second * 1000,
    source: 0,
    value: item,
  }));

  test('are no datapoint and leave a total as it was', () => {
    const { outputs, warnings } = run(operatorOf('integral'), huge);
    expect(rowsOf(outputs)).toEqual([
      { t: 0, v: 0 },
      { t: 2, v: 0 },
    ]);
    expect(warnings).toHaveLength(2);
  });

  test('leave an average as it was', () => {
    const { outputs, warnings } = run(operatorOf('exponential_smoothing'), huge, {
      args: { alpha: 0.5 },
    });
    expect(rowsOf(outputs)).toEqual([
      { t: 0, v: 1.7e308 },
      { t: 1, v: 1.7e308 },
      { t: 3, v: 8.5e307 },
    ]);
    expect(warnings).toHaveLength(1);
  });

  test('leave a window with the values', () => {
    const { outputs, warnings } = run(operatorOf('moving_average'), huge, { args: { window: 2 } });
    expect(rowsOf(outputs)).toEqual([
      { t: 0, v: 1.7e308 },
      { t: 2, v: 0 },
      { t: 3, v: -8.5e307 },
    ]);
    expect(warnings).toHaveLength(1);
  });
});
