import type { Column } from '../../model/block.ts';
import type { Accumulator, RawRows, Runs, StateRows } from './accumulator.ts';
import { GrowableColumn } from './growable-column.ts';

interface TimeColumns {
  readonly ts: Float64Array;
  readonly ta: Float64Array;
  readonly tz: Float64Array;
  readonly ic: Float64Array;
  readonly il: Float64Array;
  readonly iu: Float64Array;
  readonly iq: Float64Array;
}

/**
 * Keeps the time components of each bucket. All are sums and extremes of whole numbers: exact, in
 * whatever order buckets were merged, and so is the sum of an arithmetic series.
 */
export class TimeAccumulator implements Accumulator {
  readonly #offsetSum = new GrowableColumn();
  readonly #first = new GrowableColumn();
  readonly #last = new GrowableColumn();
  readonly #intervalCount = new GrowableColumn();
  /** NaN in a bucket without intervals, and so is the greatest. */
  readonly #intervalMin = new GrowableColumn();
  readonly #intervalMax = new GrowableColumn();
  readonly #intervalSquares = new GrowableColumn();

  addRaw(runs: Runs, { timestamps }: RawRows): void {
    const { count: runCount, ends, firstRow, isContinued, bucketStartsMs, stepMs } = runs;
    const { ts, ta, tz, ic, il, iu, iq } = this.#reserve(firstRow + runCount);
    const stepSeconds = stepMs / 1000;
    // Of whole seconds the squares are whole numbers, too.
    const isRegular = Number.isInteger(stepSeconds);
    let row = 0;
    for (let run = 0; run < runCount; run++) {
      const to = ends[run]!;
      const at = firstRow + run;
      const startMs = bucketStartsMs[at]!;
      let offsetMs = timestamps[row]! - startMs;
      let offsetSum = offsetMs;
      let intervalCount = 0;
      let minSeconds = Number.POSITIVE_INFINITY;
      let maxSeconds = Number.NEGATIVE_INFINITY;
      let squares = 0;
      if (run === 0 && isContinued) {
        intervalCount = ic[at]!;
        const seconds = (offsetMs - tz[at]!) / 1000;
        minSeconds = intervalCount === 0 || seconds < il[at]! ? seconds : il[at]!;
        maxSeconds = intervalCount === 0 || seconds > iu[at]! ? seconds : iu[at]!;
        squares = iq[at]! + seconds * seconds;
        offsetSum += ts[at]!;
        intervalCount++;
      } else {
        ta[at] = offsetMs;
      }
      row++;
      const restCount = to - row;
      intervalCount += restCount;
      if (isRegular && restCount > 0) {
        offsetSum += restCount * offsetMs + (stepMs * restCount * (restCount + 1)) / 2;
        offsetMs += restCount * stepMs;
        if (stepSeconds < minSeconds) minSeconds = stepSeconds;
        if (stepSeconds > maxSeconds) maxSeconds = stepSeconds;
        squares += restCount * stepSeconds * stepSeconds;
      } else {
        for (; row < to; row++) {
          const nextMs = timestamps[row]! - startMs;
          const seconds = (nextMs - offsetMs) / 1000;
          offsetMs = nextMs;
          offsetSum += nextMs;
          if (seconds < minSeconds) minSeconds = seconds;
          if (seconds > maxSeconds) maxSeconds = seconds;
          squares += seconds * seconds;
        }
      }
      row = to;
      ts[at] = offsetSum;
      tz[at] = offsetMs;
      ic[at] = intervalCount;
      il[at] = intervalCount === 0 ? Number.NaN : minSeconds;
      iu[at] = intervalCount === 0 ? Number.NaN : maxSeconds;
      iq[at] = squares;
    }
  }

  addStates(runs: Runs, { timestamps, columns }: StateRows): void {
    const { count: runCount, ends, firstRow, isContinued, bucketStartsMs } = runs;
    const { ts, ta, tz, ic, il, iu, iq } = this.#reserve(firstRow + runCount);
    const rows = columns as unknown as TimeColumns;
    const counts = columns['c'] as Float64Array;
    let row = 0;
    for (let run = 0; run < runCount; run++) {
      const at = firstRow + run;
      const startMs = bucketStartsMs[at]!;
      const isBegun = run === 0 && isContinued;
      let lastMs = isBegun ? tz[at]! : Number.NaN;
      let offsetSum = isBegun ? ts[at]! : 0;
      let intervalCount = isBegun ? ic[at]! : 0;
      let minSeconds = intervalCount > 0 ? il[at]! : Number.POSITIVE_INFINITY;
      let maxSeconds = intervalCount > 0 ? iu[at]! : Number.NEGATIVE_INFINITY;
      let squares = isBegun ? iq[at]! : 0;
      for (const to = ends[run]!; row < to; row++) {
        // From the start of the coarser bucket to that of the finer one.
        const baseMs = timestamps[row]! - startMs;
        const firstMs = baseMs + rows.ta[row]!;
        if (Number.isNaN(lastMs)) {
          ta[at] = firstMs;
        } else {
          const seconds = (firstMs - lastMs) / 1000;
          intervalCount++;
          if (seconds < minSeconds) minSeconds = seconds;
          if (seconds > maxSeconds) maxSeconds = seconds;
          squares += seconds * seconds;
        }
        lastMs = baseMs + rows.tz[row]!;
        offsetSum += counts[row]! * baseMs + rows.ts[row]!;
        intervalCount += rows.ic[row]!;
        // Comparing with NaN, in a row without intervals, is false.
        if (rows.il[row]! < minSeconds) minSeconds = rows.il[row]!;
        if (rows.iu[row]! > maxSeconds) maxSeconds = rows.iu[row]!;
        squares += rows.iq[row]!;
      }
      ts[at] = offsetSum;
      tz[at] = lastMs;
      ic[at] = intervalCount;
      il[at] = intervalCount === 0 ? Number.NaN : minSeconds;
      iu[at] = intervalCount === 0 ? Number.NaN : maxSeconds;
      iq[at] = squares;
    }
  }

  take(rowCount: number, columns: Record<string, Column>): void {
    columns['ts'] = this.#offsetSum.take(rowCount);
    columns['ta'] = this.#first.take(rowCount);
    columns['tz'] = this.#last.take(rowCount);
    columns['ic'] = this.#intervalCount.take(rowCount);
    columns['il'] = this.#intervalMin.take(rowCount);
    columns['iu'] = this.#intervalMax.take(rowCount);
    columns['iq'] = this.#intervalSquares.take(rowCount);
  }

  #reserve(rowCount: number): TimeColumns {
    return {
      ts: this.#offsetSum.reserve(rowCount),
      ta: this.#first.reserve(rowCount),
      tz: this.#last.reserve(rowCount),
      ic: this.#intervalCount.reserve(rowCount),
      il: this.#intervalMin.reserve(rowCount),
      iu: this.#intervalMax.reserve(rowCount),
      iq: this.#intervalSquares.reserve(rowCount),
    };
  }
}
