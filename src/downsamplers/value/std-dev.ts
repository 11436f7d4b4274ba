import { divideDecimals, sqrtDecimal } from '../../model/high-accuracy.ts';
import { VALUE_DOWNSAMPLER_LETTERS } from '../../model/value-letters.ts';
import type { ValueDownsampler } from '../downsampler.ts';
import { decimalVariances, plainVariances } from '../moments-state.ts';

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
      const variance = plainVariances(columns);
      return (row) => Math.sqrt(variance(row));
    },
  },
  decimal: {
    components: ['q', 's', 'c'],
    bind(columns) {
      const variance = decimalVariances(columns);
      return (row) => {
        const { scaled, count } = variance(row);
        return divideDecimals(sqrtDecimal(scaled), count);
      };
    },
  },
};
