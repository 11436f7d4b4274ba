import { bucketEndMs } from '../../model/granularity.ts';
import { cutToSecond } from '../../model/time-range.ts';
import { floats, type TimeDownsampler } from '../downsampler.ts';

/** Mean instant, weighted by count, cut to the whole second; the middle of a bucket without data. */
export const mean: TimeDownsampler = {
  name: 'mean',
  letter: 'm',
  isInstant: true,
  components: ['ts', 'c'],
  finish({ timestamps, columns }, finished) {
    const offsetSums = floats(columns, 'ts');
    const counts = floats(columns, 'c');
    for (let row = 0; row < finished.length; row++) {
      finished[row] = timestamps[row]! + cutToSecond(offsetSums[row]! / counts[row]!);
    }
  },
  finishEmpty: (bucketStartMs, granularity) => {
    const durationMs = bucketEndMs(bucketStartMs, granularity) - bucketStartMs;
    return bucketStartMs + cutToSecond(durationMs / 2);
  },
};
