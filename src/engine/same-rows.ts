import { type Block, EMPTY_BLOCK, sliceBlock } from '../model/block.ts';
import { compareBlocks } from './block-compare.ts';

/**
 * Whether both have the same rows, in their order and by bits, however they are cut into blocks.
 * @throws the signal's reason when it aborts.
 */
export async function haveSameRows(
  blocks: AsyncIterator<Block, void, undefined>,
  others: AsyncIterator<Block, void, undefined>,
  signal?: AbortSignal,
): Promise<boolean> {
  let left: Block | null = EMPTY_BLOCK;
  let right: Block | null = EMPTY_BLOCK;
  for (;;) {
    signal?.throwIfAborted();
    left = await refilled(left, blocks);
    right = await refilled(right, others);
    if (left === null || right === null) return left === right;
    const rowCount = Math.min(left.timestamps.length, right.timestamps.length);
    const isSame = compareBlocks(sliceBlock(left, 0, rowCount), sliceBlock(right, 0, rowCount));
    if (isSame.next().done !== true) return false;
    left = sliceBlock(left, rowCount, left.timestamps.length);
    right = sliceBlock(right, rowCount, right.timestamps.length);
  }
}

/** The block, or the next one when nothing is left of it; null at the end. */
async function refilled(
  block: Block,
  blocks: AsyncIterator<Block, void, undefined>,
): Promise<Block | null> {
  if (block.timestamps.length > 0) return block;
  const { done, value } = await blocks.next();
  return done === true ? null : value;
}
