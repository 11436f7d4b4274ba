import { VALUE_DOWNSAMPLER_LETTERS } from '../../model/value-letters.ts';
import type { ValueDownsampler } from '../downsampler.ts';
import { heldDownsampler } from './held.ts';

/** Fraction of a bucket's time, from 0 to 1, for which a value is held. */
export const coverage: ValueDownsampler = heldDownsampler({
  name: 'coverage',
  letter: VALUE_DOWNSAMPLER_LETTERS.coverage,
  finishHeld: ({ heldMs, durationMs }) => heldMs / durationMs,
});
