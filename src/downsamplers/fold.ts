import { assert } from '../model/assert.ts';
import { type Block, type Column, EMPTY_BLOCK, VALUE_COLUMN } from '../model/block.ts';
import { bucketEndMs, bucketStartMs, type Granularity } from '../model/granularity.ts';
import type { Accumulator, RawRows, Runs, StateRows } from './components/accumulator.ts';
import { createAccumulators } from './components/create.ts';
import { GrowableColumn } from './components/growable-column.ts';
import { floats } from './downsampler.ts';
import type { LevelSchema } from './level-schema.ts';
import { liftRows, presentNumbers, presentRows } from './lift.ts';

/** Rows taken at once: few enough to stay in the cache from one accumulator to the next. */
const SLICE_ROW_COUNT = 16_384;

/**
 * Folds ascending rows into bucket states of one coarser level. Feed consecutive blocks, either raw ones or
 * states of one finer level. The result depends only on the sequence of rows, to the bit, and never on how
 * they were cut into blocks. Buckets without data give no row. Blocks are read, not kept.
 */
export class Fold {
  readonly #schema: LevelSchema;
  readonly #granularity: Granularity;
  readonly #columns: readonly string[];
  readonly #accumulators: readonly Accumulator[];
  /** Starts of the buckets that have data so far; the last one is open. */
  readonly #bucketStartsMs = new GrowableColumn();
  #rowCount = 0;

  /** @param columns those of the schema that all rows have; others are not computed. Default: all. */
  constructor(
    schema: LevelSchema,
    granularity: Granularity,
    columns: readonly string[] = schema.columns,
  ) {
    assert(!schema.isEmpty, 'a stream without value downsamplers has no levels');
    this.#schema = schema;
    this.#granularity = granularity;
    this.#columns = columns;
    this.#accumulators = createAccumulators(columns, schema);
  }

  /** Rows that `takeClosed` would give. */
  get closedRowCount(): number {
    return Math.max(0, this.#rowCount - 1);
  }

  /** Adds raw datapoints: `v` in float64 or in stored form, nulls are skipped. */
  addRaw(block: Block): void {
    const { timestamps } = block;
    const values = block.columns[VALUE_COLUMN];
    const isFloat = values instanceof Float64Array;
    if (this.#schema.isDecimal || (this.#schema.isNumeric && !isFloat)) {
      if (timestamps.length > 0) this.#addStates(liftRows(block, this.#schema));
      return;
    }
    if (timestamps.length <= SLICE_ROW_COUNT || !isFloat) {
      this.#addRows(presentRows(block));
      return;
    }
    for (let from = 0; from < timestamps.length; from += SLICE_ROW_COUNT) {
      const to = from + SLICE_ROW_COUNT;
      this.#addRows(presentNumbers(timestamps.subarray(from, to), values.subarray(from, to)));
    }
  }

  /** Adds bucket states of a finer level, as another fold gave them. */
  addStates(block: Block): void {
    if (block.timestamps.length === 0) return;
    this.#addStates({ timestamps: block.timestamps, columns: this.#statesOf(block) });
  }

  /** Takes out the buckets that are closed, since a row after them was fed. May be empty. */
  takeClosed(): Block {
    return this.#take(this.closedRowCount);
  }

  /** Closes the open bucket too, and takes out all that is left. */
  finish(): Block {
    return this.#take(this.#rowCount);
  }

  #addRows(rows: RawRows): void {
    if (rows.timestamps.length === 0) return;
    const runs = this.#cutRuns(rows.timestamps);
    for (const accumulator of this.#accumulators) accumulator.addRaw(runs, rows);
  }

  #addStates(rows: StateRows): void {
    if (rows.timestamps.length === 0) return;
    const runs = this.#cutRuns(rows.timestamps);
    for (const accumulator of this.#accumulators) accumulator.addStates(runs, rows);
  }

  #statesOf({ columns }: Block): StateRows['columns'] {
    const names = this.#columns;
    if (names.every((name) => columns[name] instanceof Float64Array)) return columns;
    const states: Record<string, Column> = {};
    for (const name of names) {
      states[name] = this.#schema.isJson(name) ? columns[name]! : floats(columns, name);
    }
    return states;
  }

