import { allocateColumn } from './column-memory.ts';

const NO_VALUES: Float64Array = new Float64Array(0);

/** Float64 column that grows by doubling. */
export class GrowableColumn {
  /** Longer than the rows. Replaced when it grows, and by `take`: do not keep it. */
  values: Float64Array = NO_VALUES;
  #length = 0;

  /** Makes rows up to `rowCount`, the new ones filled with `initial`, and returns `values`. */
  extend(rowCount: number, initial: number): Float64Array {
    const before = this.#length;
    this.reserve(rowCount);
    if (rowCount > before) this.values.fill(initial, before, rowCount);
    return this.values;
  }

  /** As `extend`, for a caller that sets every new row itself. */
  reserve(rowCount: number): Float64Array {
    if (rowCount > this.values.length) this.grow(rowCount);
    if (rowCount > this.#length) this.#length = rowCount;
    return this.values;
  }

  /** Makes room for `rowCount` rows without making them, and returns `values`. */
  grow(rowCount: number): Float64Array {
    if (rowCount <= this.values.length) return this.values;
    const values = allocateColumn(Math.max(rowCount, this.values.length * 2));
    if (this.#length > 0) values.set(this.values.subarray(0, this.#length));
    this.values = values;
    return values;
  }

  /** Takes the first rows out; the ones after them move up. */
  take(rowCount: number): Float64Array {
    if (rowCount === this.#length) return this.#takeAll();
    const taken = this.values.slice(0, rowCount);
    this.values.copyWithin(0, rowCount, this.#length);
    this.#length -= rowCount;
    return taken;
  }

  /** Hands over the memory itself, which is seldom much longer than its rows. */
  #takeAll(): Float64Array {
    const { values } = this;
    const taken = values.length === this.#length ? values : values.subarray(0, this.#length);
    this.values = NO_VALUES;
    this.#length = 0;
    return taken;
  }
}
