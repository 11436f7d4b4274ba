import { floats, type TimeDownsampler } from '../downsampler.ts';

/** Instant of the first datapoint that is not null. */
export const first: TimeDownsampler = {
  name: 'first',
  letter: 'a',
  isInstant: true,
  components: ['ta'],
  bind({ timestamps, columns }) {
    const offsets = floats(columns, 'ta');
    return (row) => timestamps[row]! + offsets[row]!;
  },
  finishEmpty: () => Number.NaN,
};
