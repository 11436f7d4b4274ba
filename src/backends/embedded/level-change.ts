import { type Block, cutBlock, lowerBound, sliceBlock } from '../../model/block.ts';
import type { RowChange } from './block-rewriter.ts';
import type { BlockStore } from './block-store.ts';
import { firstMsOf, insertedPieces, type RowPiece, replacedPieces } from './pending-changes.ts';
import type { PendingRows } from './pending-rows.ts';

/**
 * Adds late rows to a level: to its blocks, and to what stands behind them before that is encoded. All of it
 * is in blocks afterwards.
 */
export function insertIntoLevel(
  blocks: BlockStore,
  { place, pieces }: PendingRows,
  rows: Block,
): void {
  const split = lowerBound(rows.timestamps, startMsOf(pieces));
  if (split > 0) blocks.insert(place, sliceBlock(rows, 0, split));
  const late = sliceBlock(rows, split, rows.timestamps.length);
  const decode = (piece: RowPiece): Block => blocks.rowsOf(place, piece);
  appendAll(blocks, { place, pieces: [...insertedPieces(pieces, late, decode)] });
}

/**
 * Replaces ranges of a level, which ascend and do not overlap: in its blocks, and in what stands behind them
 * before that is encoded. All of it is in blocks afterwards.
 */
export function replaceInLevel(
  blocks: BlockStore,
  { place, pieces }: PendingRows,
  changes: readonly RowChange[],
): void {
  const splitMs = startMsOf(pieces);
  blocks.replace(
    place,
    changes
      .filter(({ range }) => range.startMs <= splitMs)
      .map(({ range, rows }) => ({
        range,
        rows: cutBlock(rows, { startMs: Number.NEGATIVE_INFINITY, endMs: splitMs }),
      })),
  );
  const behind = changes
    .filter(({ range }) => range.endMs > splitMs)
    .map(({ range, rows }) => ({
      range,
      rows: cutBlock(rows, { startMs: splitMs, endMs: Number.POSITIVE_INFINITY }),
    }));
  const decode = (piece: RowPiece): Block => blocks.rowsOf(place, piece);
  appendAll(blocks, { place, pieces: [...replacedPieces(pieces, behind, decode)] });
}

/** Rows before it go into blocks, and rows from it on behind them; ∞ when nothing is behind them. */
function startMsOf([first]: readonly RowPiece[]): number {
  return first === undefined ? Number.POSITIVE_INFINITY : firstMsOf(first);
}

function appendAll(blocks: BlockStore, { place, pieces }: PendingRows): void {
  if (pieces.length === 0) return;
  const [end] = blocks.ends([place]);
  blocks.append(place, { pieces, end: end! });
}
