import { divideDecimals } from '../../model/high-accuracy.ts';
import { VALUE_DOWNSAMPLER_LETTERS } from '../../model/value-letters.ts';
import { decimals } from '../decimal-state.ts';
import { floats, type ValueDownsampler } from '../downsampler.ts';

/** Divides the sum by the count. */
export const mean: ValueDownsampler = {
  name: 'mean',
  letter: VALUE_DOWNSAMPLER_LETTERS.mean,
  valueTypes: ['numeric'],
  requires: ['sum', 'count'],
  plain: {
    components: ['s', 'c'],
    bind(columns) {
      const sums = floats(columns, 's');
      const counts = floats(columns, 'c');
      return (row) => sums[row]! / counts[row]!;
    },
    finishFloats(columns, finished) {
      const sums = floats(columns, 's');
      const counts = floats(columns, 'c');
      for (let row = 0; row < finished.length; row++) finished[row] = sums[row]! / counts[row]!;
    },
  },
  decimal: {
    components: ['s', 'c'],
    bind(columns) {
      const sum = decimals(columns, 's');
      const count = decimals(columns, 'c');
      return (row) => divideDecimals(sum(row), count(row));
    },
  },
};
