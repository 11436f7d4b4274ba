import { VALUE_DOWNSAMPLER_LETTERS } from '../../model/value-letters.ts';
import type { ValueDownsampler } from '../downsampler.ts';
import { heldDownsampler } from './held.ts';

/** Mean of the values, each weighted by the time for which it is held; null where none is held. */
export const timeWeightedMean: ValueDownsampler = heldDownsampler({
  name: 'time_weighted_mean',
  letter: VALUE_DOWNSAMPLER_LETTERS.time_weighted_mean,
  finishHeld: ({ area, heldMs }) => area / (heldMs / 1000),
});
