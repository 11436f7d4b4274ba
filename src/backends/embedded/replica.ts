import { assert } from '../../model/assert.ts';
import { Journal } from './journal.ts';
import type { StoreFiles } from './store-files.ts';
import { View } from './view.ts';

/**
 * Keeps this process's view in step with the store: every read and every write begins with what
 * other processes have committed meanwhile, taken from the journal in the same transaction.
 */
export class Replica {
  readonly journal: Journal;
  readonly #files: StoreFiles;
  #view: View | null = null;

  constructor(files: StoreFiles) {
    this.#files = files;
    this.journal = new Journal(files);
  }

  /** Runs synchronous reads on the newest snapshot; the view is that of the same snapshot. */
  read<T>(action: (view: View) => T): T {
    return this.#files.read(() => action(this.#caughtUp()));
  }

  /**
   * Runs synchronous reads and writes in one transaction. The action moves the view along with what
   * it writes; when anything fails, the view is dropped together with the writes and rebuilt at the
   * next use.
   */
  write<T>(action: (view: View) => T): T {
    try {
      return this.#files.write(() => action(this.#caughtUp()));
    } catch (error) {
      this.#view = null;
      throw error;
    }
  }

  /**
   * Takes back what killed processes hold: a snapshot that nobody reads keeps its pages from reuse.
   */
  clearStaleReaders(): void {
    this.#files.clearStaleReaders();
  }

  #caughtUp(): View {
    const view = this.#view;
    if (view !== null && this.journal.isLast(view.seq)) return view;
    const lastSeq = this.journal.lastSeq();
    if (view !== null && view.seq === lastSeq) return view;
    // Nobody sees a view that a corrupt entry has stopped half-way.
    this.#view = null;
    const firstSeq = this.journal.firstSeq();
    const reaches = view !== null && view.seq < lastSeq && firstSeq <= view.seq + 1;
    const next = reaches ? view : emptyView(firstSeq - 1);
    for (const { seq, sizeBytes, ops } of this.journal.entries(next.seq + 1)) {
      assert(seq === next.seq + 1, 'the journal has no gaps');
      for (const op of ops) next.apply(seq, op);
      next.seq = seq;
      next.journalSizeBytes += sizeBytes;
    }
    assert(next.seq === lastSeq, 'a view ends at the last commit');
    this.#view = next;
    return next;
  }
}

function emptyView(seq: number): View {
  const view = new View();
  view.seq = seq;
  view.baseSeq = seq;
  return view;
}
