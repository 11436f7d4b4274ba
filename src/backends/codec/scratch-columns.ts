const MINIMUM_ROW_COUNT = 1024;

/** A column of working memory that encoders share between calls: never held across one. */
export class ScratchColumn {
  #values: Float64Array = new Float64Array(MINIMUM_ROW_COUNT);

  /** At least `rowCount` rows of unspecified content. */
  ensure(rowCount: number): Float64Array {
    if (this.#values.length < rowCount) this.#values = new Float64Array(2 * rowCount);
    return this.#values;
  }
}
