import { VALUE_DOWNSAMPLER_LETTERS } from '../../model/value-letters.ts';
import { asStored, type ValueDownsampler } from '../downsampler.ts';

/** Counts the datapoints that are not null; an already downsampled one counts as its own count says. */
export const count: ValueDownsampler = {
  name: 'count',
  letter: VALUE_DOWNSAMPLER_LETTERS.count,
  valueTypes: ['numeric', 'nominal', 'graph'],
  requires: [],
  isTotal: true,
  plain: asStored('c'),
  decimal: asStored('c'),
};
