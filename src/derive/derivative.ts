import type { Arithmetic, Num } from './arithmetic.ts';
import { checkArgumentNames, checkOneSource } from './checks.ts';
import { emitRates } from './float-rates.ts';
import { emitFloatRate, emitRate, numberOf, warnZeroElapsed } from './numbers.ts';
import type { FloatInput, NumberSink, Operator } from './operator.ts';

export interface DerivativeState {
  readonly arithmetic: Arithmetic<Num>;
  /** Null at the start and after a null. */
  previous: Num | null;
  previousMs: number;
}

/** Gives the change per second from one value of the source to the next. */
export const derivative: Operator<DerivativeState> = Object.freeze({
  name: 'derivative',
  valueType: 'numeric',
  // A number replaces the previous value and a null clears it: either way the past is forgotten.
  reach: Object.freeze({ kind: 'sequence', settles: () => true }),

  validate(sources, { args, granularity }) {
    checkArgumentNames('derivative', args);
    checkOneSource('derivative', sources, granularity);
  },

  start: ({ arithmetic }) => ({ arithmetic, previous: null, previousMs: 0 }),

  step(state, input, sink) {
    const { timestampMs } = input;
    const value = numberOf(input);
    const { arithmetic, previous, previousMs } = state;
    if (value === null) {
      sink.emit({ timestampMs, value: null });
    } else if (previous !== null && timestampMs === previousMs) {
      warnZeroElapsed(sink, 'derivative', timestampMs);
    } else if (previous !== null) {
      const increase = arithmetic.subtract(value, previous);
      emitRate(sink, { operator: 'derivative', arithmetic, previousMs, timestampMs, increase });
    }
    state.previous = value;
    state.previousMs = timestampMs;
    return state;
  },

  stepFloat,

  stepRows(state, rows, sink) {
    const { source, timestamps, values, to } = rows;
    for (let row = rows.from; row < to; row++) {
      row = emitRates(state, { rows: { ...rows, from: row }, areDropsPlain: true }, sink);
      if (row === to) break;
      stepFloat(state, { source, timestampMs: timestamps[row]!, value: values[row]! }, sink);
    }
    return state;
  },
} satisfies Operator<DerivativeState>);

function stepFloat(
  state: DerivativeState,
  { timestampMs, value }: FloatInput,
  sink: NumberSink,
): DerivativeState {
  const hasValue = !Number.isNaN(value);
  const previous = state.previous as number | null;
  if (!hasValue) sink.emitFloat(timestampMs, value);
  else if (previous !== null) {
    const { previousMs } = state;
    const increase = value - previous;
    emitFloatRate(sink, { operator: 'derivative', previousMs, timestampMs, increase });
  }
  state.previous = hasValue ? value : null;
  state.previousMs = timestampMs;
  return state;
}
