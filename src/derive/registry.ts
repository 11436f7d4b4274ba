import { UnsupportedDeriveOperator } from '../exceptions/errors.ts';
import { clamp } from './clamp.ts';
import { counterDerivative } from './counter-derivative.ts';
import { counterReset } from './counter-reset.ts';
import { derivative } from './derivative.ts';
import { difference } from './difference.ts';
import { exponentialSmoothing } from './exponential-smoothing.ts';
import { expression } from './expression.ts';
import { integral } from './integral.ts';
import { movingAverage } from './moving-average.ts';
import type { Operator } from './operator.ts';
import { count, max, mean, min } from './over-sources.ts';
import { rate } from './rate.ts';
import { sum } from './sum.ts';
import { timeShift } from './time-shift.ts';

// A Map, so that names such as `constructor` find nothing.
const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  [
    sum,
    derivative,
    counterReset,
    counterDerivative,
    rate,
    difference,
    clamp,
    expression,
    integral,
    exponentialSmoothing,
    movingAverage,
    timeShift,
    mean,
    min,
    max,
    count,
  ].map((operator: Operator) => [operator.name, operator]),
);

/** Names of all derive operators, in the order of the documentation. */
export const OPERATOR_NAMES: readonly string[] = Object.freeze([...OPERATORS.keys()]);

/**
 * Finds a derive operator by its name.
 * @throws {UnsupportedDeriveOperator} when there is none of that name.
 */
export function operatorOf(name: string): Operator {
  const operator = OPERATORS.get(name);
  if (operator === undefined) {
    throw new UnsupportedDeriveOperator(
      `Unknown derive operator ${JSON.stringify(name)}: ` +
        `expected one of ${OPERATOR_NAMES.join(', ')}.`,
    );
  }
  return operator;
}
