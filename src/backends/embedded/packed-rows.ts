import { type Block, type Column, lowerBound } from '../../model/block.ts';
import type { TimeRange } from '../../model/time-range.ts';
import { uniformCell } from './uniform-cell.ts';

/** So many columns have a bit each of a small integer. */
const COLUMN_COUNT_MAX = 30;

/** Most blocks have the same columns as the one before: their names are kept once. */
let recentNames: readonly string[] = [];

/**
 * Rows of numbers that came together, all in one array: an array for each column of each level of
 * many streams would take several times the memory of the cells.
 */
export class PackedRows {
  readonly rowCount: number;
  readonly #names: readonly string[];
  /** Bit i: the column i has one cell, which is that of every row. */
  readonly #uniform: number;
  /** The timestamps, then the cells of one column after the other. */
  readonly #cells: Float64Array;

  private constructor(block: Block, names: readonly string[]) {
    const { timestamps } = block;
    const { length } = timestamps;
    const columns = names.map((name) => block.columns[name] as Float64Array);
    let uniform = 0;
    let cellCount = length;
    for (const [i, column] of columns.entries()) {
      const isUniform = uniformCell(column) !== null;
      if (isUniform) uniform |= 1 << i;
      cellCount += isUniform ? 1 : length;
    }
    const cells = new Float64Array(cellCount);
    cells.set(timestamps);
    let at = length;
    for (const [i, column] of columns.entries()) {
      const isUniform = (uniform & (1 << i)) !== 0;
      cells.set(isUniform ? column.subarray(0, 1) : column, at);
      at += isUniform ? 1 : length;
    }
    this.rowCount = length;
    this.#names = names;
    this.#uniform = uniform;
    this.#cells = cells;
  }

  /** By copy; null of rows that have other columns than a few with numbers. */
  static of(block: Block): PackedRows | null {
    const columns = Object.values(block.columns);
    if (block.timestamps.length === 0 || columns.length > COLUMN_COUNT_MAX) return null;
    if (!columns.every((column) => column instanceof Float64Array)) return null;
    return new PackedRows(block, sharedNames(Object.keys(block.columns)));
  }

  get firstMs(): number {
    return this.#cells[0]!;
  }

  get lastMs(): number {
    return this.#cells[this.rowCount - 1]!;
  }

  /** As `TailRows.block`. */
  block(range?: TimeRange, wanted?: readonly string[]): Block {
    const { rowCount } = this;
    const all = this.#cells.subarray(0, rowCount);
    const from = range === undefined ? 0 : lowerBound(all, range.startMs);
    const to = range === undefined ? rowCount : lowerBound(all, range.endMs);
    const columns: Record<string, Column> = {};
    let at = rowCount;
    for (const [i, name] of this.#names.entries()) {
      const isUniform = (this.#uniform & (1 << i)) !== 0;
      if (wanted === undefined || wanted.includes(name)) {
        columns[name] = isUniform
          ? new Float64Array(to - from).fill(this.#cells[at]!)
          : this.#cells.subarray(at + from, at + to);
      }
      at += isUniform ? 1 : rowCount;
    }
    return { timestamps: all.subarray(from, to), columns };
  }
}

function sharedNames(names: readonly string[]): readonly string[] {
  const isSame =
    names.length === recentNames.length && names.every((name, i) => name === recentNames[i]);
  if (!isSame) recentNames = names;
  return recentNames;
}
