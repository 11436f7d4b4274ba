import { Decimal } from 'decimal.js';

import { readPositive } from './arguments.ts';
import type { Arithmetic, Num } from './arithmetic.ts';
import {
  checkArgumentNames,
  checkGranularities,
  checkSourceNames,
  checkValueType,
} from './checks.ts';
import { emitRates } from './float-rates.ts';
import { emitFloatRate, emitRate, instant, numberOf, warnZeroElapsed } from './numbers.ts';
import type { FloatInput, Input, NumberSink, Operator, Sink } from './operator.ts';

const RESET_SOURCE = 0;

export interface CounterDerivativeState {
  readonly arithmetic: Arithmetic<Num>;
  /** Where the counter wraps around; null when that is not known. */
  readonly valueMax: Num | null;
  /** Null at the start, after a null and after a reset. */
  previous: Num | null;
  previousMs: number;
}

/** Gives the rate of a counter, across wrap-arounds and without the drops at its resets. */
export const counterDerivative: Operator<CounterDerivativeState> = Object.freeze({
  name: 'counter_derivative',
  valueType: 'numeric',
  // Data replaces or clears the previous value, a reset clears it; "no reset" changes nothing.
  reach: Object.freeze({
    kind: 'sequence',
    settles: (input) => input.source !== RESET_SOURCE || isReset(input),
  }),

  validate(sources, { args, granularity }) {
    checkArgumentNames('counter_derivative', args, ['max_value']);
    readPositive('counter_derivative', args, 'max_value');
    checkSourceNames('counter_derivative', sources, ['reset', null]);
    checkValueType('counter_derivative', sources[RESET_SOURCE]!, ['nominal', 'numeric']);
    checkValueType('counter_derivative', sources[1]!, ['numeric']);
    checkGranularities('counter_derivative', sources, granularity);
  },

  start({ args, arithmetic }) {
    const valueMax = readPositive('counter_derivative', args, 'max_value');
    return {
      arithmetic,
      valueMax: valueMax === null ? null : arithmetic.of(valueMax),
      previous: null,
      previousMs: 0,
    };
  },

  step(state, input, sink) {
    if (input.source === RESET_SOURCE) {
      if (isReset(input)) state.previous = null;
      return state;
    }
    const { timestampMs } = input;
    const value = numberOf(input);
    if (value === null) sink.emit({ timestampMs, value: null });
    else if (state.previous !== null) stepRate(state, state.previous, { timestampMs, value }, sink);
    state.previous = value;
    state.previousMs = timestampMs;
    return state;
  },

  stepFloat,

  stepRows(state, rows, sink) {
    const { source, timestamps, values, to } = rows;
    for (let row = rows.from; row < to; row++) {
      if (source !== RESET_SOURCE) {
        row = emitRates(state, { rows: { ...rows, from: row }, areDropsPlain: false }, sink);
        if (row === to) break;
      }
      stepFloat(state, { source, timestampMs: timestamps[row]!, value: values[row]! }, sink);
    }
    return state;
  },
} satisfies Operator<CounterDerivativeState>);

function stepRate(
  { arithmetic, valueMax, previousMs }: CounterDerivativeState,
  previous: Num,
  { timestampMs, value }: { readonly timestampMs: number; readonly value: Num },
  sink: Sink,
): void {
  const operator = 'counter_derivative';
  const isDrop = arithmetic.isLess(value, previous);
  if (timestampMs === previousMs) {
    warnZeroElapsed(sink, operator, timestampMs);
  } else if (isDrop && valueMax === null) {
    sink.warn(
      `${operator}: the counter fell from ${previous} to ${value} at ${instant(timestampMs)} ` +
        'without a reset, and there is no max_value.',
    );
  } else {
    const increase =
      isDrop && valueMax !== null
        ? arithmetic.add(arithmetic.subtract(valueMax, previous), value)
        : arithmetic.subtract(value, previous);
    emitRate(sink, { operator, arithmetic, previousMs, timestampMs, increase });
  }
}

function stepFloat(
  state: CounterDerivativeState,
  { source, timestampMs, value }: FloatInput,
  sink: NumberSink,
): CounterDerivativeState {
  const hasValue = !Number.isNaN(value);
  if (source === RESET_SOURCE) {
    if (hasValue && value !== 0) state.previous = null;
    return state;
  }
  const previous = state.previous as number | null;
  if (!hasValue) sink.emitFloat(timestampMs, value);
  else if (previous !== null && value < previous) {
    stepRate(state, previous, { timestampMs, value }, sink);
  } else if (previous !== null) {
    const { previousMs } = state;
    const increase = value - previous;
    emitFloatRate(sink, { operator: 'counter_derivative', previousMs, timestampMs, increase });
  }
  state.previous = hasValue ? value : null;
  state.previousMs = timestampMs;
  return state;
}

/** Whether the value is anything but null, false, zero and the empty string. */
function isReset({ value }: Pick<Input, 'value'>): boolean {
  return Decimal.isDecimal(value) ? !value.isZero() : Boolean(value);
}
