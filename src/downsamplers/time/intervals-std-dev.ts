import { floats, type TimeDownsampler } from '../downsampler.ts';

/**
 * Population standard deviation of the lengths between successive datapoints of the bucket, in seconds.
 * From plain sums: whole seconds within a day keep them exact.
 */
export const intervalsStdDev: TimeDownsampler = {
  name: 'intervals_std_dev',
  letter: 'd',
  isInstant: false,
  components: ['ta', 'tz', 'ic', 'iq'],
  finish({ columns }, finished) {
    const firsts = floats(columns, 'ta');
    const lasts = floats(columns, 'tz');
    const counts = floats(columns, 'ic');
    const squares = floats(columns, 'iq');
    for (let row = 0; row < finished.length; row++) {
      const sumSeconds = (lasts[row]! - firsts[row]!) / 1000;
      const scaled = counts[row]! * squares[row]! - sumSeconds * sumSeconds;
      finished[row] = Math.sqrt(Math.max(0, scaled)) / counts[row]!;
    }
  },
  finishEmpty: () => Number.NaN,
};
