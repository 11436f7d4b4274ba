import { floats, type TimeDownsampler } from '../downsampler.ts';

/** Shortest length between successive datapoints of the bucket, in seconds. */
export const intervalsMin: TimeDownsampler = {
  name: 'intervals_min',
  letter: 'l',
  isInstant: false,
  components: ['il'],
  bind({ columns }) {
    const shortest = floats(columns, 'il');
    return (row) => shortest[row]!;
  },
  finishEmpty: () => Number.NaN,
};
