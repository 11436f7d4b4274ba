import type { Columns } from '../../model/block.ts';
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

  take(rowCount: number): Columns {
    return { l: this.#min.take(rowCount) };
  }

  #add(runs: Runs, values: Float64Array): void {
    const out = this.#min.extend(runs.firstRow + runs.count, Number.POSITIVE_INFINITY);
    let from = 0;
    for (let run = 0; run < runs.count; run++) {
      const to = runs.ends[run]!;
      let min = out[runs.firstRow + run]!;
      for (let row = from; row < to; row++) if (values[row]! < min) min = values[row]!;
      out[runs.firstRow + run] = min;
      from = to;
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

  take(rowCount: number): Columns {
    return { u: this.#max.take(rowCount) };
  }

  #add(runs: Runs, values: Float64Array): void {
    const out = this.#max.extend(runs.firstRow + runs.count, Number.NEGATIVE_INFINITY);
    let from = 0;
    for (let run = 0; run < runs.count; run++) {
      const to = runs.ends[run]!;
      let max = out[runs.firstRow + run]!;
      for (let row = from; row < to; row++) if (values[row]! > max) max = values[row]!;
      out[runs.firstRow + run] = max;
      from = to;
    }
  }
}
