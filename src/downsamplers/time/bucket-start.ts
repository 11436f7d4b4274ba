import type { TimeDownsampler } from '../downsampler.ts';

/** The mean of a level that knows no times but those of its buckets: their starts, with data or without. */
export const bucketStart: TimeDownsampler = {
  name: 'mean',
  letter: 'm',
  isInstant: true,
  components: [],
  finish({ timestamps }, finished) {
    finished.set(timestamps);
  },
  finishEmpty: (bucketStartMs) => bucketStartMs,
};
