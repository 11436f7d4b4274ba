import { VALUE_DOWNSAMPLER_LETTERS } from '../../model/value-letters.ts';
import type { ValueDownsampler } from '../downsampler.ts';
import { heldDownsampler } from './held.ts';

/** Adds up values times seconds, each value held until the next datapoint; null where none is held. */
export const integral: ValueDownsampler = heldDownsampler({
  name: 'integral',
  letter: VALUE_DOWNSAMPLER_LETTERS.integral,
  finishHeld: ({ area, heldMs }) => (heldMs === 0 ? Number.NaN : area),
});
