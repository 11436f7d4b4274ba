import type { Column } from '../../model/block.ts';
import type { Accumulator, RawRows, Runs, StateRows } from './accumulator.ts';
import { GrowableColumn } from './growable-column.ts';

/**
 * Keeps `mu` and `m2`, mean and sum of squared deviations: points by Welford 1962, states by Chan, Golub,
 * LeVeque 1979. A state of one point takes the step of a point, so that both ways agree to the bit.
 */
export class MomentsAccumulator implements Accumulator {
  readonly #count = new GrowableColumn();
  readonly #mean = new GrowableColumn();
  readonly #m2 = new GrowableColumn();

  addRaw(runs: Runs, rows: RawRows): void {
    const values = rows.values as Float64Array;
    const { counts, means, m2s } = this.#extend(runs.firstRow + runs.count);
    let from = 0;
    for (let run = 0; run < runs.count; run++) {
      const to = runs.ends[run]!;
      const at = runs.firstRow + run;
      let count = counts[at]!;
      let mean = means[at]!;
      let m2 = m2s[at]!;
      for (let row = from; row < to; row++) {
        const value = values[row]!;
        const deviation = value - mean;
        count += 1;
        mean += deviation / count;
        m2 += deviation * (value - mean);
      }
      counts[at] = count;
      means[at] = mean;
      m2s[at] = m2;
      from = to;
    }
  }

  addStates(runs: Runs, { columns }: StateRows): void {
    const rowCounts = columns['c'] as Float64Array;
    const rowMeans = columns['mu'] as Float64Array;
    const rowM2s = columns['m2'] as Float64Array;
    const { counts, means, m2s } = this.#extend(runs.firstRow + runs.count);
    let from = 0;
    for (let run = 0; run < runs.count; run++) {
      const to = runs.ends[run]!;
      const at = runs.firstRow + run;
      let count = counts[at]!;
      let mean = means[at]!;
      let m2 = m2s[at]!;
      for (let row = from; row < to; row++) {
        const rowCount = rowCounts[row]!;
        const deviation = rowMeans[row]! - mean;
        const countBefore = count;
        count += rowCount;
        if (rowCount === 1) {
          mean += deviation / count;
          m2 += deviation * (rowMeans[row]! - mean) + rowM2s[row]!;
        } else if (countBefore === 0) {
          mean = rowMeans[row]!;
          m2 = rowM2s[row]!;
        } else {
          mean += (deviation * rowCount) / count;
          m2 += rowM2s[row]! + ((deviation * deviation * rowCount) / count) * countBefore;
        }
      }
      counts[at] = count;
      means[at] = mean;
      m2s[at] = m2;
      from = to;
    }
  }

  take(rowCount: number, columns: Record<string, Column>): void {
    this.#count.take(rowCount);
    columns['mu'] = this.#mean.take(rowCount);
    columns['m2'] = this.#m2.take(rowCount);
  }

  #extend(rowCount: number): { counts: Float64Array; means: Float64Array; m2s: Float64Array } {
    return {
      counts: this.#count.extend(rowCount, 0),
      means: this.#mean.extend(rowCount, 0),
      m2s: this.#m2.extend(rowCount, 0),
    };
  }
}
