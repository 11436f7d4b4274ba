/**
 * Columns of one length that lie one after the other in one buffer: with few rows, allocating a buffer
 * for each would take longer than decoding them.
 */
export class ColumnPool {
  readonly #buffer: ArrayBuffer;
  readonly #rowCount: number;
  #offset = 0;

  constructor(columnCount: number, rowCount: number) {
    this.#buffer = new ArrayBuffer(columnCount * rowCount * Float64Array.BYTES_PER_ELEMENT);
    this.#rowCount = rowCount;
  }

  /** The next column, all zeros. There are as many as were asked for. */
  take(): Float64Array {
    const column = new Float64Array(this.#buffer, this.#offset, this.#rowCount);
    this.#offset += column.byteLength;
    return column;
  }
}
