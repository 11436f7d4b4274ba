import { floats, type TimeDownsampler } from '../downsampler.ts';

/** Shortest length between successive datapoints of the bucket, in seconds. */
export const intervalsMin: TimeDownsampler = {
  name: 'intervals_min',
  letter: 'l',
  isInstant: false,
  components: ['il'],
  finish({ columns }, finished) {
    finished.set(floats(columns, 'il'));
  },
  finishEmpty: () => Number.NaN,
};
