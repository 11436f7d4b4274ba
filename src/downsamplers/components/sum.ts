import type { Columns } from '../../model/block.ts';
import type { Accumulator, RawRows, Runs, StateRows } from './accumulator.ts';
import { GrowableColumn } from './growable-column.ts';

/** Keeps `s` in float64. */
export class SumAccumulator implements Accumulator {
  readonly #sum = new GrowableColumn();

  addRaw(runs: Runs, { values }: RawRows): void {
    addRuns(runs, values as Float64Array, this.#sum);
  }

  addStates(runs: Runs, { columns }: StateRows): void {
    addRuns(runs, columns['s'] as Float64Array, this.#sum);
  }

  take(rowCount: number): Columns {
    return { s: this.#sum.take(rowCount) };
  }
}

/** Keeps `q` in float64. */
export class SumSquaresAccumulator implements Accumulator {
  readonly #sum = new GrowableColumn();

  addRaw(runs: Runs, rows: RawRows): void {
    const values = rows.values as Float64Array;
    const out = this.#sum.extend(runs.firstRow + runs.count, 0);
    let from = 0;
    for (let run = 0; run < runs.count; run++) {
      const to = runs.ends[run]!;
      let sum = out[runs.firstRow + run]!;
      for (let row = from; row < to; row++) sum += values[row]! * values[row]!;
      out[runs.firstRow + run] = sum;
      from = to;
    }
  }

  addStates(runs: Runs, { columns }: StateRows): void {
    addRuns(runs, columns['q'] as Float64Array, this.#sum);
  }

  take(rowCount: number): Columns {
    return { q: this.#sum.take(rowCount) };
  }
}

function addRuns(runs: Runs, values: Float64Array, column: GrowableColumn): void {
  const out = column.extend(runs.firstRow + runs.count, 0);
  let from = 0;
  for (let run = 0; run < runs.count; run++) {
    const to = runs.ends[run]!;
    let sum = out[runs.firstRow + run]!;
    for (let row = from; row < to; row++) sum += values[row]!;
    out[runs.firstRow + run] = sum;
    from = to;
  }
}
