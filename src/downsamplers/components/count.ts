import type { Column } from '../../model/block.ts';
import type { Accumulator, Runs, StateRows } from './accumulator.ts';
import { GrowableColumn } from './growable-column.ts';

/** Keeps `c`. */
export class CountAccumulator implements Accumulator {
  readonly #count = new GrowableColumn();

  addRaw({ count: runCount, ends, firstRow, isContinued }: Runs): void {
    const out = this.#count.reserve(firstRow + runCount);
    let before = isContinued ? out[firstRow]! : 0;
    let from = 0;
    for (let run = 0; run < runCount; run++) {
      const to = ends[run]!;
      out[firstRow + run] = before + (to - from);
      before = 0;
      from = to;
    }
  }

  addStates({ count: runCount, ends, firstRow, isContinued }: Runs, { columns }: StateRows): void {
    const counts = columns['c'] as Float64Array;
    const out = this.#count.reserve(firstRow + runCount);
    let count = isContinued ? out[firstRow]! : 0;
    let row = 0;
    for (let run = 0; run < runCount; run++) {
      for (const to = ends[run]!; row < to; row++) count += counts[row]!;
      out[firstRow + run] = count;
      count = 0;
    }
  }

  take(rowCount: number, columns: Record<string, Column>): void {
    columns['c'] = this.#count.take(rowCount);
  }
}
