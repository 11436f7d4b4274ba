import { divideDecimals, multiplyExact } from '../../model/high-accuracy.ts';
import { VALUE_DOWNSAMPLER_LETTERS } from '../../model/value-letters.ts';
import type { ValueDownsampler } from '../downsampler.ts';
import { decimalVariances, plainVariances } from '../moments-state.ts';

/** Population variance, in the square of the values' unit: the square of `std_dev`, from the same state. */
export const variance: ValueDownsampler = {
  name: 'variance',
  letter: VALUE_DOWNSAMPLER_LETTERS.variance,
  valueTypes: ['numeric'],
  requires: ['sum', 'count', 'sum_squares'],
  plain: {
    components: ['c', 'mu', 'm2'],
    bind: plainVariances,
  },
  decimal: {
    components: ['q', 's', 'c'],
    bind(columns) {
      const variances = decimalVariances(columns);
      return (row) => {
        const { scaled, count } = variances(row);
        return divideDecimals(scaled, multiplyExact(count, count));
      };
    },
  },
};
