import type { Block } from '../../model/block.ts';
import { LEVEL_NUMBERS } from '../../model/level-number.ts';
import { type Appended, BlockAppender, type LevelEnd } from './block-appender.ts';
import { BlockRewriter, type RowChange } from './block-rewriter.ts';
import { BlockSizes } from './block-sizes.ts';
import { type EncodedRows, encodeDrafts, encodeInPages } from './encoded-rows.ts';
import type { LevelPlace } from './journal-entry.ts';
import { levelStartKey } from './keys.ts';
import type { StoreFiles } from './store-files.ts';
import { levelKeys, StoredBlocks } from './stored-blocks.ts';

/** The blocks of every level, to be read and changed inside a transaction. */
export class BlockStore extends StoredBlocks {
  readonly #files: StoreFiles;
  readonly #sizes: BlockSizes;
  readonly #appender: BlockAppender;
  readonly #rewriter: BlockRewriter;

  constructor(files: StoreFiles, { rowCountTarget }: { rowCountTarget: number }) {
    super(files);
    this.#files = files;
    this.#sizes = new BlockSizes(rowCountTarget);
    const parts = { stored: this, sizes: this.#sizes };
    this.#appender = new BlockAppender(files, parts);
    this.#rewriter = new BlockRewriter(files, parts);
  }

  /** How many rows a new block of such rows gets, at most. */
  rowCountTarget(block: Block): number {
    return this.#sizes.of(block);
  }

  /** Encodes rows into blocks of a good size. */
  encode(rows: Block): readonly EncodedRows[] {
    return encodeInPages(rows, { rowCountTarget: this.rowCountTarget(rows) });
  }

  /** Encodes rows into blocks that sealing will encode again, in a fraction of the time. */
  encodeDrafts(rows: Block): readonly EncodedRows[] {
    return encodeDrafts(rows, this.rowCountTarget(rows));
  }

  /** Where rows are to be appended to each of the levels, which ascend. */
  ends(levels: readonly LevelPlace[]): readonly LevelEnd[] {
    return this.#appender.ends(levels);
  }

  /**
   * Adds rows none of which is older than a row of the level's blocks: in the given order, and
   * ready-made blocks of a good size as they are. Since the level's end was looked up, only levels
   * before it have got rows.
   */
  append(level: LevelPlace, appended: Appended): void {
    this.#appender.append(level, appended);
  }

  /** The rows of a piece that was made for the level. */
  rowsOf(level: LevelPlace, piece: Block | EncodedRows): Block {
    return this.#appender.rowsOf(level, piece);
  }

  /** Adds rows, each after every row of the same or an earlier timestamp. */
  insert(level: LevelPlace, rows: Block): void {
    if (this.first(level) !== null) {
      this.#rewriter.insert(level, rows);
      return;
    }
    const [end] = this.ends([level]);
    this.append(level, { pieces: [rows], end: end! });
  }

  /** Puts rows in the place of all rows inside of ranges, which ascend and do not overlap. */
  replace(level: LevelPlace, changes: readonly RowChange[]): void {
    this.#rewriter.replace(level, changes);
  }

  /** Removes the blocks of every level of streams. */
  removeStreams(ordinals: readonly number[]): void {
    // Most commits delete none, and each level that is looked for is a read.
    if (ordinals.length === 0) return;
    // Few stores have levels of many kinds: the others are not looked for stream by stream.
    for (const level of LEVEL_NUMBERS.filter((number) => this.#hasBlocks(number))) {
      for (const ordinal of ordinals) {
        const keys = [...this.#files.blocks.getKeys(levelKeys({ ordinal, level }))];
        for (const key of keys) this.#files.blocks.remove(key);
      }
    }
  }

  /** Whether any stream has blocks of a level. */
  #hasBlocks(level: number): boolean {
    const range = { start: levelStartKey(0, level), end: levelStartKey(0, level + 1), limit: 1 };
    for (const _key of this.#files.blocks.getKeys(range)) return true;
    return false;
  }
}
