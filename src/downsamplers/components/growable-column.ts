const CAPACITY_MIN = 64;

/** Float64 column that grows by doubling. */
export class GrowableColumn {
  /** Longer than the rows. Replaced by `extend`: do not keep it. */
  values: Float64Array = new Float64Array(CAPACITY_MIN);
  #length = 0;

  /** Adds one row. */
  push(value: number): void {
    if (this.#length === this.values.length) this.#grow(this.#length + 1);
    this.values[this.#length++] = value;
  }

  /** Makes rows up to `rowCount`, the new ones filled with `initial`, and returns `values`. */
  extend(rowCount: number, initial: number): Float64Array {
    if (rowCount > this.values.length) this.#grow(rowCount);
    if (rowCount > this.#length) {
      this.values.fill(initial, this.#length, rowCount);
      this.#length = rowCount;
    }
    return this.values;
  }

  /** Takes the first rows out; the ones after them move up. */
  take(rowCount: number): Float64Array {
    const taken = this.values.slice(0, rowCount);
    this.values.copyWithin(0, rowCount, this.#length);
    this.#length -= rowCount;
    return taken;
  }

  #grow(rowCount: number): void {
    const values = new Float64Array(Math.max(rowCount, this.values.length * 2));
    values.set(this.values.subarray(0, this.#length));
    this.values = values;
  }
}
