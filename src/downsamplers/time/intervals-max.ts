import { floats, type TimeDownsampler } from '../downsampler.ts';

/** Longest length between successive datapoints of the bucket, in seconds. */
export const intervalsMax: TimeDownsampler = {
  name: 'intervals_max',
  letter: 'u',
  isInstant: false,
  components: ['iu'],
  bind({ columns }) {
    const longest = floats(columns, 'iu');
    return (row) => longest[row]!;
  },
  finishEmpty: () => Number.NaN,
};
