import type { Block } from '../../model/block.ts';
import {
  concatBlocks,
  cutBlock,
  EMPTY_BLOCK,
  lowerBound,
  sliceBlock,
  upperBound,
} from '../../model/block.ts';
import type { TimeRange } from '../../model/time-range.ts';
import type { Page } from '../backend.ts';
import { decodeBlocks } from '../codec/block-codec.ts';
import type { BlockStore } from './block-store.ts';
import type { EncodedRows } from './encoded-rows.ts';
import type { LevelPlace } from './journal-entry.ts';
import type { LevelState } from './level-state.ts';
import { isLoose, rowsIn } from './tail.ts';

export interface PageOptions {
  readonly range: TimeRange;
  readonly rowCountMax: number;
  readonly isReverse: boolean;
  readonly columns: readonly string[] | undefined;
  /** Has the rows behind all blocks; null when there are none. */
  readonly state: LevelState | null;
}

/** Reads a page of one level: the rows of its blocks, then those behind them. */
export function readLevelPage(blocks: BlockStore, level: LevelPlace, options: PageOptions): Page {
  const pending = pendingPage(options);
  if (pending !== null) return pending;
  const reader = new PieceReader(blocks, level, options);
  try {
    return options.isReverse ? backwardPage(reader, options) : forwardPage(reader, options);
  } finally {
    reader.close();
  }
}

/**
 * The page when it is all there is in the range and lies in memory as it is to be read: that of nearly
 * every read of the newest rows. Null when it is not.
 */
function pendingPage({ state, range, rowCountMax, columns }: PageOptions): Page | null {
  if (state === null || state.mayHaveBlocks(range.startMs)) return null;
  const rows: Block[] = [];
  let rowCount = 0;
  for (const part of state.pendingParts(range)) {
    if (!isLoose(part)) return null;
    const piece = rowsIn(part, range, columns);
    rowCount += piece.timestamps.length;
    if (rowCount > rowCountMax) return null;
    rows.push(piece);
  }
  return { block: concatBlocks(rows), rest: null };
}

function forwardPage(reader: PieceReader, { range, rowCountMax }: PageOptions): Page {
  for (let rowCount = rowCountMax; ; rowCount = reader.rows.timestamps.length + 1) {
    reader.readUntil(rowCount);
    const { timestamps } = reader.rows;
    if (timestamps.length === 0) return { block: EMPTY_BLOCK, rest: null };
    let end = timestamps.length;
    if (end > rowCountMax) end = upperBound(timestamps, timestamps[rowCountMax - 1]!);
    if (end === timestamps.length && reader.next?.firstMs === timestamps[end - 1]) {
      // The next piece goes on with the last timestamp: leave it to the next page, or read on.
      end = lowerBound(timestamps, timestamps[end - 1]!);
      if (end === 0) continue;
    }
    const isLast = end === timestamps.length && reader.next === null;
    return {
      block: sliceBlock(reader.rows, 0, end),
      rest: isLast ? null : { startMs: timestamps[end - 1]! + 1, endMs: range.endMs },
    };
  }
}

function backwardPage(reader: PieceReader, { range, rowCountMax }: PageOptions): Page {
  for (let needed = rowCountMax; ; needed = reader.rows.timestamps.length + 1) {
    reader.readUntil(needed);
    const { timestamps } = reader.rows;
    const rowCount = timestamps.length;
    if (rowCount === 0) return { block: EMPTY_BLOCK, rest: null };
    let start = 0;
    if (rowCount > rowCountMax) start = lowerBound(timestamps, timestamps[rowCount - rowCountMax]!);
    const earlierMs = start > 0 ? timestamps[start - 1]! : (reader.next?.lastMs ?? null);
    if (start === 0 && earlierMs === timestamps[0]) {
      // The piece before ends with the first timestamp: leave it to the next page, or read on.
      start = upperBound(timestamps, timestamps[0]!);
      if (start === rowCount) continue;
    }
    const isLast = earlierMs === null || earlierMs < range.startMs;
    return {
      block: sliceBlock(reader.rows, start, rowCount),
      rest: isLast ? null : { startMs: range.startMs, endMs: timestamps[start]! },
    };
  }
}

