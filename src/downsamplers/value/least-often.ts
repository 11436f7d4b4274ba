import { VALUE_DOWNSAMPLER_LETTERS } from '../../model/value-letters.ts';
import type { Finisher, ValueComponent, ValueDownsampler } from '../downsampler.ts';
import { type FrequencyState, leastFrequent } from '../frequency-state.ts';

const finisher: Finisher<ValueComponent> = {
  components: ['f'],
  bind: (columns) => (row) => leastFrequent(columns['f']![row] as FrequencyState),
};

/** Finds the least frequent of the values that the state keeps; of equals the one that appeared first. */
export const leastOften: ValueDownsampler = {
  name: 'least_often',
  letter: VALUE_DOWNSAMPLER_LETTERS.least_often,
  valueTypes: ['nominal'],
  requires: ['count'],
  plain: finisher,
  decimal: finisher,
};
