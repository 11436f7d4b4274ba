import { VALUE_DOWNSAMPLER_LETTERS } from '../../model/value-letters.ts';
import { asStoredDecimal } from '../decimal-state.ts';
import { asStoredJson, type ValueDownsampler } from '../downsampler.ts';

/**
 * Finds the value of the first datapoint that is not null; of several at its instant, that which arrived first. Of an
 * already downsampled value it is the first one of its group.
 */
export const first: ValueDownsampler = {
  name: 'first',
  letter: VALUE_DOWNSAMPLER_LETTERS.first,
  valueTypes: ['numeric', 'nominal'],
  requires: ['count'],
  plain: asStoredJson('a'),
  decimal: asStoredDecimal('a'),
};