/** Rows that stand together: a block, or a part of what no block has yet. */
interface Piece {
  readonly firstMs: number;
  readonly lastMs: number;
  /** At least so many of its rows lie in the range. */
  readonly rowCountMin: number;
  /** Null when it is not encoded. */
  readonly bytes: Uint8Array | null;
  /** Cut to the range; called when it is not encoded. */
  rows(): Block;
}

/** Collects the rows of the range from one piece after the other, in either direction. */
class PieceReader {
  /** What was read so far: ascending, inside the range. */
  rows: Block = EMPTY_BLOCK;
  /** The piece to be read next; null at the end. */
  next: Piece | null = null;
  readonly #blocks: BlockStore;
  readonly #level: LevelPlace;
  readonly #options: PageOptions;
  readonly #pieces: Generator<Piece>;

  constructor(blocks: BlockStore, level: LevelPlace, options: PageOptions) {
    this.#blocks = blocks;
    this.#level = level;
    this.#options = options;
    this.#pieces = this.#inRange();
    this.#advance();
  }

  /** Reads on until so many rows are there, or all. */
  readUntil(rowCount: number): void {
    while (this.next !== null && this.rows.timestamps.length < rowCount) {
      const rows = this.#readNext(rowCount - this.rows.timestamps.length);
      this.rows = concatBlocks(this.#options.isReverse ? [rows, this.rows] : [this.rows, rows]);
    }
  }

  /** Lets go of the cursor. */
  close(): void {
    this.#pieces.return(undefined);
  }

  *#inRange(): Generator<Piece> {
    if (this.#options.isReverse) {
      yield* this.#pending();
      yield* this.#stored();
    } else {
      yield* this.#stored();
      yield* this.#pending();
    }
  }

  *#stored(): Generator<Piece> {
    const { range, state } = this.#options;
    if (state?.mayHaveBlocks(range.startMs) === false) return;
    for (const stored of this.#blocks.inRange(this.#level, this.#options)) {
      const { rowCount, lastMs } = this.#blocks.header(stored);
      const firstMs = stored.place.startMs;
      yield encodedPiece({ bytes: stored.bytes, rowCount, firstMs, lastMs }, range);
    }
  }

  *#pending(): Generator<Piece> {
    const { state, range, columns, isReverse } = this.#options;
    if (state === null) return;
    const parts = state.pendingParts(range);
    for (const part of isReverse ? parts.reverse() : parts) {
      if (!isLoose(part)) {
        yield encodedPiece(part, range);
        continue;
      }
      const rows = rowsIn(part, range, columns);
      const { timestamps } = rows;
      const rowCountMin = timestamps.length;
      if (rowCountMin === 0) continue;
      const [firstMs, lastMs] = [timestamps[0]!, timestamps[rowCountMin - 1]!];
      yield { firstMs, lastMs, rowCountMin, bytes: null, rows: () => rows };
    }
  }

  /** Reads pieces until so many rows may be there, encoded ones that follow each other in one go. */
  #readNext(rowCount: number): Block {
    const { range, isReverse, columns } = this.#options;
    const first = this.next!;
    this.#advance();
    if (first.bytes === null) return first.rows();
    const encoded: Uint8Array[] = [first.bytes];
    const starts: number[] = [first.firstMs];
    let rowCountMin = first.rowCountMin;
    while (this.next !== null && this.next.bytes !== null && rowCountMin < rowCount) {
      encoded.push(this.next.bytes);
      starts.push(this.next.firstMs);
      rowCountMin += this.next.rowCountMin;
      this.#advance();
    }
    if (isReverse) {
      encoded.reverse();
      starts.reverse();
    }
    const { ordinal, level } = this.#level;
    const rows = decodeBlocks(
      encoded,
      (i) => this.#blocks.locate({ ordinal, level, startMs: starts[i]!, tie: 0 }),
      columns,
    );
    return cutBlock(rows, range);
  }

  #advance(): void {
    const { done, value } = this.#pieces.next();
    this.next = done ? null : value;
  }
}

function encodedPiece(
  { bytes, rowCount, firstMs, lastMs }: EncodedRows,
  { startMs, endMs }: TimeRange,
): Piece {
  // Of the blocks at the rim of the range it is unknown how many rows lie inside.
  const isInside = firstMs >= startMs && lastMs < endMs;
  return { firstMs, lastMs, rowCountMin: isInside ? rowCount : 0, bytes, rows: () => EMPTY_BLOCK };
}
