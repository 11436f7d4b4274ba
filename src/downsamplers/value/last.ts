import { VALUE_DOWNSAMPLER_LETTERS } from '../../model/value-letters.ts';
import { asStoredDecimal } from '../decimal-state.ts';
import { asStoredJson, type ValueDownsampler } from '../downsampler.ts';

/**
 * Finds the value of the last datapoint that is not null; of several at its instant, that which arrived last. Of an
 * already downsampled value it is the last one of its group.
 */
export const last: ValueDownsampler = {
  name: 'last',
  letter: VALUE_DOWNSAMPLER_LETTERS.last,
  valueTypes: ['numeric', 'nominal'],
  requires: ['count'],
  plain: asStoredJson('z'),
  decimal: asStoredDecimal('z'),
};
