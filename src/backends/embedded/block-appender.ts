import { BlockCorrupt } from '../../exceptions/errors.ts';
import { assert } from '../../model/assert.ts';
import { type Block, concatBlocks } from '../../model/block.ts';
import { type BlockHeader, decodeBlock } from '../codec/block-codec.ts';
import { BlockKeyWalk, compareLevel } from './block-key-walk.ts';
import { type BlockSizes, NARROW_COLUMN_COUNT_MAX } from './block-sizes.ts';
import { type EncodedRows, encodeInPages, encodeIntoRoom, isWellSized } from './encoded-rows.ts';
import type { LevelPlace } from './journal-entry.ts';
import { blockKey } from './keys.ts';
import { LeafRoom } from './leaf-room.ts';
import type { StoreFiles } from './store-files.ts';
import { isAscending, type StoredBlock, type StoredBlocks } from './stored-blocks.ts';

/** A block with so much of the target is not filled up any more. */
const FULL_FRACTION = 7 / 8;
/** A block is merged with those behind it when it has at most so many times their rows. */
const MERGED_RATIO_MAX = 2;

/** What stands where rows are appended to a level. */
export interface LevelEnd {
  /** Key of the level's last block; null when it has none. */
  readonly last: Uint8Array | null;
  /** Whether no block of any other level stands behind. */
  readonly isAtEnd: boolean;
}

export interface Appended {
  readonly pieces: readonly (Block | EncodedRows)[];
  readonly end: LevelEnd;
}

/** Puts rows behind the blocks of a level. Called inside a transaction. */
export class BlockAppender {
  readonly #files: StoreFiles;
  readonly #stored: StoredBlocks;
  readonly #sizes: BlockSizes;
  /**
   * Whether no block of any level stands behind those that are put. LMDB is told: it would leave
   * pages half empty otherwise, for more to be put between what they have.
   */
  #isAtEnd = false;
  /** Of the last leaf page, after the block at `#roomKey` was put: whoever else put one there, nothing is known. */
  readonly #room: LeafRoom = new LeafRoom();
  #roomKey: Uint8Array | null = null;

  constructor(
    files: StoreFiles,
    { stored, sizes }: { readonly stored: StoredBlocks; readonly sizes: BlockSizes },
  ) {
    this.#files = files;
    this.#stored = stored;
    this.#sizes = sizes;
  }

