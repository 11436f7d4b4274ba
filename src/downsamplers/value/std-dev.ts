import type { Decimal } from 'decimal.js';
import {
  decimalOf,
  divideDecimals,
  multiplyExact,
  sqrtDecimal,
  subtractExact,
} from '../../model/high-accuracy.ts';
import { VALUE_DOWNSAMPLER_LETTERS } from '../../model/value-letters.ts';
import { decimals } from '../decimal-state.ts';
import { floats, type ValueDownsampler } from '../downsampler.ts';

/**
 * Population standard deviation, in the unit of the values. In float64 from (count, mean, M2), which
 * keeps small deviations of large values: Welford 1962 for points, Chan, Golub, LeVeque 1979 for merging.
 * Decimals are exact, so the plain sums do.
 */
export const stdDev: ValueDownsampler = {
  name: 'std_dev',
  letter: VALUE_DOWNSAMPLER_LETTERS.std_dev,
  valueTypes: ['numeric'],
  requires: ['sum', 'count', 'sum_squares'],
  plain: {
    // The mean is part of the mergeable state although finishing does not read it.
    components: ['c', 'mu', 'm2'],
    bind(columns) {
      const counts = floats(columns, 'c');
      const m2s = floats(columns, 'm2');
      return (row) => Math.sqrt(m2s[row]! / counts[row]!);
    },
  },
  decimal: {
    components: ['q', 's', 'c'],
    bind(columns) {
      const squares = decimals(columns, 'q');
      const sum = decimals(columns, 's');
      const count = decimals(columns, 'c');
      return (row) => deviation(squares(row), sum(row), count(row));
    },
  },
};

function deviation(squares: Decimal, sum: Decimal, count: Decimal): Decimal {
  const scaled = subtractExact(multiplyExact(count, squares), multiplyExact(sum, sum));
  // Groups that contradict themselves (squares too small for their sum) have no deviation to speak of.
  return scaled.lte(0) ? decimalOf(0) : divideDecimals(sqrtDecimal(scaled), count);
}
