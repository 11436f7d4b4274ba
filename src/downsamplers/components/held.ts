import type { Column } from '../../model/block.ts';
import type { Accumulator, RawRows, Runs, StateRows } from './accumulator.ts';
import { BucketTable } from './bucket-table.ts';

interface HeldColumns {
  readonly z: Float64Array;
  readonly ta: Float64Array;
  readonly tz: Float64Array;
  readonly ar: Float64Array;
  readonly hd: Float64Array;
}

/**
 * Keeps `ar` and `hd`: of the values of a bucket, each held until the next datapoint of it but no longer than the
 * heartbeat, the sum of value times seconds, and of the milliseconds. Of the last datapoint nothing is in them.
 */
export class HeldAccumulator implements Accumulator {
  /** With the last datapoint of each bucket, to go on from. */
  readonly #table = new BucketTable(['ar', 'hd', 'lastMs', 'last']);
  readonly #heartbeatMs: number;

  constructor(heartbeatMs: number) {
    this.#heartbeatMs = heartbeatMs;
  }

  addRaw(runs: Runs, { timestamps, values }: RawRows): void {
    this.#add(runs, {
      isContinued: runs.isContinued,
      firstMs: (row) => timestamps[row]!,
      lastMs: (row) => timestamps[row]!,
      last: values as Float64Array,
      inside: null,
    });
  }

  addStates(runs: Runs, { timestamps, columns }: StateRows): void {
    const { z, ta, tz, ar, hd } = columns as unknown as HeldColumns;
    this.#add(runs, {
      isContinued: runs.isContinued,
      firstMs: (row) => timestamps[row]! + ta[row]!,
      lastMs: (row) => timestamps[row]! + tz[row]!,
      last: z,
      inside: { ar, hd },
    });
  }

  take(rowCount: number, columns: Record<string, Column>): void {
    const taken: Record<string, Column> = {};
    this.#table.take(rowCount, taken);
    columns['ar'] = taken['ar']!;
    columns['hd'] = taken['hd']!;
  }

  #add({ count: runCount, ends, firstRow }: Runs, rows: HeldRows): void {
    const table = this.#table;
    table.reserve(firstRow + runCount);
    const { cells, stride } = table;
    const heartbeatMs = this.#heartbeatMs;
    let row = 0;
    for (let run = 0; run < runCount; run++) {
      const ar = table.firstCell + firstRow + run;
      const hd = ar + stride;
      const lastMs = hd + stride;
      const last = lastMs + stride;
      if (run > 0 || !rows.isContinued) {
        cells[ar] = 0;
        cells[hd] = 0;
        cells[lastMs] = Number.NaN;
      }
      for (const to = ends[run]!; row < to; row++) {
        if (!Number.isNaN(cells[lastMs])) {
          const durationMs = Math.min(rows.firstMs(row) - cells[lastMs]!, heartbeatMs);
          cells[ar]! += cells[last]! * (durationMs / 1000);
          cells[hd]! += durationMs;
        }
        if (rows.inside !== null) {
          cells[ar]! += rows.inside.ar[row]!;
          cells[hd]! += rows.inside.hd[row]!;
        }
        cells[lastMs] = rows.lastMs(row);
        cells[last] = rows.last[row]!;
      }
    }
  }
}

/** Datapoints, or states of finer buckets. */
interface HeldRows {
  /** Whether the first run goes on with a bucket that earlier input began. */
  readonly isContinued: boolean;
  firstMs(row: number): number;
  lastMs(row: number): number;
  readonly last: Float64Array;
  /** Null for single datapoints. */
  readonly inside: { readonly ar: Float64Array; readonly hd: Float64Array } | null;
}
