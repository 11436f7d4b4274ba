import type { ValueDownsampler } from '../downsampler.ts';
import { HELD_COMPONENTS } from '../held-totals.ts';

/** Makes a downsampler that is finished from what was held in a bucket, and not from the bucket's state alone. */
export function heldDownsampler(
  own: Pick<ValueDownsampler, 'name' | 'letter'> & Required<Pick<ValueDownsampler, 'finishHeld'>>,
): ValueDownsampler {
  return {
    ...own,
    valueTypes: ['numeric'],
    requires: ['count'],
    plain: { components: HELD_COMPONENTS, bind: () => () => Number.NaN },
    decimal: null,
  };
}
