import { floats, type TimeDownsampler } from '../downsampler.ts';

/** Instant of the last datapoint that is not null. */
export const last: TimeDownsampler = {
  name: 'last',
  letter: 'z',
  isInstant: true,
  components: ['tz'],
  bind({ timestamps, columns }) {
    const offsets = floats(columns, 'tz');
    return (row) => timestamps[row]! + offsets[row]!;
  },
  finishEmpty: () => Number.NaN,
};
