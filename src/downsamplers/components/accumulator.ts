import type { Column } from '../../model/block.ts';

/**
 * Consecutive rows cut where the bucket changes. Run i has the rows `[ends[i - 1], ends[i])` of the input
 * (from 0 for the first), at least one, and goes to the output row `firstRow + i`. Not to be kept.
 */
export interface Runs {
  readonly count: number;
  /** May be longer than `count`. */
  readonly ends: Int32Array;
  readonly firstRow: number;
  /** Whether the first run goes on with an output row that earlier input began. */
  readonly isContinued: boolean;
  /** Bucket starts by output row. May be longer than the rows. */
  readonly bucketStartsMs: Float64Array;
  /** From each row of the input to the next, where all are as far apart; NaN otherwise. */
  readonly stepMs: number;
  /** Whether all runs but the first and the last have as many rows, at the same places in their buckets. */
  readonly isPeriodic: boolean;
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
  readonly columns: Readonly<Record<string, Column>>;
}

/**
 * Keeps some component columns of the buckets being filled. Takes whole runs, and goes over rows strictly
 * one after the other: the result must not depend on how rows were cut into calls.
 */
export interface Accumulator {
  addRaw(runs: Runs, rows: RawRows): void;
  addStates(runs: Runs, rows: StateRows): void;
  /** Takes the first rows out, into the columns by component; the ones after them move up. */
  take(rowCount: number, columns: Record<string, Column>): void;
}
