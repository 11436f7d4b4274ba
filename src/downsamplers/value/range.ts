import { subtractExact } from '../../model/high-accuracy.ts';
import { VALUE_DOWNSAMPLER_LETTERS } from '../../model/value-letters.ts';
import { decimals } from '../decimal-state.ts';
import { floats, type ValueDownsampler } from '../downsampler.ts';

/** Subtracts the least value from the greatest. */
export const range: ValueDownsampler = {
  name: 'range',
  letter: VALUE_DOWNSAMPLER_LETTERS.range,
  valueTypes: ['numeric'],
  requires: ['min', 'max', 'count'],
  plain: {
    components: ['l', 'u'],
    bind(columns) {
      const mins = floats(columns, 'l');
      const maxs = floats(columns, 'u');
      return (row) => maxs[row]! - mins[row]!;
    },
  },
  decimal: {
    components: ['l', 'u'],
    bind(columns) {
      const min = decimals(columns, 'l');
      const max = decimals(columns, 'u');
      return (row) => subtractExact(max(row), min(row));
    },
  },
};
