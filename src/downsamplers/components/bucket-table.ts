import type { Column } from '../../model/block.ts';
import { allocateColumn } from './column-memory.ts';

const NO_CELLS: Float64Array = new Float64Array(0);

/**
 * Rows of a few float64 columns in one piece of memory, which grows by doubling. Column i of row j stands in
 * `cells[firstCell + j + i * stride]`.
 */
export class BucketTable {
  /** With `stride` and `firstCell`, replaced by `reserve` and `take`: do not keep it. */
  cells: Float64Array = NO_CELLS;
  /** Cells from a row of one column to the same row of the next. */
  stride = 0;
  /** The cell of the first column in the first row. */
  firstCell = 0;
  readonly #names: readonly string[];
  #rowCount = 0;

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** Makes rows up to `rowCount`, the content of new ones undefined. */
  reserve(rowCount: number): void {
    if (this.firstCell + rowCount > this.stride) this.#grow(rowCount);
    if (rowCount > this.#rowCount) this.#rowCount = rowCount;
  }

  /** Copies a row to all after it up to the row `lastRow`. */
  repeat(row: number, lastRow: number): void {
    const { cells, stride } = this;
    let cell = this.firstCell + row;
    const rowCount = lastRow - row;
    for (let column = 0; column < this.#names.length; column++, cell += stride) {
      cells.fill(cells[cell]!, cell + 1, cell + 1 + rowCount);
    }
  }

  /** Takes the first rows out, into the columns by name; the ones after them become the first. */
  take(rowCount: number, columns: Record<string, Column>): void {
    const { cells, stride, firstCell } = this;
    const { buffer } = cells;
    const strideBytes = stride * Float64Array.BYTES_PER_ELEMENT;
    let offsetBytes = cells.byteOffset + firstCell * Float64Array.BYTES_PER_ELEMENT;
    for (const name of this.#names) {
      // No copy: these cells are not written any more.
      columns[name] = new Float64Array(buffer, offsetBytes, rowCount);
      offsetBytes += strideBytes;
    }
    this.#rowCount -= rowCount;
    this.firstCell += rowCount;
  }

  #grow(rowCount: number): void {
    const { cells, stride, firstCell } = this;
    // What is left of a table that was emptied says nothing of how much the next rows want.
    const longer = this.#rowCount === 0 ? rowCount : Math.max(rowCount, this.#rowCount * 2);
    const grown = allocateColumn(longer * this.#names.length);
    // Mostly there is the one open bucket: a call for each column would cost more than its cell.
    for (let column = 0; column < this.#names.length; column++) {
      const from = firstCell + column * stride;
      const to = column * longer;
      for (let row = 0; row < this.#rowCount; row++) grown[to + row] = cells[from + row]!;
    }
    this.cells = grown;
    this.stride = longer;
    this.firstCell = 0;
  }
}
