import { floats, type TimeDownsampler } from '../downsampler.ts';

/** Instant of the first datapoint that is not null. */
export const first: TimeDownsampler = {
  name: 'first',
  letter: 'a',
  isInstant: true,
  components: ['ta'],
  finish({ timestamps, columns }, finished) {
    const offsets = floats(columns, 'ta');
    for (let row = 0; row < finished.length; row++) {
      finished[row] = timestamps[row]! + offsets[row]!;
    }
  },
  finishEmpty: () => Number.NaN,
};
