import { InvalidOperatorArguments } from '../exceptions/errors.ts';
import { readFinite } from './arguments.ts';
import type { Arithmetic, Num } from './arithmetic.ts';
import { checkArgumentNames, checkOneSource } from './checks.ts';
import { numberOf } from './numbers.ts';
import type { Operator } from './operator.ts';

export interface ClampState {
  readonly arithmetic: Arithmetic<Num>;
  readonly min: Num | null;
  readonly max: Num | null;
}

/** Gives the values of the source, those beyond a limit as the limit. */
export const clamp: Operator<ClampState> = Object.freeze({
  name: 'clamp',
  valueType: 'numeric',
  reach: Object.freeze({ kind: 'sequence', settles: () => true }),

  validate(sources, { args, granularity }) {
    checkArgumentNames('clamp', args, ['min', 'max']);
    const { min, max } = limitsOf(args);
    if (min === null && max === null) {
      throw new InvalidOperatorArguments('Operator clamp takes min, max or both.');
    }
    if (min !== null && max !== null && min > max) {
      throw new InvalidOperatorArguments('Argument min of clamp must not be above max.');
    }
    checkOneSource('clamp', sources, granularity);
  },

  start({ args, arithmetic }) {
    const { min, max } = limitsOf(args);
    return {
      arithmetic,
      min: min === null ? null : arithmetic.of(min),
      max: max === null ? null : arithmetic.of(max),
    };
  },

  step(state, input, sink) {
    const { arithmetic, min, max } = state;
    let value = numberOf(input);
    if (value !== null && min !== null && arithmetic.isLess(value, min)) value = min;
    if (value !== null && max !== null && arithmetic.isLess(max, value)) value = max;
    sink.emit({ timestampMs: input.timestampMs, value });
    return state;
  },

  stepRows(state, { timestamps, values, from, to }, sink) {
    const min = (state.min ?? Number.NEGATIVE_INFINITY) as number;
    const max = (state.max ?? Number.POSITIVE_INFINITY) as number;
    for (let row = from; row < to; row++) {
      const value = values[row]!;
      // NaN is neither.
      sink.emitFloat(timestamps[row]!, value < min ? min : value > max ? max : value);
    }
    return state;
  },
} satisfies Operator<ClampState>);

function limitsOf(args: Readonly<Record<string, unknown>>): {
  readonly min: number | null;
  readonly max: number | null;
} {
  return { min: readFinite('clamp', args, 'min'), max: readFinite('clamp', args, 'max') };
}
