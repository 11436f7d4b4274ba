import { VALUE_DOWNSAMPLER_LETTERS } from '../../model/value-letters.ts';
import { asStoredDecimal } from '../decimal-state.ts';
import { asStored, type ValueDownsampler } from '../downsampler.ts';

/** Adds the squares of the values, plainly: for deviations of large values, see std_dev. */
export const sumSquares: ValueDownsampler = {
  name: 'sum_squares',
  letter: VALUE_DOWNSAMPLER_LETTERS.sum_squares,
  valueTypes: ['numeric'],
  requires: ['count'],
  isTotal: true,
  plain: asStored('q'),
  decimal: asStoredDecimal('q'),
};
