import type { Column } from '../../model/block.ts';
import { DistinctCounter, type DistinctState } from '../distinct-state.ts';
import type { Accumulator, RawRows, Runs, StateRows } from './accumulator.ts';

/** Keeps `h`. In state rows, a bare number or decimal string stands for the one value that it is. */
export class DistinctAccumulator implements Accumulator {
  readonly #counters: DistinctCounter[] = [];

  addRaw(runs: Runs, { values }: RawRows): void {
    let row = 0;
    for (let run = 0; run < runs.count; run++) {
      const counter = this.#counterAt(runs.firstRow + run);
      for (; row < runs.ends[run]!; row++) counter.add(values[row]);
    }
  }

  addStates(runs: Runs, { columns }: StateRows): void {
    const states = columns['h'] as readonly (DistinctState | number | string)[];
    let row = 0;
    for (let run = 0; run < runs.count; run++) {
      const counter = this.#counterAt(runs.firstRow + run);
      for (; row < runs.ends[run]!; row++) {
        const state = states[row]!;
        if (typeof state === 'object') counter.merge(state);
        else counter.add(state);
      }
    }
  }

  take(rowCount: number, columns: Record<string, Column>): void {
    columns['h'] = this.#counters.splice(0, rowCount).map((counter) => counter.state());
  }

  #counterAt(row: number): DistinctCounter {
    this.#counters[row] ??= new DistinctCounter();
    return this.#counters[row];
  }
}
