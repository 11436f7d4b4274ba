import { VALUE_DOWNSAMPLER_LETTERS } from '../../model/value-letters.ts';
import { type DistinctState, distinctCount } from '../distinct-state.ts';
import type { Finisher, ValueComponent, ValueDownsampler } from '../downsampler.ts';

const finisher: Finisher<ValueComponent> = {
  components: ['h'],
  bind: (columns) => (row) => distinctCount(columns['h']![row] as DistinctState),
};

/**
 * Counts how many different values there are. Exact up to `DISTINCT_EXACT_COUNT_MAX` of them, but for values with
 * one hash of 53 bits; beyond that estimated by HyperLogLog, with a standard error of 1.63 %.
 */
export const distinct: ValueDownsampler = {
  name: 'distinct',
  letter: VALUE_DOWNSAMPLER_LETTERS.distinct,
  valueTypes: ['numeric', 'nominal'],
  requires: ['count'],
  isTotal: true,
  plain: finisher,
  decimal: finisher,
};
