import type { Column, Columns } from '../../model/block.ts';

/**
 * Consecutive rows cut where the bucket changes. Run i has the rows `[ends[i - 1], ends[i])` of the input
 * (from 0 for the first) and goes to the output row `firstRow + i`; the first may go on with a row that
 * earlier input began.
 */
export interface Runs {
  readonly count: number;
  /** May be longer than `count`. */
  readonly ends: Int32Array;
  readonly firstRow: number;
  /** Bucket starts by output row. May be longer than the rows. */
  readonly bucketStartsMs: Float64Array;
}

/** Datapoints that are not null. */
export interface RawRows {
  readonly timestamps: Float64Array;
  /** Float64 values of a plain numeric stream, JSON of a nominal or graph one. */
  readonly values: Column;
}

/**
 * Bucket states of a finer level, or datapoints each as a state of its own that starts at its instant.
 * Numbers stand in `Float64Array`s, NaN is null.
 */
export interface StateRows {
  readonly timestamps: Float64Array;
  readonly columns: Columns;
}

/**
 * Keeps some component columns of the buckets being filled. Takes whole runs, and goes over rows strictly
 * one after the other: the result must not depend on how rows were cut into calls.
 */
export interface Accumulator {
  addRaw(runs: Runs, rows: RawRows): void;
  addStates(runs: Runs, rows: StateRows): void;
  /** Takes the first rows out, by component; the ones after it move up. */
  take(rowCount: number): Columns;
}
