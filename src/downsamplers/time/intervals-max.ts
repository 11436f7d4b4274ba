import { floats, type TimeDownsampler } from '../downsampler.ts';

/** Longest length between successive datapoints of the bucket, in seconds. */
export const intervalsMax: TimeDownsampler = {
  name: 'intervals_max',
  letter: 'u',
  isInstant: false,
  components: ['iu'],
  finish({ columns }, finished) {
    finished.set(floats(columns, 'iu'));
  },
  finishEmpty: () => Number.NaN,
};
