import type { Arithmetic, Num } from './arithmetic.ts';
import { checkArgumentNames, checkOneSource } from './checks.ts';
import { emitFloat, emitNumber, numberOf } from './numbers.ts';
import type { Operator } from './operator.ts';

export interface DifferenceState {
  readonly arithmetic: Arithmetic<Num>;
  /** Null at the start and after a null. */
  previous: Num | null;
}

/** Gives the change from one value of the source to the next. */
export const difference: Operator<DifferenceState> = Object.freeze({
  name: 'difference',
  valueType: 'numeric',
  // A number replaces the previous value and a null clears it: either way the past is forgotten.
  reach: Object.freeze({ kind: 'sequence', settles: () => true }),

  validate(sources, { args, granularity }) {
    checkArgumentNames('difference', args);
    checkOneSource('difference', sources, granularity);
  },

  start: ({ arithmetic }) => ({ arithmetic, previous: null }),

  step(state, input, sink) {
    const { timestampMs } = input;
    const { arithmetic, previous } = state;
    const value = numberOf(input);
    if (value === null) {
      sink.emit({ timestampMs, value: null });
    } else if (previous !== null) {
      const change = arithmetic.subtract(value, previous);
      emitNumber(sink, { operator: 'difference', timestampMs, value: change });
    }
    state.previous = value;
    return state;
  },

  stepRows(state, { timestamps, values, from, to }, sink) {
    let previous = state.previous === null ? Number.NaN : (state.previous as number);
    for (let row = from; row < to; row++) {
      const timestampMs = timestamps[row]!;
      const value = values[row]!;
      if (Number.isNaN(value)) sink.emitFloat(timestampMs, value);
      else if (!Number.isNaN(previous)) {
        emitFloat(sink, { operator: 'difference', timestampMs, value: value - previous });
      }
      previous = value;
    }
    state.previous = Number.isNaN(previous) ? null : previous;
    return state;
  },
} satisfies Operator<DifferenceState>);
