import { IncompatibleTypes, InvalidOperatorArguments } from '../exceptions/errors.ts';
import { readNumber, readPositive } from './arguments.ts';
import type { Num } from './arithmetic.ts';
import { checkArgumentNames, checkOneSource } from './checks.ts';
import type { Operator, OperatorContext } from './operator.ts';
import { valueSteps } from './value-steps.ts';

const NAME = 'exponential_smoothing';

export interface ExponentialSmoothingState {
  /** The weight of each value; null where it follows from the time that passed. */
  readonly alpha: number | null;
  /** NaN where the weight is given. */
  readonly timeConstantMs: number;
  /** Bit for bit the last output that is no null, and its instant; null before the first one. */
  average: number | null;
  averageMs: number;
}

/**
 * Gives an average in which each value weighs less the older it is. With a time constant it is EMA_next of
 * Eckner, Algorithms for Unevenly Spaced Time Series: Moving Averages and Other Rolling Operators (2019), which is
 * Müller's EMA operator (1991) with next-point interpolation: the average approaches each value by 1 - e^(-elapsed / tau).
 */
export const exponentialSmoothing: Operator<ExponentialSmoothingState> = Object.freeze({
  name: NAME,
  valueType: 'numeric',
  reach: Object.freeze({
    kind: 'running',
    resume: (context, { output }): ExponentialSmoothingState => ({
      ...startState(context),
      average: output.value as number,
      averageMs: output.timestampMs,
    }),
  }),

  validate(sources, { args, granularity, isHighAccuracy }) {
    checkArgumentNames(NAME, args, ['time_constant', 'alpha']);
    weightOf(args);
    if (isHighAccuracy) {
      throw new IncompatibleTypes(
        'Operator exponential_smoothing gives float64 numbers only: weights that are powers of e have no ' +
          'exact decimals. Leave highAccuracy out of the derived stream; its source may have it.',
      );
    }
    checkOneSource(NAME, sources, granularity);
  },

  start: startState,

  ...valueSteps(NAME, next),
} satisfies Operator<ExponentialSmoothingState>);

function startState({ args }: OperatorContext): ExponentialSmoothingState {
  return { ...weightOf(args), average: null, averageMs: 0 };
}

function weightOf(
  args: Readonly<Record<string, unknown>>,
): Pick<ExponentialSmoothingState, 'alpha' | 'timeConstantMs'> {
  const timeConstant = readPositive(NAME, args, 'time_constant');
  const alpha = readNumber(NAME, args, {
    name: 'alpha',
    isFit: (value) => typeof value === 'number' && value > 0 && value <= 1,
    what: 'a number above 0 and at most 1',
  });
  if ((timeConstant === null) === (alpha === null)) {
    throw new InvalidOperatorArguments(`Operator ${NAME} takes either time_constant or alpha.`);
  }
  return { alpha, timeConstantMs: timeConstant === null ? Number.NaN : timeConstant * 1000 };
}

/** Moves on to the average after a value; leaves it where it was when the result is not finite. */
function next(state: ExponentialSmoothingState, timestampMs: number, given: Num): number {
  // It computes in float64 alone.
  const value = given as number;
  const { alpha, timeConstantMs, average, averageMs } = state;
  if (average === null) return moveTo(state, timestampMs, value);
  // Not 1 - e^x, which loses the digits of short steps.
  const weight = alpha ?? -Math.expm1((averageMs - timestampMs) / timeConstantMs);
  return moveTo(state, timestampMs, average + weight * (value - average));
}

function moveTo(state: ExponentialSmoothingState, timestampMs: number, average: number): number {
  if (!Number.isFinite(average)) return average;
  state.average = average;
  state.averageMs = timestampMs;
  return average;
}
