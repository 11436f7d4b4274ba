import type { Column } from '../../model/block.ts';
import type { Accumulator, RawRows, Runs, StateRows } from './accumulator.ts';
import { BucketTable } from './bucket-table.ts';

interface CountTimeColumns {
  readonly c: Float64Array;
  readonly ts: Float64Array;
  readonly ta: Float64Array;
  readonly tz: Float64Array;
  readonly ic: Float64Array;
  readonly il: Float64Array;
  readonly iu: Float64Array;
  readonly iq: Float64Array;
}

/**
 * Keeps the count and the time components of each bucket, which every level has. All are sums and extremes
 * of whole numbers: exact, in whatever order buckets were merged, and so is the sum of an arithmetic series.
 * The least and the greatest interval are NaN in a bucket without intervals.
 */
export class CountTimesAccumulator implements Accumulator {
  readonly #table = new BucketTable(['c', 'ts', 'ta', 'tz', 'ic', 'il', 'iu', 'iq']);

  addRaw(runs: Runs, { timestamps }: RawRows): void {
    const {
      count: runCount,
      ends,
      firstRow,
      isContinued,
      bucketStartsMs,
      stepMs,
      isPeriodic,
    } = runs;
    const table = this.#table;
    table.reserve(firstRow + runCount);
    const { cells, stride } = table;
    const stepSeconds = stepMs / 1000;
    // Of whole seconds the squares are whole numbers, too.
    const isRegular = Number.isInteger(stepSeconds);
    let row = 0;
    for (let run = 0; run < runCount; run++) {
      const to = ends[run]!;
      const startMs = bucketStartsMs[firstRow + run]!;
      const c = table.firstCell + firstRow + run;
      const ts = c + stride;
      const ta = ts + stride;
      const tz = ta + stride;
      const ic = tz + stride;
      const il = ic + stride;
      const iu = il + stride;
      const iq = iu + stride;
      let count = to - row;
      let offsetMs = timestamps[row]! - startMs;
      let offsetSum = offsetMs;
      let intervalCount = count - 1;
      let minSeconds = Number.POSITIVE_INFINITY;
      let maxSeconds = Number.NEGATIVE_INFINITY;
      let squares = 0;
      if (run === 0 && isContinued) {
        const seconds = (offsetMs - cells[tz]!) / 1000;
        const hasInterval = cells[ic]! > 0;
        minSeconds = hasInterval && cells[il]! < seconds ? cells[il]! : seconds;
        maxSeconds = hasInterval && cells[iu]! > seconds ? cells[iu]! : seconds;
        squares = cells[iq]! + seconds * seconds;
        offsetSum += cells[ts]!;
        intervalCount += cells[ic]! + 1;
        count += cells[c]!;
      } else {
        cells[ta] = offsetMs;
      }
      row++;
      const restCount = to - row;
      if (isRegular && restCount > 0) {
        offsetSum += restCount * offsetMs + (stepMs * restCount * (restCount + 1)) / 2;
        offsetMs += restCount * stepMs;
        if (stepSeconds < minSeconds) minSeconds = stepSeconds;
        if (stepSeconds > maxSeconds) maxSeconds = stepSeconds;
        squares += restCount * stepSeconds * stepSeconds;
        row = to;
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
      cells[c] = count;
      cells[ts] = offsetSum;
      cells[tz] = offsetMs;
      cells[ic] = intervalCount;
      cells[il] = intervalCount === 0 ? Number.NaN : minSeconds;
      cells[iu] = intervalCount === 0 ? Number.NaN : maxSeconds;
      cells[iq] = squares;
      if (run === 1 && isPeriodic && runCount > 3) {
        // The last one may be short.
        run = runCount - 2;
        row = ends[run]!;
        table.repeat(firstRow + 1, firstRow + run);
      }
    }
  }

  addStates(runs: Runs, { timestamps, columns }: StateRows): void {
    const { count: runCount, ends, firstRow, isContinued, bucketStartsMs } = runs;
    const table = this.#table;
    table.reserve(firstRow + runCount);
    const { cells, stride } = table;
    const rows = columns as unknown as CountTimeColumns;
    let row = 0;
    for (let run = 0; run < runCount; run++) {
      const startMs = bucketStartsMs[firstRow + run]!;
      const c = table.firstCell + firstRow + run;
      const ts = c + stride;
      const ta = ts + stride;
      const tz = ta + stride;
      const ic = tz + stride;
      const il = ic + stride;
      const iu = il + stride;
      const iq = iu + stride;
      const isBegun = run === 0 && isContinued;
      let count = isBegun ? cells[c]! : 0;
      let lastMs = isBegun ? cells[tz]! : Number.NaN;
      let offsetSum = isBegun ? cells[ts]! : 0;
      let intervalCount = isBegun ? cells[ic]! : 0;
      let minSeconds = intervalCount > 0 ? cells[il]! : Number.POSITIVE_INFINITY;
      let maxSeconds = intervalCount > 0 ? cells[iu]! : Number.NEGATIVE_INFINITY;
      let squares = isBegun ? cells[iq]! : 0;
      for (const to = ends[run]!; row < to; row++) {
        // From the start of the coarser bucket to that of the finer one.
        const baseMs = timestamps[row]! - startMs;
        const firstMs = baseMs + rows.ta[row]!;
        if (Number.isNaN(lastMs)) {
          cells[ta] = firstMs;
        } else {
          const seconds = (firstMs - lastMs) / 1000;
          intervalCount++;
          if (seconds < minSeconds) minSeconds = seconds;
          if (seconds > maxSeconds) maxSeconds = seconds;
          squares += seconds * seconds;
        }
        const rowCount = rows.c[row]!;
        count += rowCount;
        lastMs = baseMs + rows.tz[row]!;
        offsetSum += rowCount * baseMs + rows.ts[row]!;
        intervalCount += rows.ic[row]!;
        // Comparing with NaN, in a row without intervals, is false.
        if (rows.il[row]! < minSeconds) minSeconds = rows.il[row]!;
        if (rows.iu[row]! > maxSeconds) maxSeconds = rows.iu[row]!;
        squares += rows.iq[row]!;
      }
      cells[c] = count;
      cells[ts] = offsetSum;
      cells[tz] = lastMs;
      cells[ic] = intervalCount;
      cells[il] = intervalCount === 0 ? Number.NaN : minSeconds;
      cells[iu] = intervalCount === 0 ? Number.NaN : maxSeconds;
      cells[iq] = squares;
    }
  }

  take(rowCount: number, columns: Record<string, Column>): void {
    this.#table.take(rowCount, columns);
  }
}
