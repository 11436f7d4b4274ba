import type { Column } from '../../model/block.ts';
import { MedianCollector, type MedianState } from '../median-state.ts';
import type { Accumulator, RawRows, Runs, StateRows } from './accumulator.ts';

/**
 * Keeps `n`. In state rows, a bare number or decimal string stands for as many values as `c` says, and NaN for
 * values that nobody knows.
 */
export class MedianAccumulator implements Accumulator {
  readonly #collectors: MedianCollector[] = [];

  addRaw(runs: Runs, rows: RawRows): void {
    const values = rows.values as Float64Array;
    let row = 0;
    for (let run = 0; run < runs.count; run++) {
      const collector = this.#collectorAt(runs.firstRow + run);
      for (; row < runs.ends[run]!; row++) collector.add(values[row]!, 1);
    }
  }

  addStates(runs: Runs, { columns }: StateRows): void {
    const states = columns['n'] as readonly (MedianState | number | string)[];
    const counts = columns['c'] as Float64Array;
    let row = 0;
    for (let run = 0; run < runs.count; run++) {
      const collector = this.#collectorAt(runs.firstRow + run);
      for (; row < runs.ends[run]!; row++) {
        const state = states[row]!;
        if (typeof state === 'object') collector.merge(state);
        else if (!Number.isNaN(state)) collector.add(state, counts[row]!);
      }
    }
  }

  take(rowCount: number, columns: Record<string, Column>): void {
    columns['n'] = this.#collectors.splice(0, rowCount).map((collector) => collector.state());
  }

  #collectorAt(row: number): MedianCollector {
    this.#collectors[row] ??= new MedianCollector();
    return this.#collectors[row];
  }
}
