import type { Column } from '../../model/block.ts';
import type { Accumulator, RawRows, Runs, StateRows } from './accumulator.ts';
import { BucketTable } from './bucket-table.ts';

/** Keeps `s`, `l` and `u` in float64, in one pass: where buckets are short, passes cost more than rows. */
export class SumExtremaAccumulator implements Accumulator {
  readonly #table = new BucketTable(['s', 'l', 'u']);

  addRaw(runs: Runs, { values }: RawRows): void {
    const numbers = values as Float64Array;
    this.#add(runs, numbers, numbers, numbers);
  }

  addStates(runs: Runs, { columns }: StateRows): void {
    this.#add(
      runs,
      columns['s'] as Float64Array,
      columns['l'] as Float64Array,
      columns['u'] as Float64Array,
    );
  }

  take(rowCount: number, columns: Record<string, Column>): void {
    this.#table.take(rowCount, columns);
  }

  /**
   * Of equal numbers the first stays the extremum: 0 and -0 are told apart by that alone. The rows of the
   * extrema are moved without branches, of which the processor could not guess one in three.
   */
  #add(
    { count: runCount, ends, firstRow, isContinued }: Runs,
    sums: Float64Array,
    mins: Float64Array,
    maxs: Float64Array,
  ): void {
    const table = this.#table;
    table.reserve(firstRow + runCount);
    const { cells, stride } = table;
    let cell = table.firstCell + firstRow;
    let row = 0;
    for (let run = 0; run < runCount; run++, cell++) {
      const isBegun = isContinued && run === 0;
      let sum = (isBegun ? cells[cell]! : 0) + sums[row]!;
      let minRow = row;
      let maxRow = row;
      row++;
      for (const to = ends[run]!; row < to; row++) {
        sum += sums[row]!;
        minRow += (row - minRow) & -(mins[row]! < mins[minRow]!);
        maxRow += (row - maxRow) & -(maxs[row]! > maxs[maxRow]!);
      }
      cells[cell] = sum;
      const min = mins[minRow]!;
      const max = maxs[maxRow]!;
      if (!isBegun || min < cells[cell + stride]!) cells[cell + stride] = min;
      if (!isBegun || max > cells[cell + 2 * stride]!) cells[cell + 2 * stride] = max;
    }
  }
}
