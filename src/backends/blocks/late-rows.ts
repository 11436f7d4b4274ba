import { assert } from '../../model/assert.ts';
import { type Block, lowerBound, sliceBlock } from '../../model/block.ts';

/** Which of the late rows belong into which of the stored blocks. */
export interface LateRows {
  /** Index of the stored block. */
  readonly index: number;
  readonly rows: Block;
}

/**
 * Assigns late rows to the stored blocks of their level: each to the last block that starts at or before
 * it, the earliest ones to the first block. Only blocks that get rows are listed, ascending.
 * @param firstTimestamps of all stored blocks that the rows can belong to, ascending; at least one.
 */
export function assignLateRows(firstTimestamps: Float64Array, rows: Block): readonly LateRows[] {
  assert(firstTimestamps.length > 0, 'there is a block to take the rows');
  const { timestamps } = rows;
  const assigned: LateRows[] = [];
  let from = 0;
  for (let index = 0; index < firstTimestamps.length && from < timestamps.length; index++) {
    const nextMs = firstTimestamps[index + 1] ?? Number.POSITIVE_INFINITY;
    const to = lowerBound(timestamps, nextMs);
    if (to > from) assigned.push({ index, rows: sliceBlock(rows, from, to) });
    from = Math.max(from, to);
  }
  return assigned;
}
