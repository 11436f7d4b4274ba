import type { Columns } from '../../model/block.ts';
import type { Accumulator, Runs, StateRows } from './accumulator.ts';
import { GrowableColumn } from './growable-column.ts';

/** Keeps `c`. */
export class CountAccumulator implements Accumulator {
  readonly #count = new GrowableColumn();

  addRaw(runs: Runs): void {
    const out = this.#count.extend(runs.firstRow + runs.count, 0);
    let from = 0;
    for (let run = 0; run < runs.count; run++) {
      const to = runs.ends[run]!;
      out[runs.firstRow + run]! += to - from;
      from = to;
    }
  }

  addStates(runs: Runs, { columns }: StateRows): void {
    const counts = columns['c'] as Float64Array;
    const out = this.#count.extend(runs.firstRow + runs.count, 0);
    let from = 0;
    for (let run = 0; run < runs.count; run++) {
      const to = runs.ends[run]!;
      let count = out[runs.firstRow + run]!;
      for (let row = from; row < to; row++) count += counts[row]!;
      out[runs.firstRow + run] = count;
      from = to;
    }
  }

  take(rowCount: number): Columns {
    return { c: this.#count.take(rowCount) };
  }
}
