import { assert } from '../../model/assert.ts';
import { percentageOf, valueLetter } from '../../model/value-letters.ts';
import type { ValueDownsampler } from '../downsampler.ts';
import { decimalPercentile, type MedianState, plainPercentile } from '../median-state.ts';

/**
 * Finds the value that the given percentage of values lies below, from the state of the median. Exact while the bucket
 * holds at most `MEDIAN_EXACT_COUNT_MAX` values, where it lies between two of them linearly (definition 7 of
 * Hyndman and Fan 1996, in which `percentile_50` is the median); beyond that from a sketch, within 1 % of
 * the lower of the two.
 */
export function percentile(name: string): ValueDownsampler {
  const percentage = percentageOf(name);
  const letter = valueLetter(name);
  assert(percentage !== null && letter !== null, 'it is the name of a percentile');
  return {
    name,
    letter,
    valueTypes: ['numeric'],
    requires: ['count'],
    plain: {
      components: ['n'],
      bind: (columns) => (row) => plainPercentile(columns['n']![row] as MedianState, percentage),
    },
    decimal: {
      components: ['n'],
      bind: (columns) => (row) => decimalPercentile(columns['n']![row] as MedianState, percentage),
    },
  };
}
