import { readPositive } from './arguments.ts';
import type { Arithmetic, Num } from './arithmetic.ts';
import { checkArgumentNames, checkOneSource } from './checks.ts';
import { emitRates } from './float-rates.ts';
import { emitFloatRate, emitRate, numberOf, warnZeroElapsed } from './numbers.ts';
import type { Operator } from './operator.ts';

export interface RateState {
  readonly arithmetic: Arithmetic<Num>;
  /** Where the counter wraps around; null: a counter that falls has begun at zero again. */
  readonly valueMax: Num | null;
  /** Null at the start and after a null. */
  previous: Num | null;
  previousMs: number;
}

/**
 * Gives the rate of a counter that may be reset: where it falls it has begun at zero again, as Prometheus
 * takes it, or has wrapped around where its maximum is known.
 */
export const rate: Operator<RateState> = Object.freeze({
  name: 'rate',
  valueType: 'numeric',
  // A number replaces the previous value and a null clears it: either way the past is forgotten.
  reach: Object.freeze({ kind: 'sequence', settles: () => true }),

  validate(sources, { args, granularity }) {
    checkArgumentNames('rate', args, ['max_value']);
    readPositive('rate', args, 'max_value');
    checkOneSource('rate', sources, granularity);
  },

  start({ args, arithmetic }) {
    const valueMax = readPositive('rate', args, 'max_value');
    return {
      arithmetic,
      valueMax: valueMax === null ? null : arithmetic.of(valueMax),
      previous: null,
      previousMs: 0,
    };
  },

  step(state, input, sink) {
    const { timestampMs } = input;
    const { arithmetic, previous, previousMs } = state;
    const value = numberOf(input);
    if (value === null) {
      sink.emit({ timestampMs, value: null });
    } else if (previous !== null && timestampMs === previousMs) {
      warnZeroElapsed(sink, 'rate', timestampMs);
    } else if (previous !== null) {
      const increase = increaseOf(state, previous, value);
      emitRate(sink, { operator: 'rate', arithmetic, previousMs, timestampMs, increase });
    }
    state.previous = value;
    state.previousMs = timestampMs;
    return state;
  },

  stepRows(state, rows, sink) {
    const { timestamps, values, to } = rows;
    for (let row = rows.from; row < to; row++) {
      row = emitRates(state, { rows: { ...rows, from: row }, areDropsPlain: false }, sink);
      if (row === to) break;
      const timestampMs = timestamps[row]!;
      const value = values[row]!;
      const { previous, previousMs } = state;
      if (Number.isNaN(value)) sink.emitFloat(timestampMs, value);
      else if (previous !== null) {
        const increase = increaseOf(state, previous, value) as number;
        emitFloatRate(sink, { operator: 'rate', previousMs, timestampMs, increase });
      }
      state.previous = Number.isNaN(value) ? null : value;
      state.previousMs = timestampMs;
    }
    return state;
  },
} satisfies Operator<RateState>);

function increaseOf({ arithmetic, valueMax }: RateState, previous: Num, value: Num): Num {
  if (!arithmetic.isLess(value, previous)) return arithmetic.subtract(value, previous);
  if (valueMax === null) return value;
  return arithmetic.add(arithmetic.subtract(valueMax, previous), value);
}
