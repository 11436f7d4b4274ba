import { assert } from '../model/assert.ts';
import { COUNT_LETTER } from '../model/value-letters.ts';
import type { LevelSchema } from './level-schema.ts';

/** Columns that depend on values; all others follow from the times of the rows. */
const VALUE_COLUMNS: readonly string[] = Object.freeze(['s', 'l', 'u', 'q']);

/** How the rows of a level become the buckets of the next coarser one. */
export interface SharedLevel {
  /** Bucket i is made of the finer rows `[ends[i - 1], ends[i])`, from 0 for the first; at least one. */
  readonly ends: Int32Array;
}

/**
 * Folds the values of many plain numeric streams that have rows at the same instants, so that where buckets
 * begin and end is found out once. The states are those of a `Fold`, to the bit. A level is a table: the
 * states of all streams in its first bucket, then those in its second one.
 */
export class SideBySideFold {
  readonly #levels: readonly SharedLevel[];
  readonly #capacity: number;
  readonly #tables: readonly ValueTable[];
  #streamCount = 0;

  /** Whether all columns of the schema follow from the times of the rows or are folded here. */
  static supports({ columns, isNumeric, isDecimal }: LevelSchema): boolean {
    return (
      isNumeric &&
      !isDecimal &&
      columns.every((name) => VALUE_COLUMNS.includes(name) || isTimeColumn(name))
    );
  }

  /**
   * @param levels from the finest on, each made of the one before it, the first one of raw rows.
   * @param capacity streams, at most.
   */
  constructor(schema: LevelSchema, levels: readonly SharedLevel[], capacity: number) {
    this.#levels = levels;
    this.#capacity = capacity;
    const hasSquares = schema.columns.includes('q');
    this.#tables = levels.map(({ ends }) => {
      return new ValueTable({ bucketCount: ends.length, capacity, hasSquares });
    });
  }

  get streamCount(): number {
    return this.#streamCount;
  }

  /** Adds the raw values of the next stream. Gives false, and adds nothing, when one of them is null. */
  add(values: Float64Array): boolean {
    assert(this.#streamCount < this.#capacity, 'there is room for the stream');
    const [finest] = this.#levels;
    const [table] = this.#tables;
    if (!table!.addValues(values, finest!.ends, this.#streamCount)) return false;
    this.#streamCount++;
    return true;
  }

  /** Folds the coarser levels, when all streams were added. */
  finish(): void {
    for (let level = 1; level < this.#levels.length; level++) {
      const table = this.#tables[level]!;
      table.addBuckets(this.#tables[level - 1]!, this.#levels[level]!.ends, this.#streamCount);
    }
  }

  /** The states of all streams in a bucket; null when the column follows from the times of the rows. */
  states(level: number, bucket: number, column: string): Float64Array | null {
    const cells = this.#tables[level]!.column(column);
    const from = bucket * this.#capacity;
    return cells?.subarray(from, from + this.#streamCount) ?? null;
  }
}

function isTimeColumn(name: string): boolean {
  return name === COUNT_LETTER || name.startsWith('t') || name.startsWith('i');
}

/** Sums, minima, maxima and, where they are wanted, sums of squares of the buckets of one level. */
class ValueTable {
  readonly #stride: number;
  readonly #sums: Float64Array;
  readonly #mins: Float64Array;
  readonly #maxs: Float64Array;
  readonly #squares: Float64Array | null;

  constructor({
    bucketCount,
    capacity,
    hasSquares,
  }: {
    bucketCount: number;
    capacity: number;
    hasSquares: boolean;
  }) {
    const cellCount = bucketCount * capacity;
    this.#stride = capacity;
    this.#sums = new Float64Array(cellCount);
    this.#mins = new Float64Array(cellCount);
    this.#maxs = new Float64Array(cellCount);
    this.#squares = hasSquares ? new Float64Array(cellCount) : null;
  }

  column(name: string): Float64Array | null {
    if (name === 's') return this.#sums;
    if (name === 'l') return this.#mins;
    if (name === 'u') return this.#maxs;
    return name === 'q' ? this.#squares : null;
  }

  /**
   * Of equal numbers the first stays the extremum: 0 and -0 are told apart by that alone. The rows of the
   * extrema are moved without branches, of which the processor could not guess one in three.
   */
  addValues(values: Float64Array, ends: Int32Array, stream: number): boolean {
    const sums = this.#sums;
    const mins = this.#mins;
    const maxs = this.#maxs;
    let cell = stream;
    let row = 0;
    for (let run = 0; run < ends.length; run++, cell += this.#stride) {
      let sum = 0 + values[row]!;
      let minRow = row;
      let maxRow = row;
      row++;
      for (const to = ends[run]!; row < to; row++) {
        const value = values[row]!;
        sum += value;
        minRow += (row - minRow) & -(value < values[minRow]!);
        maxRow += (row - maxRow) & -(value > values[maxRow]!);
      }
      if (Number.isNaN(sum)) return false;
      sums[cell] = sum;
      mins[cell] = values[minRow]!;
      maxs[cell] = values[maxRow]!;
    }
    if (this.#squares !== null)
      addSquares(values, ends, { squares: this.#squares, cell: stream, stride: this.#stride });
    return true;
  }

  addBuckets(finer: ValueTable, ends: Int32Array, streamCount: number): void {
    const fold = { ends, streamCount, stride: this.#stride };
    foldTable(this.#sums, finer.#sums, fold, addSums);
    foldTable(this.#mins, finer.#mins, fold, takeSmaller);
    foldTable(this.#maxs, finer.#maxs, fold, takeGreater);
    if (this.#squares !== null) foldTable(this.#squares, finer.#squares!, fold, addSums);
  }
}

function addSquares(
  values: Float64Array,
  ends: Int32Array,
  { squares, cell, stride }: { squares: Float64Array; cell: number; stride: number },
): void {
  let row = 0;
  for (let run = 0, at = cell; run < ends.length; run++, at += stride) {
    let sum = 0;
    for (const to = ends[run]!; row < to; row++) sum += values[row]! * values[row]!;
    squares[at] = sum;
  }
}

/** Combines the states of one bucket with those of another, stream by stream. */
type Combine = (states: Float64Array, others: Float64Array) => void;

/** Makes each bucket of the finer ones that it has: takes the first, and combines it with the rest. */
function foldTable(
  cells: Float64Array,
  finer: Float64Array,
  { ends, streamCount, stride }: { ends: Int32Array; streamCount: number; stride: number },
  combine: Combine,
): void {
  let row = 0;
  for (let bucket = 0; bucket < ends.length; bucket++) {
    const at = bucket * stride;
    const states = cells.subarray(at, at + streamCount);
    states.set(finer.subarray(row * stride, row * stride + streamCount));
    for (row++; row < ends[bucket]!; row++) {
      combine(states, finer.subarray(row * stride, row * stride + streamCount));
    }
  }
}

function addSums(states: Float64Array, others: Float64Array): void {
  for (let i = 0; i < states.length; i++) states[i]! += others[i]!;
}

function takeSmaller(states: Float64Array, others: Float64Array): void {
  for (let i = 0; i < states.length; i++) if (others[i]! < states[i]!) states[i] = others[i]!;
}

function takeGreater(states: Float64Array, others: Float64Array): void {
  for (let i = 0; i < states.length; i++) if (others[i]! > states[i]!) states[i] = others[i]!;
}
