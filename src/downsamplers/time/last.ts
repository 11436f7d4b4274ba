import { floats, type TimeDownsampler } from '../downsampler.ts';

/** Instant of the last datapoint that is not null. */
export const last: TimeDownsampler = {
  name: 'last',
  letter: 'z',
  isInstant: true,
  components: ['tz'],
  finish({ timestamps, columns }, finished) {
    const offsets = floats(columns, 'tz');
    for (let row = 0; row < finished.length; row++) {
      finished[row] = timestamps[row]! + offsets[row]!;
    }
  },
  finishEmpty: () => Number.NaN,
};
