import { type Block, insertRows, lowerBound, sliceBlock } from '../../model/block.ts';
import type { RowChange } from './block-rewriter.ts';
import type { EncodedRows } from './encoded-rows.ts';

/** Rows of a level that stand together, one piece behind the other; none is empty. */
export type RowPiece = Block | EncodedRows;

/** The rows of a piece. */
type Decode = (piece: RowPiece) => Block;

/**
 * The pieces with rows inserted, each after every row of the same or an earlier timestamp. A piece that gets none stays
 * as it is.
 * @param rows none is older than the first of the pieces.
 */
export function* insertedPieces(
  pieces: readonly RowPiece[],
  rows: Block,
  decode: Decode,
): Generator<RowPiece> {
  let row = 0;
  for (const [i, piece] of pieces.entries()) {
    const following = pieces[i + 1];
    const end =
      following === undefined
        ? rows.timestamps.length
        : lowerBound(rows.timestamps, firstMsOf(following));
    if (end === row) yield piece;
    else yield insertRows(decode(piece), sliceBlock(rows, row, end));
    row = end;
  }
}

/**
 * The pieces with rows in the place of all that lie inside of ranges. Of a piece that nothing changes, or of which
 * nothing stays, the bytes are not looked into.
 * @param changes ascending; their ranges do not overlap, and none has rows older than the first of the pieces.
 */
export function* replacedPieces(
  pieces: readonly RowPiece[],
  changes: readonly RowChange[],
  decode: Decode,
): Generator<RowPiece> {
  /** The first change that may reach the piece. */
  let from = 0;
  /** The first change whose rows are still to come. */
  let coming = 0;
  for (const piece of pieces) {
    const firstMs = firstMsOf(piece);
    const lastMs = lastMsOf(piece);
    while (from < changes.length && changes[from]!.range.endMs <= firstMs) {
      if (from === coming) yield* rowsOf(changes[coming++]!);
      from++;
    }
    const isReached = (changes[from]?.range.startMs ?? Number.POSITIVE_INFINITY) <= lastMs;
    if (!isReached) {
      yield piece;
      continue;
    }
    const rows = isCovered(changes[from]!, { firstMs, lastMs }) ? null : decode(piece);
    let row = 0;
    for (let i = from; i < changes.length && changes[i]!.range.startMs <= lastMs; i++) {
      const { range } = changes[i]!;
      if (rows !== null) yield* slice(rows, row, lowerBound(rows.timestamps, range.startMs));
      if (i === coming) yield* rowsOf(changes[coming++]!);
      if (rows !== null) row = lowerBound(rows.timestamps, range.endMs);
    }
    if (rows !== null) yield* slice(rows, row, rows.timestamps.length);
  }
  while (coming < changes.length) yield* rowsOf(changes[coming++]!);
}

export function firstMsOf(piece: RowPiece): number {
  return 'bytes' in piece ? piece.firstMs : piece.timestamps[0]!;
}

function lastMsOf(piece: RowPiece): number {
  return 'bytes' in piece ? piece.lastMs : piece.timestamps.at(-1)!;
}

/** Whether nothing between the two stays. */
function isCovered(
  { range }: RowChange,
  { firstMs, lastMs }: { readonly firstMs: number; readonly lastMs: number },
): boolean {
  return range.startMs <= firstMs && lastMs < range.endMs;
}

function* slice(rows: Block, from: number, to: number): Generator<Block> {
  if (from < to) yield sliceBlock(rows, from, to);
}

function* rowsOf({ rows }: RowChange): Generator<Block> {
  if (rows.timestamps.length > 0) yield rows;
}
