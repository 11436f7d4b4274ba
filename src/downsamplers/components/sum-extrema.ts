import type { Column } from '../../model/block.ts';
import type { Accumulator, RawRows, Runs, StateRows } from './accumulator.ts';
import { GrowableColumn } from './growable-column.ts';

/** Keeps `s`, `l` and `u` in float64, in one pass: where buckets are short, passes cost more than rows. */
export class SumExtremaAccumulator implements Accumulator {
  readonly #sum = new GrowableColumn();
  readonly #min = new GrowableColumn();
  readonly #max = new GrowableColumn();

  addRaw(runs: Runs, { values }: RawRows): void {
    const numbers = values as Float64Array;
    this.#add(runs, { sums: numbers, mins: numbers, maxs: numbers });
  }

  addStates(runs: Runs, { columns }: StateRows): void {
    this.#add(runs, {
      sums: columns['s'] as Float64Array,
      mins: columns['l'] as Float64Array,
      maxs: columns['u'] as Float64Array,
    });
  }

  take(rowCount: number, columns: Record<string, Column>): void {
    columns['s'] = this.#sum.take(rowCount);
    columns['l'] = this.#min.take(rowCount);
    columns['u'] = this.#max.take(rowCount);
  }

  /** Of equal numbers the first stays the extremum: 0 and -0 are told apart by that alone. */
  #add(
    { count: runCount, ends, firstRow, isContinued }: Runs,
    { sums, mins, maxs }: Readonly<Record<'sums' | 'mins' | 'maxs', Float64Array>>,
  ): void {
    const outSum = this.#sum.reserve(firstRow + runCount);
    const outMin = this.#min.reserve(firstRow + runCount);
    const outMax = this.#max.reserve(firstRow + runCount);
    let sum = isContinued ? outSum[firstRow]! : 0;
    let min = isContinued ? outMin[firstRow]! : Number.POSITIVE_INFINITY;
    let max = isContinued ? outMax[firstRow]! : Number.NEGATIVE_INFINITY;
    let row = 0;
    for (let run = 0; run < runCount; run++) {
      for (const to = ends[run]!; row < to; row++) {
        sum += sums[row]!;
        if (mins[row]! < min) min = mins[row]!;
        if (maxs[row]! > max) max = maxs[row]!;
      }
      outSum[firstRow + run] = sum;
      outMin[firstRow + run] = min;
      outMax[firstRow + run] = max;
      sum = 0;
      min = Number.POSITIVE_INFINITY;
      max = Number.NEGATIVE_INFINITY;
    }
  }
}
