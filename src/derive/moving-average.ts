import { readDurationMs, required } from './arguments.ts';
import type { Arithmetic, Num } from './arithmetic.ts';
import { checkArgumentNames, checkOneSource } from './checks.ts';
import { EXACT_TERM_MAX, ExactSum } from './exact-sum.ts';
import type { Operator } from './operator.ts';
import { valueSteps } from './value-steps.ts';

const NAME = 'moving_average';

/** The exact sum of the values in a window. */
interface WindowSum {
  add(value: Num): void;
  remove(value: Num): void;
  /** @param values all that are in the window, in their order. */
  total(values: readonly Num[], from: number): Num;
}

export interface MovingAverageState {
  readonly arithmetic: Arithmetic<Num>;
  readonly windowMs: number;
  readonly sum: WindowSum;
  /** The window, as rows from `first` on; what lies before it has left. */
  readonly timestamps: number[];
  readonly values: Num[];
  first: number;
}

/**
 * Gives the mean of the values in the window that ends with each of them. It is the exact sum, rounded once,
 * divided by the count: the same bits whatever was in the window before.
 */
export const movingAverage: Operator<MovingAverageState> = Object.freeze({
  name: NAME,
  valueType: 'numeric',
  reach: Object.freeze({ kind: 'window', windowMs: windowMsOf }),

  validate(sources, { args, granularity }) {
    checkArgumentNames(NAME, args, ['window']);
    windowMsOf(args);
    checkOneSource(NAME, sources, granularity);
  },

  start: ({ args, arithmetic }) => ({
    arithmetic,
    windowMs: windowMsOf(args),
    sum: typeof arithmetic.of(0) === 'number' ? new FloatSum() : new DecimalSum(arithmetic),
    timestamps: [],
    values: [],
    first: 0,
  }),

  ...valueSteps(NAME, next),
} satisfies Operator<MovingAverageState>);

/** Whole milliseconds, as instants are: a window that ends between two of them has the same values. */
function windowMsOf(args: Readonly<Record<string, unknown>>): number {
  return Math.ceil(required(NAME, 'window', readDurationMs(NAME, args, 'window')));
}

/** Takes a value into the window, lets go of what has left it, and gives the mean. */
function next(state: MovingAverageState, timestampMs: number, value: Num): Num {
  const { arithmetic, sum, timestamps, values, windowMs } = state;
  timestamps.push(timestampMs);
  values.push(value);
  sum.add(value);
  while (timestamps[state.first]! <= timestampMs - windowMs) sum.remove(values[state.first++]!);
  trim(state);
  const count = arithmetic.of(values.length - state.first);
  return arithmetic.divide(sum.total(values, state.first), count);
}

/** Forgets rows that have left, as soon as they are most of all. */
function trim(state: MovingAverageState): void {
  if (state.first < 64 || state.first * 2 < state.values.length) return;
  state.timestamps.splice(0, state.first);
  state.values.splice(0, state.first);
  state.first = 0;
}

class FloatSum implements WindowSum {
  readonly #sum = new ExactSum();
  /** Values that are too large for an exact sum. */
  #hugeCount = 0;

  add(value: number): void {
    if (Math.abs(value) < EXACT_TERM_MAX) this.#sum.add(value);
    else this.#hugeCount++;
  }

  remove(value: number): void {
    if (Math.abs(value) < EXACT_TERM_MAX) this.#sum.add(-value);
    else this.#hugeCount--;
  }

  total(values: readonly number[], from: number): number {
    if (this.#hugeCount === 0) return this.#sum.rounded;
    let total = 0;
    for (let row = from; row < values.length; row++) total += values[row]!;
    return total;
  }
}

/** Sums of decimals are exact as they are. */
class DecimalSum implements WindowSum {
  readonly #arithmetic: Arithmetic<Num>;
  #total: Num;

  constructor(arithmetic: Arithmetic<Num>) {
    this.#arithmetic = arithmetic;
    this.#total = arithmetic.of(0);
  }

  add(value: Num): void {
    this.#total = this.#arithmetic.add(this.#total, value);
  }

  remove(value: Num): void {
    this.#total = this.#arithmetic.subtract(this.#total, value);
  }

  total(): Num {
    return this.#total;
  }
}
