import { VALUE_DOWNSAMPLER_LETTERS } from '../../model/value-letters.ts';
import type { Finisher, ValueComponent, ValueDownsampler } from '../downsampler.ts';
import { type FrequencyState, frequencyTable } from '../frequency-state.ts';

const finisher: Finisher<ValueComponent> = {
  components: ['f'],
  bind: (columns) => (row) => frequencyTable(columns['f']![row] as FrequencyState),
};

/** Counts each distinct value that the state keeps: an object from the string, or the JSON text, to its count. */
export const frequencies: ValueDownsampler = {
  name: 'frequencies',
  letter: VALUE_DOWNSAMPLER_LETTERS.frequencies,
  valueTypes: ['nominal'],
  requires: ['count'],
  isTotal: true,
  plain: finisher,
  decimal: finisher,
};