  /** Where rows are to be appended to each of the levels, which ascend. */
  ends(levels: readonly LevelPlace[]): readonly LevelEnd[] {
    assert(isAscending(levels), 'levels are in the order of their blocks');
    const lastKey = this.#lastKey();
    if (!isSameKey(lastKey, this.#roomKey)) this.#room.forget();
    const walk = new BlockKeyWalk(this.#files.blocks);
    try {
      return levels.map((level) => {
        const distance = lastKey === null ? -1 : compareLevel(lastKey, level);
        return { last: distance < 0 ? null : this.#lastOf(level, walk), isAtEnd: distance <= 0 };
      });
    } finally {
      walk.close();
    }
  }

  /**
   * Adds rows none of which is older than a row of the level's blocks: in the given order, and
   * ready-made blocks of a good size as they are. Since the level's end was looked up, only levels
   * before it have got rows.
   */
  append(level: LevelPlace, { pieces, end }: Appended): void {
    this.#isAtEnd = end.isAtEnd;
    this.#appendPieces(level, {
      pieces,
      before: end.last === null ? null : this.#stored.at(end.last),
    });
    this.#isAtEnd = false;
  }

  #appendPieces(
    level: LevelPlace,
    { pieces, before }: { pieces: Appended['pieces']; before: StoredBlock | null },
  ): void {
    let end = before;
    let loose: (Block | EncodedRows)[] = [];
    for (const piece of pieces) {
      if (!isEncoded(piece) || !this.#isSettled(piece)) {
        loose.push(piece);
        continue;
      }
      end = this.#putLoose(level, loose, { end, isMerging: end === before });
      loose = [];
      end = this.#putReadyMade(level, piece, end);
    }
    this.#putLoose(level, loose, { end, isMerging: end === before });
  }

  /**
   * Puts rows that came in small pieces behind the last block; when merging, together with small
   * blocks before them: each one that has at most twice the rows of what follows it. So a block of a
   * slow level grows by half or more each time, no row is written more often than that takes, and
   * only a few blocks are small.
   */
  #putLoose(
    level: LevelPlace,
    pieces: readonly (Block | EncodedRows)[],
    { end, isMerging }: { end: StoredBlock | null; isMerging: boolean },
  ): StoredBlock | null {
    if (pieces.length === 0) return end;
    const merged: StoredBlock[] = [];
    let rowCount = 0;
    for (const piece of pieces) rowCount += rowCountOf(piece);
    let last = end;
    while (isMerging && last !== null) {
      const header = this.#headerOfSmall(last);
      if (header === null || header.rowCount > rowCount * MERGED_RATIO_MAX) break;
      merged.unshift(last);
      rowCount += header.rowCount;
      last = this.#stored.previous(last.place);
    }
    const [only] = pieces;
    if (merged.length === 0 && pieces.length === 1 && isEncoded(only!) && only.isDraft !== true) {
      return this.#putReadyMade(level, only, last);
    }
    const decoded = merged.map((block) => this.#stored.decode(block));
    const rows = concatBlocks([...decoded, ...pieces.map((piece) => this.rowsOf(level, piece))]);
    for (const { place } of merged) this.#files.blocks.remove(blockKey(place));
    if (merged.length > 0) this.#room.forget();
    const bytesPerRow = this.#bytesPerRow(merged.at(-1) ?? last);
    const rowCountTarget = this.#sizes.of(rows);
    const options = { rowCountTarget, bytesPerRow, room: this.#room };
    const isIntoRoom = this.#isAtEnd && this.#isSharing(rows);
    const blocks = isIntoRoom ? encodeIntoRoom(rows, options) : encodeInPages(rows, options);
    for (const encoded of blocks) last = this.#put(level, encoded, last);
    return last;
  }

  /**
   * Whether blocks of such rows are as good in parts of a page as in pages of their own. Texts pack
   * better together, and many columns have their costs in every block.
   */
  #isSharing(rows: Block): boolean {
    const columns = Object.values(rows.columns);
    if (!columns.every((column) => column instanceof Float64Array)) return false;
    const isNarrow = columns.length <= NARROW_COLUMN_COUNT_MAX;
    return isNarrow || rows.timestamps.length * 2 < this.#sizes.of(rows);
  }

  /** Puts a ready-made block behind the last one, in parts if much of a page would stay empty. */
  #putReadyMade(level: LevelPlace, piece: EncodedRows, end: StoredBlock | null): StoredBlock {
    const { bytes, rowCount } = piece;
    if (!this.#isAtEnd || !this.#room.isWastedBy(bytes.length)) return this.#put(level, piece, end);
    const rows = this.rowsOf(level, piece);
    if (!this.#isSharing(rows)) return this.#put(level, piece, end);
    const bytesPerRow = bytes.length / rowCount;
    let last = end;
    const options = { rowCountTarget: rowCount, bytesPerRow, room: this.#room };
    for (const part of encodeIntoRoom(rows, options)) last = this.#put(level, part, last);
    return last!;
  }

  /** Puts a block behind the last one of the level. */
  #put(level: LevelPlace, { bytes, firstMs }: EncodedRows, last: StoredBlock | null): StoredBlock {
    const tie = last?.place.startMs === firstMs ? last.place.tie + 1 : 0;
    const place = { ordinal: level.ordinal, level: level.level, startMs: firstMs, tie };
    const key = blockKey(place);
    this.#files.blocks.putSync(key, bytes, { append: this.#isAtEnd });
    if (this.#isAtEnd) {
      this.#room.take(bytes.length);
      this.#roomKey = key;
    }
    return { place, bytes };
  }

  /** What a block says about itself that later rows may be merged into; null of others. */
  #headerOfSmall(stored: StoredBlock): BlockHeader | null {
    try {
      const header = this.#stored.header(stored);
      const { columnNames, rowCount } = header;
      const target = this.#sizes.ofColumnCount(columnNames.length);
      return isFull({ rowCount, bytes: stored.bytes }, target) ? null : header;
    } catch (error) {
      // A block that does not decode is left as it is: its rows are lost, but later ones need not
      // be.
      if (error instanceof BlockCorrupt) return null;
      throw error;
    }
  }

  /** Whether a ready-made block is as good as one that later rows are merged into. */
  #isSettled({ bytes, rowCount, isDraft }: EncodedRows): boolean {
    if (isDraft === true) return false;
    // Of the few columns of raw rows; blocks of many columns have more bytes for their rows.
    return isFull({ bytes, rowCount }, this.#sizes.narrow);
  }

  /** The rows of a piece that was made for the level. */
  rowsOf(level: LevelPlace, piece: Block | EncodedRows): Block {
    if (!isEncoded(piece)) return piece;
    const { ordinal, level: index } = level;
    return decodeBlock(
      piece.bytes,
      this.#stored.locate({ ordinal, level: index, startMs: piece.firstMs, tie: 0 }),
    );
  }

  #bytesPerRow(stored: StoredBlock | null): number | undefined {
    if (stored === null) return undefined;
    try {
      return stored.bytes.length / this.#stored.header(stored).rowCount;
    } catch (error) {
      if (error instanceof BlockCorrupt) return undefined;
      throw error;
    }
  }

  /** The last key of all; null in a store without blocks. */
  #lastKey(): Uint8Array | null {
    for (const key of this.#files.blocks.getKeys({ reverse: true, limit: 1 })) return key;
    return null;
  }

  /** Key of the level's last block; null when it has none. */
  #lastOf(level: LevelPlace, walk: BlockKeyWalk): Uint8Array | null {
    const ends = walk.ends(level);
    if (ends === null || ends.last !== null) return ends?.last ?? null;
    return blockKey(this.#stored.last(level)!.place);
  }
}

function isEncoded(piece: Block | EncodedRows): piece is EncodedRows {
  return 'bytes' in piece;
}

function rowCountOf(piece: Block | EncodedRows): number {
  return isEncoded(piece) ? piece.rowCount : piece.timestamps.length;
}

/** Whether a block has the rows that it should have, or bytes of a good size. */
function isFull(
  { rowCount, bytes }: { readonly rowCount: number; readonly bytes: Uint8Array },
  target: number,
): boolean {
  return rowCount >= target * FULL_FRACTION || isWellSized(bytes.length);
}

function isSameKey(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a !== null && b !== null && Buffer.compare(a, b) === 0;
}
