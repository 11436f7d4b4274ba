import type { Column } from '../../model/block.ts';
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

  take(rowCount: number, columns: Record<string, Column>): void {
    columns['s'] = this.#sum.take(rowCount);
  }
}

/** Keeps `q` in float64. */
export class SumSquaresAccumulator implements Accumulator {
  readonly #sum = new GrowableColumn();

  addRaw({ count: runCount, ends, firstRow, isContinued }: Runs, rows: RawRows): void {
    const values = rows.values as Float64Array;
    const out = this.#sum.reserve(firstRow + runCount);
    let sum = isContinued ? out[firstRow]! : 0;
    let row = 0;
    for (let run = 0; run < runCount; run++) {
      for (const to = ends[run]!; row < to; row++) sum += values[row]! * values[row]!;
      out[firstRow + run] = sum;
      sum = 0;
    }
  }

  addStates(runs: Runs, { columns }: StateRows): void {
    addRuns(runs, columns['q'] as Float64Array, this.#sum);
  }

  take(rowCount: number, columns: Record<string, Column>): void {
    columns['q'] = this.#sum.take(rowCount);
  }
}

function addRuns(
  { count: runCount, ends, firstRow, isContinued }: Runs,
  values: Float64Array,
  column: GrowableColumn,
): void {
  const out = column.reserve(firstRow + runCount);
  let sum = isContinued ? out[firstRow]! : 0;
  let row = 0;
  for (let run = 0; run < runCount; run++) {
    for (const to = ends[run]!; row < to; row++) sum += values[row]!;
    out[firstRow + run] = sum;
    sum = 0;
  }
}
