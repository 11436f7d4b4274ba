import { VALUE_DOWNSAMPLER_LETTERS } from '../../model/value-letters.ts';
import { asStoredDecimal } from '../decimal-state.ts';
import { asStored, type ValueDownsampler } from '../downsampler.ts';

/** Adds the values. Float64 sums depend on the order of addition in their last digits; decimals are exact. */
export const sum: ValueDownsampler = {
  name: 'sum',
  letter: VALUE_DOWNSAMPLER_LETTERS.sum,
  valueTypes: ['numeric'],
  requires: ['count'],
  isTotal: true,
  plain: asStored('s'),
  decimal: asStoredDecimal('s'),
};
