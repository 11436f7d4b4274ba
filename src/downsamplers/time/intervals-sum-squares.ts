import { floats, type TimeDownsampler } from '../downsampler.ts';

/** Adds the squares of the lengths between successive datapoints of the bucket, in seconds squared. */
export const intervalsSumSquares: TimeDownsampler = {
  name: 'intervals_sum_squares',
  letter: 'q',
  isInstant: false,
  components: ['iq', 'ic'],
  finish({ columns }, finished) {
    const squares = floats(columns, 'iq');
    const counts = floats(columns, 'ic');
    for (let row = 0; row < finished.length; row++) {
      finished[row] = counts[row] === 0 ? Number.NaN : squares[row]!;
    }
  },
  finishEmpty: () => Number.NaN,
};
