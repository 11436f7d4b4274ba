import { VALUE_DOWNSAMPLER_LETTERS } from '../../model/value-letters.ts';
import { asStoredDecimal } from '../decimal-state.ts';
import { asStored, type ValueDownsampler } from '../downsampler.ts';

/** Finds the greatest value. */
export const max: ValueDownsampler = {
  name: 'max',
  letter: VALUE_DOWNSAMPLER_LETTERS.max,
  valueTypes: ['numeric'],
  requires: ['count'],
  plain: asStored('u'),
  decimal: asStoredDecimal('u'),
};
