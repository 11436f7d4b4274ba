import { VALUE_DOWNSAMPLER_LETTERS } from '../../model/value-letters.ts';
import type { Finisher, ValueComponent, ValueDownsampler } from '../downsampler.ts';
import { type FrequencyState, mostFrequent } from '../frequency-state.ts';

const finisher: Finisher<ValueComponent> = {
  components: ['f'],
  bind: (columns) => (row) => mostFrequent(columns['f']![row] as FrequencyState),
};

/** Finds the most frequent of the values that the state keeps; of equals the one that appeared first. */
export const mostOften: ValueDownsampler = {
  name: 'most_often',
  letter: VALUE_DOWNSAMPLER_LETTERS.most_often,
  valueTypes: ['nominal'],
  requires: ['count'],
  plain: finisher,
  decimal: finisher,
};
