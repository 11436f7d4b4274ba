import { cutToSecond } from '../../model/time-range.ts';
import { floats, type TimeDownsampler } from '../downsampler.ts';

/** Mean instant, weighted by count, cut to the whole second; the middle of a bucket without data. */
export const mean: TimeDownsampler = {
  name: 'mean',
  letter: 'm',
  isInstant: true,
  components: ['ts', 'c'],
  bind({ timestamps, columns }) {
    const offsetSums = floats(columns, 'ts');
    const counts = floats(columns, 'c');
    return (row) => timestamps[row]! + cutToSecond(offsetSums[row]! / counts[row]!);
  },
  finishEmpty: (bucketStartMs, { durationMs }) => bucketStartMs + cutToSecond(durationMs / 2),
};
