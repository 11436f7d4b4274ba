import { VALUE_DOWNSAMPLER_LETTERS } from '../../model/value-letters.ts';
import { asStoredDecimal } from '../decimal-state.ts';
import { asStored, type ValueDownsampler } from '../downsampler.ts';

/** Finds the least value. */
export const min: ValueDownsampler = {
  name: 'min',
  letter: VALUE_DOWNSAMPLER_LETTERS.min,
  valueTypes: ['numeric'],
  requires: ['count'],
  plain: asStored('l'),
  decimal: asStoredDecimal('l'),
};
