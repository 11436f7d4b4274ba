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
/** How much longer the journal must be than before a pass that failed. */
const RETRY_GROWTH = 1.5;
/** Journal entries removed in one transaction. */
const TRIM_COUNT_MAX = 20_000;
/**
 * A bound for what a process reads when it opens the store, in multiples of `journalSizeMaxBytes`.
 */
const SIZE_FACTOR_MAX = 8;

/**
 * Keeps the journal short: moves all tails into blocks, slice by slice between other work, then
 * removes the entries that were needed by the pass before, at most. Each slice is a commit;
 * stopping anywhere does no harm, and several processes may do it at once.
 *
 * Nothing here throws: it runs behind the acknowledged commits of others, in callbacks where an
 * error would end the process. Every row is still in the journal then, whoever reads or writes next
 * meets a lasting cause by himself, and a passing one, such as a full disk, is gone at a later try.
 */
export class Sealer {
  readonly #replica: Replica;
  readonly #committer: Committer;
  readonly #options: SealerOptions;
  #pass: Pass | null = null;
  #immediate: NodeJS.Immediate | null = null;
  /** A pass that failed is not tried again before the journal has this size. */
  #retrySizeBytes = 0;
  #failure: unknown = null;

  constructor(replica: Replica, committer: Committer, options: SealerOptions) {
    this.#replica = replica;
    this.#committer = committer;
    this.#options = options;
  }

  /** What stopped the latest pass; null when nothing did. */
  get failure(): unknown {
    return this.#failure;
  }

  /**
   * Starts a pass soon if the journal has become long. Called after commits, outside transactions.
   */
  noteCommit(view: View): void {
    if (this.#immediate !== null || !this.#isLong(view)) return;
    this.#schedule(view.journalSizeBytes);
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

  #schedule(sizeBytes: number): void {
    this.#immediate = setImmediate(() => {
      this.#immediate = null;
      try {
        if (this.#pass === null) this.#replica.clearStaleReaders();
        this.#pass = this.#replica.write((view) => this.#continued(view));
        this.#failure = null;
        this.#retrySizeBytes = 0;
      } catch (error) {
        this.#pass = null;
        this.#failure = error;
        this.#retrySizeBytes = sizeBytes * RETRY_GROWTH;
      }
      if (this.#pass !== null) this.#schedule(sizeBytes);
    });
  }

  /** Carries out a slice of the pass, or of a new one, and gives it back; null at the end. */
  #continued(view: View): Pass | null {
    const { journal } = this.#replica;
    const pass = this.#pass ?? this.#started(view);
    if (pass === null) return null;
    const places = pass.take(view, this.#options.sliceLevelCount);
    if (places.length > 0) this.#committer.seal(view, places);
    if (!pass.isEmpty) return pass;
    if (journal.trim(pass.trimThroughSeq, TRIM_COUNT_MAX)) return pass;
    journal.noteSealed(pass.throughSeq);
    view.noteSealed(pass.throughSeq);
    return null;
  }

  /** Null when the pass of another process has made the journal short meanwhile. */
  #started(view: View): Pass | null {
    const sealedSeq = this.#replica.journal.sealedSeq();
    view.noteSealed(sealedSeq);
    return this.#isLong(view) ? startedPass(view, sealedSeq) : null;
  }
}

/** What one pass has still to move, and what it may remove at its end. */
class Pass {
  /** At the end, the rows of all entries up to this one are in blocks. */
  readonly throughSeq: number;
  /**
   * The entries behind this one stay for a pass more: a view that would fall behind the journal
   * between its read and its commit is rebuilt, and takes every unchanged stream for a changed one.
   */
  readonly trimThroughSeq: number;
  readonly #places: readonly LevelPlace[];
  #position = 0;

  constructor(options: {
    throughSeq: number;
    trimThroughSeq: number;
    places: readonly LevelPlace[];
  }) {
    this.throughSeq = options.throughSeq;
    this.trimThroughSeq = options.trimThroughSeq;
    this.#places = options.places;
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
function startedPass(view: View, trimThroughSeq: number): Pass {
  const places: LevelPlace[] = [];
  for (const stream of view.states) {
    stream.levels.forEach((state, level) => {
      if (state?.tail) places.push({ ordinal: stream.ordinal, level });
    });
  }
  places.sort((a, b) => a.ordinal - b.ordinal || a.level - b.level);
  return new Pass({ throughSeq: view.seq, trimThroughSeq, places });
}
