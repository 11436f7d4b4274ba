import { floats, type TimeDownsampler } from '../downsampler.ts';

/** Mean length between successive datapoints of the bucket, in seconds. */
export const intervalsMean: TimeDownsampler = {
  name: 'intervals_mean',
  letter: 'i',
  isInstant: false,
  components: ['ta', 'tz', 'ic'],
  finish({ columns }, finished) {
    const firsts = floats(columns, 'ta');
    const lasts = floats(columns, 'tz');
    const counts = floats(columns, 'ic');
    for (let row = 0; row < finished.length; row++) {
      finished[row] = (lasts[row]! - firsts[row]!) / 1000 / counts[row]!;
    }
  },
  finishEmpty: () => Number.NaN,
};
