import { BlockCorrupt } from '../../exceptions/errors.ts';
import { Journal } from './journal.ts';
import { type PinnedStore, pinStore } from './pinned-store.ts';
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

  /**
   * Runs synchronous reads on a snapshot that has all that was acknowledged before; the view is that
   * of the same commit. Only a view that cannot move on waits for the write lock, to be built anew:
   * a process begins like that, and so does one that the journal no longer reaches back to.
   */
  read<T>(action: (view: View) => T): T {
    let isCaughtUp = false;
    if (this.#view !== null) {
      try {
        return this.#files.read(() => {
          const view = this.#movedOn({ isLocked: false });
          isCaughtUp = true;
          return action(view);
        });
      } catch (error) {
        // Damage, or what others have removed just now: who holds the lock can tell.
        if (isCaughtUp) throw error;
      }
    }
    return this.#files.readLocked(() => action(this.#newest()));
  }

  /**
   * Runs synchronous reads and writes in one transaction. The action moves the view along with what
   * it writes; when anything fails, the view is dropped together with the writes and rebuilt at the
   * next use.
   */
  write<T>(action: (view: View) => T): T {
    try {
      const result = this.#files.write(() => {
        const written = action(this.#newest());
        this.journal.finish();
        return written;
      });
      this.journal.noteCommitted();
      return result;
    } catch (error) {
      this.#view = null;
      this.journal.noteFailed();
      throw error;
    }
  }

  /**
   * Pins the store as it is: all that was acknowledged before, and nothing of what comes. Holds the write lock for
   * as long as it takes to read the journal anew.
   */
  pin(): PinnedStore {
    return this.#files.readLocked(() => {
      // A view from before may stand anywhere; a new one has read to the end.
      this.#readAnew();
      const { path } = this.#files;
      return pinStore(path, this.journal.extents(), () => this.#files.takeSnapshot());
    });
  }

  /**
   * Takes back what killed processes hold: a snapshot that nobody reads keeps its pages from reuse.
   */
  clearStaleReaders(): void {
    this.#files.clearStaleReaders();
  }

  async close(): Promise<void> {
    this.#view = null;
    await this.journal.close();
  }

  /** With the write lock. @throws {BlockCorrupt} when the journal is damaged. */
  #newest(): View {
    if (this.#view !== null) {
      try {
        return this.#movedOn({ isLocked: true });
      } catch (error) {
        if (!(error instanceof BlockCorrupt)) throw error;
      }
    }
    this.journal.removeOrphans();
    return this.#readAnew();
  }

  #readAnew(): View {
    this.#view = null;
    this.journal.forget();
    // What stands before the sealed seq is there for views that are behind, not for new ones.
    const view = new View(this.journal.sealedSeq());
    this.#read(view, { isLocked: true });
    this.journal.assertEnd(view.seq + 1);
    this.#view = view;
    return view;
  }

  #movedOn({ isLocked }: { isLocked: boolean }): View {
    const view = this.#view!;
    if (this.journal.isCurrent(view.seq, { isLocked })) return view;
    // Nobody sees a view that was stopped half-way.
    this.#view = null;
    this.#read(view, { isLocked });
    this.#view = view;
    return view;
  }

  #read(view: View, { isLocked }: { isLocked: boolean }): void {
    for (const { seq, sizeBytes, ops } of this.journal.entries(view.seq + 1, { isLocked })) {
      for (const op of ops) view.apply(seq, op);
      view.noteEntry(seq, sizeBytes);
    }
  }
}
