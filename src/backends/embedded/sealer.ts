import { DatastreamException } from '../../exceptions/errors.ts';
import type { Committer } from './committer.ts';
import type { LevelPlace } from './journal-entry.ts';
import type { Replica } from './replica.ts';
import type { View } from './view.ts';

export interface SealerOptions {
  /** Size of the journal that starts a pass. */
  readonly journalSizeMaxBytes: number;
  /**
   * So much of the journal for each tail, up to eight times `journalSizeMaxBytes`: a block of a
   * slow stream is then rewritten for dozens of new rows, not for a few.
   */
  readonly sizePerTailBytes: number;
  /** Tails moved in one transaction. */
  readonly sliceLevelCount: number;
}

/**
 * Rows moved in one transaction, so that few long tails make no longer slices than many short ones.
 */
const SLICE_ROW_COUNT_MAX = 65_536;
/** Journal entries removed in one transaction. */
const TRIM_COUNT_MAX = 20_000;
/**
 * A bound for what a process reads when it opens the store, in multiples of `journalSizeMaxBytes`.
 */
const SIZE_FACTOR_MAX = 8;

/**
 * Keeps the journal short: moves all tails into blocks, slice by slice between other work, then
 * removes the entries that nobody needs any more. Each slice is a commit; stopping anywhere does no
 * harm, and several processes may do it at once.
 */
export class Sealer {
  readonly #replica: Replica;
  readonly #committer: Committer;
  readonly #options: SealerOptions;
  #pass: Pass | null = null;
  #immediate: NodeJS.Immediate | null = null;
  /** A full disk fails a pass: none is tried again before the journal has this size. */
  #retrySizeBytes = 0;
  #sizeBytes = 0;

  constructor(replica: Replica, committer: Committer, options: SealerOptions) {
    this.#replica = replica;
    this.#committer = committer;
    this.#options = options;
  }

  /**
   * Starts a pass soon if the journal has become long. Called after commits, outside transactions.
   */
  noteCommit(view: View): void {
    if (this.#immediate !== null || !this.#isLong(view)) return;
    this.#sizeBytes = view.journalSizeBytes;
    this.#replica.clearStaleReaders();
    this.#schedule();
  }

  stop(): void {
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#immediate = null;
    this.#pass = null;
  }

  #isLong(view: View): boolean {
    const { journalSizeMaxBytes: sizeBytes } = this.#options;
    const wanted = view.tailCount * this.#options.sizePerTailBytes;
    const limit = Math.min(Math.max(sizeBytes, wanted), sizeBytes * SIZE_FACTOR_MAX);
    return view.journalSizeBytes > Math.max(limit, this.#retrySizeBytes);
  }

  #schedule(): void {
    this.#immediate = setImmediate(() => {
      this.#immediate = null;
      try {
        this.#replica.write((view) => {
          this.#pass ??= startedPass(view);
          if (this.#slice(view, this.#pass)) this.#pass = null;
        });
        this.#retrySizeBytes = 0;
      } catch (error) {
        this.#pass = null;
        this.#postpone(error);
        return;
      }
      if (this.#pass !== null) this.#schedule();
    });
  }

  /** Says whether the pass is done. */
  #slice(view: View, pass: Pass): boolean {
    const places = pass.take(view, this.#options.sliceLevelCount);
    if (places.length > 0) this.#committer.seal(view, places);
    if (!pass.isEmpty) return false;
    const isMore = this.#replica.journal.trim(pass.throughSeq, TRIM_COUNT_MAX);
    if (isMore) return false;
    view.journalSizeBytes = Math.max(0, view.journalSizeBytes - pass.sizeBytes);
    return true;
  }

  /**
   * The journal still has every row, and whoever reads or writes next meets the same error: a pass
   * that failed is tried again once the journal has grown by a half.
   */
  #postpone(error: unknown): void {
    if (!(error instanceof DatastreamException)) throw error;
    this.#retrySizeBytes = this.#sizeBytes * 1.5;
  }
}

/** What one pass has still to move, and what it may remove at its end. */
class Pass {
  readonly throughSeq: number;
  readonly sizeBytes: number;
  readonly #places: readonly LevelPlace[];
  #position = 0;

  constructor(view: View, places: readonly LevelPlace[]) {
    this.throughSeq = view.seq;
    this.sizeBytes = view.journalSizeBytes;
    this.#places = places;
  }

  get isEmpty(): boolean {
    return this.#position >= this.#places.length;
  }

  take(view: View, levelCount: number): readonly LevelPlace[] {
    const from = this.#position;
    let rowCount = 0;
    while (!this.isEmpty && this.#position - from < levelCount && rowCount < SLICE_ROW_COUNT_MAX) {
      const { ordinal, level } = this.#places[this.#position]!;
      rowCount += view.tail(ordinal, level)?.rowCount ?? 0;
      this.#position++;
    }
    return this.#places.slice(from, this.#position);
  }
}

/** In the order of the blocks, so that a slice writes to few pages. */
function startedPass(view: View): Pass {
  const places: LevelPlace[] = [];
  for (const stream of view.states) {
    stream.levels.forEach((state, level) => {
      if (state?.tail) places.push({ ordinal: stream.ordinal, level });
    });
  }
  places.sort((a, b) => a.ordinal - b.ordinal || a.level - b.level);
  return new Pass(view, places);
}
