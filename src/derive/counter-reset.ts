import type { Arithmetic, Num } from './arithmetic.ts';
import { checkArgumentNames, checkOneSource } from './checks.ts';
import { numberOf } from './numbers.ts';
import type { Operator } from './operator.ts';

export interface CounterResetState {
  readonly arithmetic: Arithmetic<Num>;
  /** The last value that was not null. */
  previous: Num | null;
}

/** Marks with a 1 each instant at which a counter stands lower than before. */
export const counterReset: Operator<CounterResetState> = Object.freeze({
  name: 'counter_reset',
  valueType: 'nominal',
  // A null leaves the previous value in place, so what comes after it still depends on the past.
  reach: Object.freeze({ kind: 'sequence', settles: ({ value }) => value !== null }),

  validate(sources, { args, granularity }) {
    checkArgumentNames('counter_reset', args);
    checkOneSource('counter_reset', sources, granularity);
  },

  start: ({ arithmetic }) => ({ arithmetic, previous: null }),

  step(state, input, sink) {
    const value = numberOf(input);
    if (value === null) return state;
    if (state.previous !== null && state.arithmetic.isLess(value, state.previous)) {
      sink.emit({ timestampMs: input.timestampMs, value: 1 });
    }
    state.previous = value;
    return state;
  },
} satisfies Operator<CounterResetState>);
