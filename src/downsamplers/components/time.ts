import type { Columns } from '../../model/block.ts';
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
 * whatever order buckets were merged.
 */
export class TimeAccumulator implements Accumulator {
  readonly #offsetSum = new GrowableColumn();
  readonly #first = new GrowableColumn();
  readonly #last = new GrowableColumn();
  readonly #intervalCount = new GrowableColumn();
  readonly #intervalMin = new GrowableColumn();
  readonly #intervalMax = new GrowableColumn();
  readonly #intervalSquares = new GrowableColumn();

  addRaw(runs: Runs, { timestamps }: RawRows): void {
    const { ts, ta, tz, ic, il, iu, iq } = this.#extend(runs.firstRow + runs.count);
    let from = 0;
    for (let run = 0; run < runs.count; run++) {
      const to = runs.ends[run]!;
      const at = runs.firstRow + run;
      const startMs = runs.bucketStartsMs[at]!;
      let row = from;
      let offsetMs = tz[at]!;
      let offsetSum = ts[at]!;
      // A bucket that has no datapoint yet has no last one, from which to measure the first interval.
      if (Number.isNaN(offsetMs)) {
        offsetMs = timestamps[row]! - startMs;
        offsetSum += offsetMs;
        ta[at] = offsetMs;
        row++;
      }
      ic[at]! += to - row;
      let minSeconds = il[at]!;
      let maxSeconds = iu[at]!;
      let squares = iq[at]!;
      for (; row < to; row++) {
        const nextMs = timestamps[row]! - startMs;
        const seconds = (nextMs - offsetMs) / 1000;
        offsetMs = nextMs;
        offsetSum += nextMs;
        if (seconds < minSeconds) minSeconds = seconds;
        if (seconds > maxSeconds) maxSeconds = seconds;
        squares += seconds * seconds;
      }
      ts[at] = offsetSum;
      tz[at] = offsetMs;
      il[at] = minSeconds;
      iu[at] = maxSeconds;
      iq[at] = squares;
      from = to;
    }
  }

  addStates(runs: Runs, { timestamps, columns }: StateRows): void {
    const out = this.#extend(runs.firstRow + runs.count);
    const rows = columns as unknown as TimeColumns;
    const counts = columns['c'] as Float64Array;
    let from = 0;
    for (let run = 0; run < runs.count; run++) {
      const to = runs.ends[run]!;
      const at = runs.firstRow + run;
      const startMs = runs.bucketStartsMs[at]!;
      for (let row = from; row < to; row++) {
        const baseMs = timestamps[row]! - startMs;
        mergeRow(out, at, { rows, row, baseMs, count: counts[row]! });
      }
      from = to;
    }
  }

  take(rowCount: number): Columns {
    return {
      ts: this.#offsetSum.take(rowCount),
      ta: this.#first.take(rowCount),
      tz: this.#last.take(rowCount),
      ic: this.#intervalCount.take(rowCount),
      il: nullInfinite(this.#intervalMin.take(rowCount)),
      iu: nullInfinite(this.#intervalMax.take(rowCount)),
      iq: this.#intervalSquares.take(rowCount),
    };
  }

  #extend(rowCount: number): TimeColumns {
    return {
      ts: this.#offsetSum.extend(rowCount, 0),
      ta: this.#first.extend(rowCount, Number.NaN),
      tz: this.#last.extend(rowCount, Number.NaN),
      ic: this.#intervalCount.extend(rowCount, 0),
      il: this.#intervalMin.extend(rowCount, Number.POSITIVE_INFINITY),
      iu: this.#intervalMax.extend(rowCount, Number.NEGATIVE_INFINITY),
      iq: this.#intervalSquares.extend(rowCount, 0),
    };
  }
}

function mergeRow(
  out: TimeColumns,
  at: number,
  {
    rows,
    row,
    baseMs,
    count,
  }: {
    readonly rows: TimeColumns;
    readonly row: number;
    /** From the start of the coarser bucket to that of the finer one. */
    readonly baseMs: number;
    readonly count: number;
  },
): void {
  const firstMs = baseMs + rows.ta[row]!;
  const lastMs = out.tz[at]!;
  if (Number.isNaN(lastMs)) {
    out.ta[at] = firstMs;
  } else {
    const seconds = (firstMs - lastMs) / 1000;
    out.ic[at]! += 1;
    if (seconds < out.il[at]!) out.il[at] = seconds;
    if (seconds > out.iu[at]!) out.iu[at] = seconds;
    out.iq[at]! += seconds * seconds;
  }
  out.tz[at] = baseMs + rows.tz[row]!;
  out.ts[at]! += count * baseMs + rows.ts[row]!;
  out.ic[at]! += rows.ic[row]!;
  // Comparing with NaN, in a row without intervals, is false.
  if (rows.il[row]! < out.il[at]!) out.il[at] = rows.il[row]!;
  if (rows.iu[row]! > out.iu[at]!) out.iu[at] = rows.iu[row]!;
  out.iq[at]! += rows.iq[row]!;
}

function nullInfinite(column: Float64Array): Float64Array {
  for (let row = 0; row < column.length; row++) {
    if (!Number.isFinite(column[row]!)) column[row] = Number.NaN;
  }
  return column;
}
