import type { Block } from '../../model/block.ts';

/** Blocks of bucket states have many columns; fewer rows keep them about as large as raw ones. */
export const NARROW_COLUMN_COUNT_MAX = 2;
const WIDE_DIVISOR = 2;

/** How many rows a new block gets, at most. */
export class BlockSizes {
  /** Of few columns, as raw rows have. */
  readonly narrow: number;

  constructor(rowCountTarget: number) {
    this.narrow = rowCountTarget;
  }

  /** Of such rows. */
  of({ columns }: Block): number {
    return this.ofColumnCount(Object.keys(columns).length);
  }

  ofColumnCount(columnCount: number): number {
    if (columnCount <= NARROW_COLUMN_COUNT_MAX) return this.narrow;
    return Math.max(1, this.narrow / WIDE_DIVISOR);
  }
}
