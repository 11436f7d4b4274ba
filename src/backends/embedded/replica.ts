import { BlockCorrupt } from '../../exceptions/errors.ts';
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
    // What stands before the sealed seq is there for views that are behind, not for new ones.
    const next = reaches ? view : new View(Math.max(firstSeq - 1, this.journal.sealedSeq()));
    for (const { seq, sizeBytes, ops } of this.journal.entries(next.seq + 1)) {
      if (seq !== next.seq + 1) throw this.#gap(next.seq + 1);
      for (const op of ops) next.apply(seq, op);
      next.noteEntry(seq, sizeBytes);
    }
    if (next.seq !== lastSeq) throw this.#gap(lastSeq + 1);
    this.#view = next;
    return next;
  }

  #gap(seq: number): BlockCorrupt {
    return new BlockCorrupt(`The journal of the store ${this.#files.path} lacks entry ${seq}.`);
  }
}
