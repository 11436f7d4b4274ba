import { assert } from '../model/assert.ts';
import {
  type Block,
  type Column,
  type Columns,
  EMPTY_BLOCK,
  VALUE_COLUMN,
} from '../model/block.ts';
import type { Granularity } from '../model/granularity.ts';
import type { Accumulator, Runs, StateRows } from './components/accumulator.ts';
import { createAccumulators } from './components/create.ts';
import { GrowableColumn } from './components/growable-column.ts';
import { floats } from './downsampler.ts';
import type { LevelSchema } from './level-schema.ts';
import { liftRows, presentRows } from './lift.ts';

/**
 * Folds ascending rows into bucket states of one coarser level. Feed consecutive blocks, either raw ones or
 * states of one finer level. The result depends only on the sequence of rows, to the bit, and never on how
 * they were cut into blocks. Buckets without data give no row. Blocks are read, not kept.
 */
export class Fold {
  readonly #schema: LevelSchema;
  readonly #granularity: Granularity;
  readonly #accumulators: readonly Accumulator[];
  /** Starts of the buckets that have data so far; the last one is open. */
  readonly #bucketStartsMs = new GrowableColumn();
  #rowCount = 0;
  #ends: Int32Array = new Int32Array(64);

  constructor(schema: LevelSchema, granularity: Granularity) {
    assert(!schema.isEmpty, 'a stream without value downsamplers has no levels');
    this.#schema = schema;
    this.#granularity = granularity;
    this.#accumulators = createAccumulators(schema.columns, schema);
  }

  /** Rows that `takeClosed` would give. */
  get closedRowCount(): number {
    return Math.max(0, this.#rowCount - 1);
  }

  /** Adds raw datapoints: `v` in float64 or in stored form, nulls are skipped. */
  addRaw(block: Block): void {
    if (block.timestamps.length === 0) return;
    const isFloat = block.columns[VALUE_COLUMN] instanceof Float64Array;
    if (this.#schema.isDecimal || (this.#schema.isNumeric && !isFloat)) {
      this.#addStates(liftRows(block, this.#schema));
      return;
    }
    const rows = presentRows(block);
    const runs = this.#cutRuns(rows.timestamps);
    for (const accumulator of this.#accumulators) accumulator.addRaw(runs, rows);
  }

  /** Adds bucket states of a finer level, as another fold gave them. */
  addStates(block: Block): void {
    if (block.timestamps.length === 0) return;
    const columns: Record<string, Column> = {};
    for (const name of this.#schema.columns) {
      columns[name] = this.#schema.isJson(name)
        ? block.columns[name]!
        : floats(block.columns, name);
    }
    this.#addStates({ timestamps: block.timestamps, columns });
  }

  /** Takes out the buckets that are closed, since a row after them was fed. May be empty. */
  takeClosed(): Block {
    return this.#take(this.closedRowCount);
  }

  /** Closes the open bucket too, and takes out all that is left. */
  finish(): Block {
    return this.#take(this.#rowCount);
  }

  #addStates(rows: StateRows): void {
    const runs = this.#cutRuns(rows.timestamps);
    for (const accumulator of this.#accumulators) accumulator.addStates(runs, rows);
  }

  #take(rowCount: number): Block {
    if (rowCount === 0) return EMPTY_BLOCK;
    this.#rowCount -= rowCount;
    const timestamps = this.#bucketStartsMs.take(rowCount);
    const taken: Columns = Object.assign(
      {},
      ...this.#accumulators.map((accumulator) => accumulator.take(rowCount)),
    );
    const columns = Object.fromEntries(this.#schema.columns.map((name) => [name, taken[name]!]));
    return { timestamps, columns };
  }

  #cutRuns(timestamps: Float64Array): Runs {
    const { durationMs } = this.#granularity;
    let endMs = Number.NEGATIVE_INFINITY;
    if (this.#rowCount > 0) {
      const openMs = this.#bucketStartsMs.values[this.#rowCount - 1]!;
      assert(!(timestamps[0]! < openMs), 'rows are fed in ascending order');
      endMs = openMs + durationMs;
    }
    const isContinued = timestamps.length > 0 && timestamps[0]! < endMs;
    const firstRow = isContinued ? this.#rowCount - 1 : this.#rowCount;
    // No more runs than rows, and the continued one.
    if (this.#ends.length <= timestamps.length) this.#ends = new Int32Array(timestamps.length + 1);
    const ends = this.#ends;
    let count = isContinued ? 1 : 0;
    for (let row = 0; row < timestamps.length; row++) {
      const timestampMs = timestamps[row]!;
      if (timestampMs < endMs) continue;
      if (count > 0) ends[count - 1] = row;
      const startMs = Math.floor(timestampMs / durationMs) * durationMs;
      this.#bucketStartsMs.push(startMs);
      endMs = startMs + durationMs;
      count++;
    }
    if (count > 0) ends[count - 1] = timestamps.length;
    this.#rowCount = firstRow + count;
    return { count, ends, firstRow, bucketStartsMs: this.#bucketStartsMs.values };
  }
}
