import { VALUE_DOWNSAMPLER_LETTERS } from '../../model/value-letters.ts';
import type { ValueDownsampler } from '../downsampler.ts';
import { decimalMedian, type MedianState, plainMedian } from '../median-state.ts';

/**
 * Finds the middle value, or the mean of the two middle ones. Exact while the bucket holds at most
 * `MEDIAN_EXACT_COUNT_MAX` values; beyond that from a sketch, within 1 % of the (lower) middle value.
 * An already downsampled value counts as its median, as many times as its count says.
 */
export const median: ValueDownsampler = {
  name: 'median',
  letter: VALUE_DOWNSAMPLER_LETTERS.median,
  valueTypes: ['numeric'],
  requires: ['count'],
  plain: {
    components: ['n'],
    bind: (columns) => (row) => plainMedian(columns['n']![row] as MedianState),
  },
  decimal: {
    components: ['n'],
    bind: (columns) => (row) => decimalMedian(columns['n']![row] as MedianState),
  },
};
