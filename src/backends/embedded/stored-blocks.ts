import { BlockCorrupt } from '../../exceptions/errors.ts';
import { assert } from '../../model/assert.ts';
import type { Block } from '../../model/block.ts';
import { levelLabel } from '../../model/level-number.ts';
import { TIME_MAX_MS, type TimeRange } from '../../model/time-range.ts';
import { type BlockHeader, decodeBlock, readBlockHeader } from '../codec/block-codec.ts';
import { BlockKeyWalk } from './block-key-walk.ts';
import type { LevelPlace } from './journal-entry.ts';
import {
  type BlockPlace,
  blockKey,
  levelEndKey,
  levelStartKey,
  parseBlockKey,
  TIE_MAX,
} from './keys.ts';
import type { StoreFiles } from './store-files.ts';

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

/**
 * The sealed rows of every level as encoded blocks that ascend by their first timestamp. Rows of
 * one timestamp may lie in several blocks, in order. Read inside a transaction.
 */
export class StoredBlocks {
  readonly #files: StoreFiles;

  constructor(files: StoreFiles) {
    this.#files = files;
  }

  /** Names a block in messages, which put it behind an "at". */
  locate({ ordinal, level, startMs }: BlockPlace): string {
    const name = levelLabel(level);
    const start = Math.abs(startMs) <= 8.64e15 ? new Date(startMs).toISOString() : startMs;
    return `stream #${ordinal}, level ${name}, start ${start}, of the store ${this.#files.path}`;
  }

  /** First and last timestamp of the level's blocks; null when it has none. */
  bounds(level: LevelPlace): LevelBounds | null {
    const last = this.last(level);
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
        const last = ends.last === null ? this.last(level)! : this.at(ends.last);
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
    const floor = this.floor(level, startMs - 1);
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

  decode({ place, bytes }: StoredBlock): Block {
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

  first(level: LevelPlace): StoredBlock | null {
    return this.#one(levelKeys(level));
  }

  last(level: LevelPlace): StoredBlock | null {
    return this.floor(level, TIME_MAX_MS);
  }

  /** The last block that starts at or before the instant. */
  floor({ ordinal, level }: LevelPlace, startMs: number): StoredBlock | null {
    const start = blockKey({ ordinal, level, startMs, tie: TIE_MAX });
    return this.#one({ start, end: levelStartKey(ordinal, level), reverse: true });
  }

  next(place: BlockPlace): StoredBlock | null {
    const end = levelEndKey(place.ordinal, place.level);
    return this.#one({ start: keyAfter(blockKey(place)), end });
  }

  previous(place: BlockPlace): StoredBlock | null {
    const { ordinal, level } = place;
    // Nothing stands at the 14-byte prefix of a key, which is smaller than the key.
    const start = place.tie > 0 ? blockKey({ ...place, tie: place.tie - 1 }) : keyPrefix(place);
    return this.#one({ start, end: levelStartKey(ordinal, level), reverse: true });
  }

  /** A block that is there. */
  at(key: Uint8Array): StoredBlock {
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

export function isAscending(levels: readonly LevelPlace[]): boolean {
  for (let i = 1; i < levels.length; i++) {
    const before = levels[i - 1]!;
    const { ordinal, level } = levels[i]!;
    if ((before.level - level || before.ordinal - ordinal) >= 0) return false;
  }
  return true;
}

export function levelKeys({ ordinal, level }: LevelPlace): { start: Uint8Array; end: Uint8Array } {
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
