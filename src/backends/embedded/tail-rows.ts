import { assert } from '../../model/assert.ts';
import { type Block, type Column, lowerBound, VALUE_COLUMN } from '../../model/block.ts';
import type { TimeRange } from '../../model/time-range.ts';
import { PackedRows } from './packed-rows.ts';
import { uniformCell } from './uniform-cell.ts';

const CAPACITY_MIN = 8;
type Columns = Map<string, Float64Array | unknown[] | number>;
const NO_TIMESTAMPS: Float64Array = new Float64Array(0);
/** Never written to. */
const NO_COLUMNS: Columns = new Map();

/**
 * Ascending rows of one level of one stream in arrays of their own. They grow in place, at the end
 * only, so that blocks handed out earlier stay as they were.
 */
export class TailRows {
  /** All of the rows, while they came together: most levels that are computed at once get no more. */
  #packed: PackedRows | null = null;
  #rowCount = 0;
  #timestamps: Float64Array = NO_TIMESTAMPS;
  /** A number is every cell of its column: so are the counts and sums of most buckets. */
  #columns: Columns = NO_COLUMNS;
  /** The column `v` while it is the only one and holds numbers: the way of nearly every raw row. */
  #values: Float64Array | null = null;

  get rowCount(): number {
    return this.#packed?.rowCount ?? this.#rowCount;
  }

  get firstMs(): number {
    assert(this.rowCount > 0, 'rows that are asked for the first one are there');
    return this.#packed?.firstMs ?? this.#timestamps[0]!;
  }

  get lastMs(): number {
    assert(this.rowCount > 0, 'rows that are asked for the last one are there');
    return this.#packed?.lastMs ?? this.#timestamps[this.#rowCount - 1]!;
  }

  /** Adds a raw numeric row. */
  push(timestampMs: number, value: number): void {
    this.#unpack();
    const row = this.#rowCount;
    if (row === 0) this.#startWithValues();
    if (this.#values === null) {
      this.append({
        timestamps: Float64Array.of(timestampMs),
        columns: { [VALUE_COLUMN]: Float64Array.of(value) },
      });
      return;
    }
    if (row === this.#timestamps.length) this.#reserve(row + 1);
    this.#timestamps[row] = timestampMs;
    this.#values[row] = value;
    this.#rowCount = row + 1;
  }

  /** Adds rows, by copy. A column that the block or these rows lack is null in its rows. */
  append(block: Block): void {
    if (this.rowCount === 0) {
      this.#packed = PackedRows.of(block);
      if (this.#packed !== null) return;
    }
    this.#unpack();
    this.#appendLoose(block);
  }

  #appendLoose(block: Block): void {
    if (this.#columns === NO_COLUMNS) this.#columns = new Map();
    const from = this.#rowCount;
    const to = from + block.timestamps.length;
    this.#reserve(to);
    this.#timestamps.set(block.timestamps, from);
    for (const [name, column] of Object.entries(block.columns)) {
      this.#columns.set(name, this.#extend(name, column, from));
    }
    for (const [name, column] of this.#columns) {
      if (Object.hasOwn(block.columns, name)) continue;
      if (typeof column === 'number') {
        this.#columns.set(name, this.#spread(column, from).fill(Number.NaN, from, to));
      } else if (column instanceof Float64Array) {
        column.fill(Number.NaN, from, to);
      } else {
        for (let row = from; row < to; row++) column.push(null);
      }
    }
    this.#rowCount = to;
    this.#noteValues();
  }

  /**
   * The rows in the range, all without one, sharing memory where they are numbers; with the named
   * columns, all without names.
   */
  block({
    range,
    names,
  }: {
    readonly range?: TimeRange;
    readonly names?: readonly string[] | undefined;
  } = {}): Block {
    if (this.#packed !== null) return this.#packed.block(range, names);
    const all = this.#timestamps.subarray(0, this.#rowCount);
    const from = range === undefined ? 0 : lowerBound(all, range.startMs);
    const to = range === undefined ? this.#rowCount : lowerBound(all, range.endMs);
    const columns: Record<string, Column> = {};
    for (const [name, column] of this.#columns) {
      if (names !== undefined && !names.includes(name)) continue;
      if (typeof column === 'number') columns[name] = new Float64Array(to - from).fill(column);
      else if (column instanceof Float64Array) columns[name] = column.subarray(from, to);
      else columns[name] = column.slice(from, to);
    }
    return { timestamps: all.subarray(from, to), columns };
  }

  /** An array for a column whose cells, so many, were the same so far. */
  #spread(cell: number, rowCount: number): Float64Array {
    return new Float64Array(this.#timestamps.length).fill(cell, 0, rowCount);
  }

  /** More rows came. */
  #unpack(): void {
    const packed = this.#packed;
    if (packed === null) return;
    this.#packed = null;
    this.#appendLoose(packed.block());
  }

  #startWithValues(): void {
    this.#timestamps = new Float64Array(CAPACITY_MIN);
    this.#columns = new Map();
    this.#columns.set(VALUE_COLUMN, new Float64Array(this.#timestamps.length));
    this.#noteValues();
  }

  #noteValues(): void {
    const column = this.#columns.size === 1 ? this.#columns.get(VALUE_COLUMN) : undefined;
    this.#values = column instanceof Float64Array ? column : null;
  }

  #reserve(rowCount: number): void {
    if (rowCount <= this.#timestamps.length) return;
    const capacity = Math.max(rowCount, this.#timestamps.length * 2, CAPACITY_MIN);
    this.#timestamps = grown(this.#timestamps, capacity);
    for (const [name, column] of this.#columns) {
      if (column instanceof Float64Array) this.#columns.set(name, grown(column, capacity));
    }
    this.#noteValues();
  }

  #extend(name: string, column: Column, from: number): Float64Array | unknown[] | number {
    const known = this.#columns.get(name);
    if (column instanceof Float64Array && (typeof known === 'number' || from === 0)) {
      // Raw rows mostly grow one by one, and are seldom all the same.
      const cell = name === VALUE_COLUMN ? null : uniformCell(column);
      if (cell !== null && (from === 0 || Object.is(cell, known))) return cell;
    }
    const present = typeof known === 'number' ? this.#spread(known, from) : known;
    if (
      column instanceof Float64Array &&
      (present === undefined || present instanceof Float64Array)
    ) {
      const values = present ?? new Float64Array(this.#timestamps.length).fill(Number.NaN, 0, from);
      values.set(column, from);
      return values;
    }
    const values = jsonValues(present, from);
    if (column instanceof Float64Array) {
      for (const value of column) values.push(Number.isNaN(value) ? null : value);
    } else {
      for (const value of column) values.push(ownJson(value));
    }
    return values;
  }
}

function grown(values: Float64Array, capacity: number): Float64Array {
  const result = new Float64Array(capacity);
  result.set(values);
  return result;
}

function jsonValues(present: Float64Array | unknown[] | undefined, rowCount: number): unknown[] {
  if (present === undefined) return new Array(rowCount).fill(null);
  if (!(present instanceof Float64Array)) return present;
  return Array.from(present.subarray(0, rowCount), (value) => (Number.isNaN(value) ? null : value));
}

/**
 * Rows outlive their commit: what the caller does to an object later must not change what is read.
 */
function ownJson(value: unknown): unknown {
  if (value === undefined) return null;
  return typeof value === 'object' && value !== null ? JSON.parse(JSON.stringify(value)) : value;
}
