import type { Column } from '../../model/block.ts';
import type { Json } from '../../model/tags.ts';
import { FrequencyCounter, type FrequencyState } from '../frequency-state.ts';
import type { Accumulator, RawRows, Runs, StateRows } from './accumulator.ts';

/** Keeps `f`. */
export class FrequencyAccumulator implements Accumulator {
  readonly #counters: FrequencyCounter[] = [];

  addRaw(runs: Runs, { values }: RawRows): void {
    let row = 0;
    for (let run = 0; run < runs.count; run++) {
      const counter = this.#counterAt(runs.firstRow + run);
      for (; row < runs.ends[run]!; row++) counter.add(values[row] as Json, 1);
    }
  }

  addStates(runs: Runs, { columns }: StateRows): void {
    const states = columns['f'] as readonly FrequencyState[];
    let row = 0;
    for (let run = 0; run < runs.count; run++) {
      const counter = this.#counterAt(runs.firstRow + run);
      for (; row < runs.ends[run]!; row++) counter.merge(states[row]!);
    }
  }

  take(rowCount: number, columns: Record<string, Column>): void {
    columns['f'] = this.#counters.splice(0, rowCount).map((counter) => counter.state());
  }

  #counterAt(row: number): FrequencyCounter {
    this.#counters[row] ??= new FrequencyCounter();
    return this.#counters[row];
  }
}
