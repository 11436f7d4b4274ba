import { BlockCorrupt } from '../../exceptions/errors.ts';
import { assert } from '../../model/assert.ts';
import {
  type Block,
  concatBlocks,
  insertRows,
  lowerBound,
  replaceRows,
  sliceBlock,
} from '../../model/block.ts';
import { Granularity } from '../../model/granularity.ts';
import { TIME_MAX_MS, type TimeRange } from '../../model/time-range.ts';
import {
  type BlockHeader,
  decodeBlock,
  encodeBlock,
  readBlockHeader,
} from '../codec/block-codec.ts';
import { BlockKeyWalk, compareLevel } from './block-key-walk.ts';
import {
  type EncodedRows,
  encodeDrafts,
  encodeInPages,
  encodeIntoRoom,
  isWellSized,
} from './encoded-rows.ts';
import type { LevelPlace } from './journal-entry.ts';
import {
  type BlockPlace,
  blockKey,
  levelEndKey,
  levelStartKey,
  parseBlockKey,
  TIE_MAX,
} from './keys.ts';
import { LeafRoom } from './leaf-room.ts';
import type { StoreFiles } from './store-files.ts';

/** Blocks of bucket states have many columns; fewer rows keep them about as large as raw ones. */
const NARROW_COLUMN_COUNT_MAX = 2;
const WIDE_DIVISOR = 2;
/** A block with so much of the target is not filled up any more. */
const FULL_FRACTION = 7 / 8;
/** A block is merged with those behind it when it has at most so many times their rows. */
const MERGED_RATIO_MAX = 2;

/** An encoded block where it stands. */
export interface StoredBlock {
  readonly place: BlockPlace;
  readonly bytes: Uint8Array;
}

/** Timestamps of the first and the last row of a level's blocks. */
export interface LevelBounds {
  readonly firstMs: number;
  readonly lastMs: number;
}

/** What stands where rows are appended to a level. */
export interface LevelEnd {
  /** Key of the level's last block; null when it has none. */
  readonly last: Uint8Array | null;
  /** Whether no block of any other level stands behind. */
  readonly isAtEnd: boolean;
}

interface Appended {
  readonly pieces: readonly (Block | EncodedRows)[];
  readonly end: LevelEnd;
}

/**
 * The sealed rows of every level as encoded blocks that ascend by their first timestamp. Rows of
 * one timestamp may lie in several blocks, in order. Called inside a transaction.
 */
export class BlockStore {
  readonly #files: StoreFiles;
  readonly #rowCountTarget: number;
  /**
   * Whether no block of any level stands behind those that are put. LMDB is told: it would leave
   * pages half empty otherwise, for more to be put between what they have.
   */
  #isAtEnd = false;
  /** Of the last leaf page, after the block at `#roomKey` was put: whoever else put one there, nothing is known. */
  readonly #room: LeafRoom = new LeafRoom();
  #roomKey: Uint8Array | null = null;

  constructor(files: StoreFiles, { rowCountTarget }: { rowCountTarget: number }) {
    this.#files = files;
    this.#rowCountTarget = rowCountTarget;
  }

  /** How many rows a new block of such rows gets, at most. */
  rowCountTarget(block: Block): number {
    return this.#targetOf(Object.keys(block.columns).length);
  }

  #targetOf(columnCount: number): number {
    if (columnCount <= NARROW_COLUMN_COUNT_MAX) return this.#rowCountTarget;
    return Math.max(1, this.#rowCountTarget / WIDE_DIVISOR);
  }

  /** Names a block in messages, which put it behind an "at". */
  locate({ ordinal, level, startMs }: BlockPlace): string {
    const name = Granularity.values[level]?.name ?? level;
    const start = Math.abs(startMs) <= 8.64e15 ? new Date(startMs).toISOString() : startMs;
    return `stream #${ordinal}, level ${name}, start ${start}, of the store ${this.#files.path}`;
  }

  /** First and last timestamp of the level's blocks; null when it has none. */
  bounds(level: LevelPlace): LevelBounds | null {
    const last = this.#last(level);
    if (last === null) return null;
    const { lastMs } = this.header(last);
    for (const key of this.#files.blocks.getKeys({ ...levelKeys(level), limit: 1 })) {
      return { firstMs: parseBlockKey(key).startMs, lastMs };
    }
    return null;
  }