  #take(rowCount: number): Block {
    if (rowCount === 0) return EMPTY_BLOCK;
    this.#rowCount -= rowCount;
    const timestamps = this.#bucketStartsMs.take(rowCount);
    // Copied from an object that has its keys, and in their order, it is made at once.
    const hasAll = this.#columns === this.#schema.columns;
    const columns: Record<string, Column> = hasAll ? { ...this.#schema.noRows } : {};
    for (const accumulator of this.#accumulators) accumulator.take(rowCount, columns);
    return { timestamps, columns };
  }

  #cutRuns(timestamps: Float64Array): Runs {
    const granularity = this.#granularity;
    const { durationMs } = granularity;
    const isRegular = granularity.calendar === null;
    let endMs = Number.NEGATIVE_INFINITY;
    if (this.#rowCount > 0) {
      const openMs = this.#bucketStartsMs.values[this.#rowCount - 1]!;
      assert(!(timestamps[0]! < openMs), 'rows are fed in ascending order');
      endMs = isRegular ? openMs + durationMs : bucketEndMs(openMs, granularity);
    }
    const isContinued = timestamps[0]! < endMs;
    const firstRow = isContinued ? this.#rowCount - 1 : this.#rowCount;
    const ends = scratchEnds(timestamps.length);
    const stepMs = regularStepMs(timestamps);
    const spanMs = timestamps[timestamps.length - 1]! - timestamps[0]!;
    // Of buckets that differ, any row may begin one.
    const countMax = isRegular
      ? Math.min(timestamps.length, Math.ceil(spanMs / durationMs) + 1)
      : timestamps.length;
    const startsMs = this.#bucketStartsMs.grow(this.#rowCount + countMax);
    const cut = { timestamps, granularity, ends, startsMs, from: this.#rowCount };
    // Where rows are closer together than buckets, the row after a bucket's last one follows from the step.
    const isStepped = isRegular && stepMs < durationMs;
    const count = isStepped ? cutRegular(cut, endMs, stepMs) : cutAny(cut, endMs);
    this.#rowCount = firstRow + count;
    this.#bucketStartsMs.reserve(this.#rowCount);
    const isPeriodic = isRegular && durationMs % stepMs === 0;
    return { count, ends, firstRow, isContinued, bucketStartsMs: startsMs, stepMs, isPeriodic };
  }
}

interface Cut {
  readonly timestamps: Float64Array;
  readonly granularity: Granularity;
  readonly ends: Int32Array;
  /** Takes the start of each bucket after the open one, from the row `from` on. */
  readonly startsMs: Float64Array;
  readonly from: number;
}

/** Finds the ends of the runs, the first of which belongs to the bucket up to `endMs`. Gives their number. */
function cutAny({ timestamps, granularity, ends, startsMs, from }: Cut, openEndMs: number): number {
  const { durationMs, calendar } = granularity;
  let endMs = openEndMs;
  let at = from;
  let count = timestamps[0]! < endMs ? 1 : 0;
  for (let row = 0; row < timestamps.length; row++) {
    const timestampMs = timestamps[row]!;
    if (timestampMs < endMs) continue;
    if (count > 0) ends[count - 1] = row;
    const startMs = bucketStartMs(timestampMs, granularity);
    startsMs[at++] = startMs;
    endMs = calendar === null ? startMs + durationMs : bucketEndMs(timestampMs, granularity);
    count++;
  }
  ends[count - 1] = timestamps.length;
  return count;
}

/** As `cutAny` of equally long buckets, from bucket to bucket instead of from row to row. */
function cutRegular(
  { timestamps, granularity: { durationMs }, ends, startsMs, from }: Cut,
  openEndMs: number,
  stepMs: number,
): number {
  const firstMs = timestamps[0]!;
  const rowCount = timestamps.length;
  let endMs = openEndMs;
  let at = from;
  if (firstMs >= endMs) {
    const startMs = Math.floor(firstMs / durationMs) * durationMs;
    startsMs[at++] = startMs;
    endMs = startMs + durationMs;
  }
  // Rows of one instant never leave the bucket.
  let row = Math.min(Math.ceil((endMs - firstMs) / stepMs), rowCount);
  ends[0] = row;
  let count = 1;
  // Divisions cost more than the rows of a bucket: where every bucket has as many rows, none is needed.
  const period = durationMs % stepMs === 0 ? durationMs / stepMs : Number.NaN;
  for (; row < rowCount; count++) {
    // No bucket is without a row.
    startsMs[at++] = endMs;
    endMs += durationMs;
    row = Number.isNaN(period) ? Math.ceil((endMs - firstMs) / stepMs) : row + period;
    if (row > rowCount) row = rowCount;
    ends[count] = row;
  }
  return count;
}

/** From each timestamp to the next when all are as far apart; NaN otherwise, and for a single one. */
function regularStepMs(timestamps: Float64Array): number {
  if (timestamps.length < 2) return Number.NaN;
  let previousMs = timestamps[1]!;
  const stepMs = previousMs - timestamps[0]!;
  for (let row = 2; row < timestamps.length; row++) {
    const timestampMs = timestamps[row]!;
    if (timestampMs - previousMs !== stepMs) return Number.NaN;
    previousMs = timestampMs;
  }
  return stepMs;
}

let ends: Int32Array = new Int32Array(SLICE_ROW_COUNT);

/** Room for as many ends: nobody keeps them longer than a call. */
function scratchEnds(count: number): Int32Array {
  if (ends.length < count) ends = new Int32Array(count);
  return ends;
}
