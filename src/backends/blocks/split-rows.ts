import { assert } from '../../model/assert.ts';
import { type Block, sliceBlock, upperBound } from '../../model/block.ts';

/**
 * Cuts rows into blocks of about `rowCountTarget` rows. Rows of one timestamp stay together, so that a
 * block may be larger, and blocks never share a timestamp.
 */
export function splitRows(rows: Block, rowCountTarget: number): readonly Block[] {
  assert(rowCountTarget >= 1, 'a block has room for a row');
  const { timestamps } = rows;
  const blocks: Block[] = [];
  let from = 0;
  while (from < timestamps.length) {
    const last = Math.min(from + rowCountTarget, timestamps.length) - 1;
    const to = upperBound(timestamps, timestamps[last]!);
    blocks.push(sliceBlock(rows, from, to));
    from = to;
  }
  return blocks;
}