  /** As `bounds`, of many levels that ascend, in one walk; as they are found. */
  *boundsOfMany(levels: readonly LevelPlace[]): Generator<LevelBounds | null> {
    assert(isAscending(levels), 'levels are in the order of their blocks');
    const walk = new BlockKeyWalk(this.#files.blocks);
    try {
      for (const level of levels) {
        const ends = walk.ends(level);
        if (ends === null) {
          yield null;
          continue;
        }
        const last = ends.last === null ? this.#last(level)! : this.#at(ends.last);
        yield { firstMs: parseBlockKey(ends.first).startMs, lastMs: this.header(last).lastMs };
      }
    } finally {
      walk.close();
    }
  }

  /** The blocks that may have rows in the range, forward or backward, one at a time. */
  *inRange(
    level: LevelPlace,
    { range, isReverse }: { range: TimeRange; isReverse: boolean },
  ): Generator<StoredBlock> {
    const { blocks } = this.#files;
    const { startMs, endMs } = range;
    if (isReverse) {
      const start = blockKey({ ...level, startMs: endMs - 1, tie: TIE_MAX });
      const end = levelStartKey(level.ordinal, level.level);
      for (const { key, value } of blocks.getRange({ start, end, reverse: true })) {
        const place = parseBlockKey(key);
        yield { place, bytes: value };
        if (place.startMs < startMs) return;
      }
      return;
    }
    // The last block that starts before the range may reach into it.
    const floor = this.#floor(level, startMs - 1);
    const { ordinal, level: index } = level;
    const start = blockKey(floor?.place ?? { ordinal, level: index, startMs, tie: 0 });
    const end = blockKey({ ordinal, level: index, startMs: endMs, tie: 0 });
    for (const { key, value } of blocks.getRange({ start, end })) {
      yield { place: parseBlockKey(key), bytes: value };
    }
  }

  /** What a stored block says about itself. @throws {BlockCorrupt} */
  header({ place, bytes }: StoredBlock): BlockHeader {
    try {
      const header = readBlockHeader(bytes, '');
      this.#checkStart(place, header.firstMs);
      return header;
    } catch (error) {
      // Naming a place takes longer than reading a header: it is done when there is something to
      // say.
      if (error instanceof BlockCorrupt) readBlockHeader(bytes, this.locate(place));
      throw error;
    }
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
    this.#appendPieces(level, { pieces, before: end.last === null ? null : this.#at(end.last) });
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

  /** Encodes rows into blocks of a good size. */
  encode(rows: Block): readonly EncodedRows[] {
    return encodeInPages(rows, { rowCountTarget: this.rowCountTarget(rows) });
  }

  /** Encodes rows into blocks that sealing will encode again, in a fraction of the time. */
  encodeDrafts(rows: Block): readonly EncodedRows[] {
    return encodeDrafts(rows, this.rowCountTarget(rows));
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
      last = this.#previous(last.place);
    }
    const [only] = pieces;
    if (merged.length === 0 && pieces.length === 1 && isEncoded(only!) && only.isDraft !== true) {
      return this.#putReadyMade(level, only, last);
    }
    const decoded = merged.map((block) => this.#decode(block));
    const rows = concatBlocks([...decoded, ...pieces.map((piece) => this.#rowsOf(level, piece))]);
    for (const { place } of merged) this.#files.blocks.remove(blockKey(place));
    if (merged.length > 0) this.#room.forget();
    const bytesPerRow = this.#bytesPerRow(merged.at(-1) ?? last);
    const rowCountTarget = this.rowCountTarget(rows);
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
    return isNarrow || rows.timestamps.length * 2 < this.rowCountTarget(rows);
  }

  /** Puts a ready-made block behind the last one, in parts if much of a page would stay empty. */
  #putReadyMade(level: LevelPlace, piece: EncodedRows, end: StoredBlock | null): StoredBlock {
    const { bytes, rowCount } = piece;
    if (!this.#isAtEnd || !this.#room.isWastedBy(bytes.length)) return this.#put(level, piece, end);
    const rows = this.#rowsOf(level, piece);
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
      const header = this.header(stored);
      const { columnNames, rowCount } = header;
      const target = this.#targetOf(columnNames.length);
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
    return isFull({ bytes, rowCount }, this.#rowCountTarget);
  }

  #rowsOf(level: LevelPlace, piece: Block | EncodedRows): Block {
    if (!isEncoded(piece)) return piece;
    const { ordinal, level: index } = level;
    return decodeBlock(
      piece.bytes,
      this.locate({ ordinal, level: index, startMs: piece.firstMs, tie: 0 }),
    );
  }

  #bytesPerRow(stored: StoredBlock | null): number | undefined {
    if (stored === null) return undefined;
    try {
      return stored.bytes.length / this.header(stored).rowCount;
    } catch (error) {
      if (error instanceof BlockCorrupt) return undefined;
      throw error;
    }
  }

  /** Adds rows, each after every row of the same or an earlier timestamp. */
  insert(level: LevelPlace, rows: Block): void {
    const rowCount = rows.timestamps.length;
    const target = this.rowCountTarget(rows);
    let row = 0;
    while (row < rowCount) {
      const block = this.#floor(level, rows.timestamps[row]!) ?? this.#first(level);
      if (block === null) {
        const [end] = this.ends([level]);
        this.append(level, { pieces: [sliceBlock(rows, row, rowCount)], end: end! });
        return;
      }
      const next = this.#next(block.place);
      const end = next === null ? rowCount : lowerBound(rows.timestamps, next.place.startMs);
      const content = insertRows(this.#decode(block), sliceBlock(rows, row, end));
      this.#rewrite(level, { run: [block], content, target, isAppend: false });
      row = end;
    }
  }

  /** Puts the rows in the place of all rows inside the range. */
  replace(level: LevelPlace, { range, rows }: { range: TimeRange; rows: Block }): void {
    const run = [...this.inRange(level, { range, isReverse: false })];
    const first = run.at(0);
    const last = run.at(-1);
    if (first === undefined || last === undefined) {
      this.#rewrite(level, {
        run,
        content: rows,
        target: this.rowCountTarget(rows),
        isAppend: false,
      });
      return;
    }
    // Only the outermost blocks can have rows that stay.
    const outer = last === first ? [first] : [first, last];
    const kept = concatBlocks(outer.map((block) => this.#decode(block)));
    const content = replaceRows(kept, range, rows);
    const target = this.rowCountTarget(content);
    this.#rewrite(level, { run, content, target, isAppend: false });
  }

  /** Removes the blocks of every level of a stream. */
  removeStream(ordinal: number): void {
    for (const level of Granularity.values.keys()) {
      const keys = [...this.#files.blocks.getKeys(levelKeys({ ordinal, level }))];
      for (const key of keys) this.#files.blocks.remove(key);
    }
  }

  /** Puts the content in the place of the run: blocks that are neighbours, or none. */
  #rewrite(level: LevelPlace, change: Rewrite): void {
    const { run, content, target, isAppend } = isSettled(change) ? change : this.#settled(change);
    for (const { place } of run) this.#files.blocks.remove(blockKey(place));
    if (content.timestamps.length === 0) return;
    const starts = chunkStarts(content.timestamps.length, { target, isAppend });
    const before = this.#floor(level, content.timestamps[0]!);
    let { startMs, tie } = before?.place ?? { startMs: Number.NaN, tie: 0 };
    for (const [i, from] of starts.entries()) {
      const chunkStartMs = content.timestamps[from]!;
      tie = chunkStartMs === startMs ? tie + 1 : 0;
      startMs = chunkStartMs;
      const to = starts[i + 1] ?? content.timestamps.length;
      this.#files.blocks.put(
        blockKey({ ordinal: level.ordinal, level: level.level, startMs, tie }),
        encodeBlock(content, from, to),
      );
    }
  }

  /**
   * Takes neighbours into the run while the content alone would make too small a block, and while
   * the block behind starts with the timestamp of the content's last chunk: their keys would
   * collide.
   */
  #settled({ run, content, target, isAppend }: Rewrite): Rewrite {
    const wider = [...run];
    let rows = content;
    let next = this.#next(wider.at(-1)!.place);
    while (next !== null) {
      const lastStart = chunkStarts(rows.timestamps.length, { target, isAppend }).at(-1)!;
      const isColliding = rows.timestamps[lastStart] === next.place.startMs;
      if (!isColliding && !isSmall(rows, target)) break;
      rows = concatBlocks([rows, this.#decode(next)]);
      wider.push(next);
      next = this.#next(next.place);
    }
    const previous = isSmall(rows, target) ? this.#previous(wider[0]!.place) : null;
    if (previous !== null) {
      rows = concatBlocks([this.#decode(previous), rows]);
      wider.unshift(previous);
    }
    return { run: wider, content: rows, target, isAppend };
  }

  #decode({ place, bytes }: StoredBlock): Block {
    const block = decodeBlock(bytes, this.locate(place));
    this.#checkStart(place, block.timestamps[0]!);
    return block;
  }

  /** A block that stands under the key of another one has a checksum that is right. */
  #checkStart(place: BlockPlace, firstMs: number): void {
    if (firstMs === place.startMs) return;
    throw new BlockCorrupt(
      `Corrupt block at ${this.locate(place)}: its first row has another timestamp, ${firstMs}.`,
    );
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
    return blockKey(this.#last(level)!.place);
  }

  #first(level: LevelPlace): StoredBlock | null {
    return this.#one(levelKeys(level));
  }

  #last(level: LevelPlace): StoredBlock | null {
    return this.#floor(level, TIME_MAX_MS);
  }

  /** The last block that starts at or before the instant. */
  #floor({ ordinal, level }: LevelPlace, startMs: number): StoredBlock | null {
    const start = blockKey({ ordinal, level, startMs, tie: TIE_MAX });
    return this.#one({ start, end: levelStartKey(ordinal, level), reverse: true });
  }

  #next(place: BlockPlace): StoredBlock | null {
    const end = levelEndKey(place.ordinal, place.level);
    return this.#one({ start: keyAfter(blockKey(place)), end });
  }

  #previous(place: BlockPlace): StoredBlock | null {
    const { ordinal, level } = place;
    // Nothing stands at the 14-byte prefix of a key, which is smaller than the key.
    const start = place.tie > 0 ? blockKey({ ...place, tie: place.tie - 1 }) : keyPrefix(place);
    return this.#one({ start, end: levelStartKey(ordinal, level), reverse: true });
  }

  /** A block that is there. */
  #at(key: Uint8Array): StoredBlock {
    return { place: parseBlockKey(key), bytes: this.#files.blocks.getBinary(key)! };
  }

  #one(range: KeyRange): StoredBlock | null {
    for (const { key, value } of this.#files.blocks.getRange({ ...range, limit: 1 })) {
      return { place: parseBlockKey(key), bytes: value };
    }
    return null;
  }
}

