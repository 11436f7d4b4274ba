import { type Block, sliceBlock } from '../model/block.ts';
import { compareBlocks } from './block-compare.ts';

/** Whether all rows of the block are, in their order and by bits, among the rows of the others. */
export async function holdsRows(blocks: AsyncIterable<Block>, rows: Block): Promise<boolean> {
  const rowCount = rows.timestamps.length;
  let found = 0;
  for await (const block of blocks) {
    if (found === 0 && compareBlocks(block, rows).next().done === true) return true;
    for (let row = 0; row < block.timestamps.length && found < rowCount; row++) {
      if (block.timestamps[row] !== rows.timestamps[found]) continue;
      const stored = sliceBlock(block, row, row + 1);
      const wanted = sliceBlock(rows, found, found + 1);
      if (compareBlocks(stored, wanted).next().done === true) found++;
    }
  }
  return found === rowCount;
}
