import type { Column } from '../../model/block.ts';
import type { Accumulator, RawRows, Runs, StateRows } from './accumulator.ts';
import { GrowableColumn } from './growable-column.ts';

/** Keeps `l` in float64. */
export class MinAccumulator implements Accumulator {
  readonly #min = new GrowableColumn();

  addRaw(runs: Runs, { values }: RawRows): void {
    this.#add(runs, values as Float64Array);
  }

  addStates(runs: Runs, { columns }: StateRows): void {
    this.#add(runs, columns['l'] as Float64Array);
  }

  take(rowCount: number, columns: Record<string, Column>): void {
    columns['l'] = this.#min.take(rowCount);
  }

  #add({ count: runCount, ends, firstRow, isContinued }: Runs, values: Float64Array): void {
    const out = this.#min.reserve(firstRow + runCount);
    let min = isContinued ? out[firstRow]! : Number.POSITIVE_INFINITY;
    let row = 0;
    for (let run = 0; run < runCount; run++) {
      for (const to = ends[run]!; row < to; row++) if (values[row]! < min) min = values[row]!;
      out[firstRow + run] = min;
      min = Number.POSITIVE_INFINITY;
    }
  }
}

/** Keeps `u` in float64. */
export class MaxAccumulator implements Accumulator {
  readonly #max = new GrowableColumn();

  addRaw(runs: Runs, { values }: RawRows): void {
    this.#add(runs, values as Float64Array);
  }

  addStates(runs: Runs, { columns }: StateRows): void {
    this.#add(runs, columns['u'] as Float64Array);
  }

  take(rowCount: number, columns: Record<string, Column>): void {
    columns['u'] = this.#max.take(rowCount);
  }

  #add({ count: runCount, ends, firstRow, isContinued }: Runs, values: Float64Array): void {
    const out = this.#max.reserve(firstRow + runCount);
    let max = isContinued ? out[firstRow]! : Number.NEGATIVE_INFINITY;
    let row = 0;
    for (let run = 0; run < runCount; run++) {
      for (const to = ends[run]!; row < to; row++) if (values[row]! > max) max = values[row]!;
      out[firstRow + run] = max;
      max = Number.NEGATIVE_INFINITY;
    }
  }
}
