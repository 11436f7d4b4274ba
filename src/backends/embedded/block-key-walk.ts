import type { LevelPlace } from './journal-entry.ts';
import { levelStartKey, readUint32 } from './keys.ts';
import type { StoreFiles } from './store-files.ts';

/** So many steps take as long as one seek. */
const STEP_COUNT_MAX = 16;

/** The keys of the first and the last block of a level. */
interface LevelEnds {
  readonly first: Uint8Array;
  /** Null when the level has more blocks than the walk was willing to pass. */
  readonly last: Uint8Array | null;
}

/**
 * Goes through the keys of the blocks once, and stops at levels that ascend: of streams with few
 * blocks that takes a fraction of a look-up of each. Used inside one transaction that changes no
 * block meanwhile.
 */
export class BlockKeyWalk {
  readonly #blocks: StoreFiles['blocks'];
  #keys: Iterator<Uint8Array> | null = null;
  /** Where the walk is; null before the first step and at the end. */
  #key: Uint8Array | null = null;

  constructor(blocks: StoreFiles['blocks']) {
    this.#blocks = blocks;
  }

  /** Of a level behind those that were asked for before; null when it has no blocks. */
  ends(level: LevelPlace): LevelEnds | null {
    this.#advance(level);
    if (this.#key === null || compareLevel(this.#key, level) !== 0) return null;
    const first = this.#key;
    let last = first;
    for (let step = 0; step < STEP_COUNT_MAX; step++) {
      this.#step();
      if (this.#key === null || compareLevel(this.#key, level) !== 0) {
        return { first, last };
      }
      last = this.#key;
    }
    return { first, last: null };
  }

  /** Lets go of the cursor. */
  close(): void {
    this.#keys?.return?.();
    this.#keys = null;
  }

  /** Moves to the first block of the level, or the first one behind it. */
  #advance(level: LevelPlace): void {
    if (this.#keys === null) this.#seek(level);
    for (let step = 0; step < STEP_COUNT_MAX; step++) {
      if (this.#key === null || compareLevel(this.#key, level) >= 0) return;
      this.#step();
    }
    if (this.#key !== null && compareLevel(this.#key, level) < 0) this.#seek(level);
  }

  #seek({ ordinal, level }: LevelPlace): void {
    this.close();
    this.#keys = this.#blocks.getKeys({ start: levelStartKey(ordinal, level) })[Symbol.iterator]();
    this.#step();
  }

  #step(): void {
    const { done, value } = this.#keys!.next();
    this.#key = done ? null : value;
  }
}

/** Below 0 when the key is of a level before the given one, 0 when it is of that, above 0 behind it. */
export function compareLevel(key: Uint8Array, { ordinal, level }: LevelPlace): number {
  return key[0]! - level || readUint32(key, 1) - ordinal;
}