interface KeyRange {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
  readonly reverse?: boolean;
}

interface Rewrite {
  readonly run: readonly StoredBlock[];
  readonly content: Block;
  readonly target: number;
  /** Nothing stands behind, and more is likely to come: blocks are filled one after the other. */
  readonly isAppend: boolean;
}

function isSettled({ run, content, isAppend }: Rewrite): boolean {
  return isAppend || run.length === 0 || content.timestamps.length === 0;
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

function isSmall({ timestamps }: Block, target: number): boolean {
  return timestamps.length < target >> 3;
}

/** Where the blocks of so many rows start: full ones when appending, otherwise even ones. */
function chunkStarts(
  rowCount: number,
  { target, isAppend }: { target: number; isAppend: boolean },
): readonly number[] {
  // A rewritten block may grow to twice the target: the next late row must not split it again.
  if (!isAppend && rowCount <= target * 2) return [0];
  const chunkCount = Math.ceil(rowCount / target);
  const size = isAppend ? target : Math.ceil(rowCount / chunkCount);
  const starts: number[] = [];
  for (let start = 0; start < rowCount; start += size) starts.push(start);
  return starts;
}

function isAscending(levels: readonly LevelPlace[]): boolean {
  for (let i = 1; i < levels.length; i++) {
    const before = levels[i - 1]!;
    const { ordinal, level } = levels[i]!;
    if ((before.level - level || before.ordinal - ordinal) >= 0) return false;
  }
  return true;
}

function isSameKey(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a !== null && b !== null && Buffer.compare(a, b) === 0;
}

function levelKeys({ ordinal, level }: LevelPlace): { start: Uint8Array; end: Uint8Array } {
  return { start: levelStartKey(ordinal, level), end: levelEndKey(ordinal, level) };
}

function keyAfter(key: Uint8Array): Uint8Array {
  const result = new Uint8Array(key.length + 1);
  result.set(key);
  return result;
}

function keyPrefix(place: BlockPlace): Uint8Array {
  return blockKey(place).subarray(0, -1);
}
