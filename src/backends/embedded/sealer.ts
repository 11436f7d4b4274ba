import { BackendClosed } from '../../exceptions/errors.ts';
import type { Committer } from './committer.ts';
import type { LevelPlace } from './journal-entry.ts';
import type { Replica } from './replica.ts';
import type { View } from './view.ts';

export interface SealerOptions {
  /** Size of the journal that starts a pass. */
  readonly journalSizeMaxBytes: number;
  /**
   * So much of the journal for each tail, up to twice `journalSizeMaxBytes`: a block of a
   * slow stream is then rewritten for dozens of new rows, not for a few.
   */
  readonly sizePerTailBytes: number;
  /** Tails moved in one transaction, at most. */
  readonly sliceLevelCount: number;
}

/**
 * Rows moved in one transaction, so that few long tails make no longer slices than many short ones.
 */
const SLICE_ROW_COUNT_MAX = 65_536;
/**
 * A pass takes at least so many transactions, if it has that many levels to move: the pages that one
 * has changed are free for the one after the next, and the file grows by those of two.
 */
const SLICE_COUNT_MIN = 24;
/** Fewer levels are not worth a transaction. */
const SLICE_LEVEL_COUNT_MIN = 250;
/** How much longer the journal must be than before a pass that failed. */
const RETRY_GROWTH = 1.5;
/** Journal entries removed in one transaction. */
const TRIM_COUNT_MAX = 20_000;
/**
 * A bound for what a process reads when it opens the store, in multiples of `journalSizeMaxBytes`.
 */
const SIZE_FACTOR_MAX = 2;

/**
 * Keeps the journal short: moves all tails into blocks, slice by slice between other work, then
 * removes the entries that were needed by the pass before, at most. Each slice is a commit;
 * stopping anywhere does no harm, and several processes may do it at once.
 *
 * Nothing throws but what was asked for: the rest runs behind the acknowledged commits of others,
 * in callbacks where an error would end the process. Every row is still in the journal then, whoever
 * reads or writes next meets a lasting cause by himself, and a passing one, such as a full disk, is
 * gone at a later try.
 */
export class Sealer {
  readonly #replica: Replica;
  readonly #committer: Committer;
  readonly #options: SealerOptions;
  #pass: Pass | null = null;
  #immediate: NodeJS.Immediate | null = null;
  #isStopped = false;
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

  /**
   * Moves every tail into blocks and empties the journal, slice by slice between other work. What
   * others commit meanwhile may stay in it.
   * @throws {StreamAppendFailed} {BlockCorrupt} {BackendClosed} when it is closed half-way.
   */
  async checkpoint(): Promise<void> {
    this.#replica.clearStaleReaders();
    for (let pass: Pass | null = null; ; await nextTurn()) {
      if (this.#isStopped) throw new BackendClosed('The store was closed during a checkpoint.');
      pass = this.#replica.write((view) => this.#continued(view, pass ?? this.#whole(view)));
      if (pass === null) break;
    }
    await this.#replica.journal.removeSpare();
  }

  stop(): void {
    this.#isStopped = true;
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
        this.#pass = this.#replica.write((view) =>
          this.#continued(view, this.#pass ?? this.#started(view)),
        );
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

  /** Carries out a slice of the pass and gives the pass back; null at the end, or without one. */
  #continued(view: View, pass: Pass | null): Pass | null {
    if (pass === null) return null;
    const places = pass.take(view, this.#options.sliceLevelCount);
    if (places.length > 0) this.#committer.seal(view, places);
    if (!pass.isEmpty) return pass;
    const { journal } = this.#replica;
    // Nothing was written meanwhile: then not even the entries of the pass itself are needed.
    if (pass.isWhole && view.isSealed && pass.throughSeq < view.seq) {
      pass.throughSeq = view.seq;
      journal.endSegment(view.seq);
    }
    journal.noteSealed(pass.throughSeq);
    view.noteSealed(pass.throughSeq);
    return journal.trim(pass.trimThroughSeq, TRIM_COUNT_MAX) ? pass : null;
  }

  /** Null when the pass of another process has made the journal short meanwhile. */
  #started(view: View): Pass | null {
    const sealedSeq = this.#replica.journal.sealedSeq();
    view.noteSealed(sealedSeq);
    if (!this.#isLong(view)) return null;
    return this.#begun(view, { isWhole: false, sealedSeq });
  }

  #whole(view: View): Pass {
    return this.#begun(view, { isWhole: true, sealedSeq: this.#replica.journal.sealedSeq() });
  }

  #begun(view: View, { isWhole, sealedSeq }: { isWhole: boolean; sealedSeq: number }): Pass {
    this.#replica.journal.endSegment(view.seq);
    return new Pass({ throughSeq: view.seq, sealedSeq, isWhole, places: view.unsealedPlaces() });
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** What one pass has still to move, and what it may remove at its end. */
class Pass {
  /** At the end, the rows of all entries up to this one are in blocks. */
  throughSeq: number;
  /** Whether it leaves nothing behind. */
  readonly isWhole: boolean;
  readonly #sealedSeq: number;
  readonly #places: readonly LevelPlace[];
  #position = 0;

  /** `sealedSeq` is that of the pass before. */
  constructor(options: {
    throughSeq: number;
    sealedSeq: number;
    isWhole: boolean;
    places: readonly LevelPlace[];
  }) {
    this.throughSeq = options.throughSeq;
    this.isWhole = options.isWhole;
    this.#sealedSeq = options.sealedSeq;
    this.#places = options.places;
  }

  /**
   * The entries behind this one stay for a pass more: a view that would fall behind the journal
   * between its read and its commit is rebuilt, and takes every unchanged stream for a changed one.
   * That may happen once to others when somebody asked for a journal without entries.
   */
  get trimThroughSeq(): number {
    return this.isWhole ? this.throughSeq : this.#sealedSeq;
  }

  get isEmpty(): boolean {
    return this.#position >= this.#places.length;
  }

  take(view: View, levelCountMax: number): readonly LevelPlace[] {
    const from = this.#position;
    const share = Math.ceil(this.#places.length / SLICE_COUNT_MIN);
    const to = from + Math.min(levelCountMax, Math.max(share, SLICE_LEVEL_COUNT_MIN));
    let rowCount = 0;
    while (!this.isEmpty && this.#position < to && rowCount < SLICE_ROW_COUNT_MAX) {
      rowCount += view.looseRowCount(this.#places[this.#position]!);
      this.#position++;
    }
    return this.#places.slice(from, this.#position);
  }
}
