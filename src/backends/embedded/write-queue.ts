import type { Replica } from './replica.ts';
import type { Sealer } from './sealer.ts';
import { isStoreWide } from './store-files.ts';
import type { View } from './view.ts';

/** Reads and writes synchronously, inside a transaction. What it throws fails it alone. */
type Action<T> = (view: View) => T;

interface Waiting {
  readonly action: Action<unknown>;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/**
 * A bound for one transaction: nobody waits long for the lock, or for the first of many writes.
 */
const GROUP_COUNT_MAX = 4096;

/**
 * Groups the writes that are asked for in one turn: they share a transaction, and so a disk flush.
 */
export class WriteQueue {
  readonly #replica: Replica;
  readonly #sealer: Sealer;
  #waiting: Waiting[] = [];
  #immediate: NodeJS.Immediate | null = null;

  constructor(replica: Replica, sealer: Sealer) {
    this.#replica = replica;
    this.#sealer = sealer;
  }

  /** Settles when what the action wrote is on disk, or was refused. */
  add<T>(action: Action<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ action, resolve: resolve as (result: unknown) => void, reject });
      this.#immediate ??= setImmediate(() => this.flush());
    });
  }

  /** Carries out everything that waits, at once. */
  flush(): void {
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#immediate = null;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let from = 0; from < waiting.length; from += GROUP_COUNT_MAX) {
      this.#write(waiting.slice(from, from + GROUP_COUNT_MAX));
    }
  }

  #write(group: readonly Waiting[]): void {
    let results: readonly unknown[];
    let current: View;
    try {
      [current, results] = this.#replica.write((view) => [
        view,
        group.map(({ action }) => action(view)),
      ]);
    } catch (error) {
      this.#writeApart(group, error);
      return;
    }
    for (const [i, { resolve }] of group.entries()) resolve(results[i]);
    this.#sealer.noteCommit(current);
  }

  /**
   * Nothing of a failed group is stored. Halving it finds the writes that failed it; the others
   * pass. When the store itself took nothing, no part of the group would fare better: each try on
   * a full disk would only hold up the process longer.
   */
  #writeApart(group: readonly Waiting[], error: unknown): void {
    if (group.length === 1 || isStoreWide(error)) {
      for (const { reject } of group) reject(error);
      return;
    }
    const half = group.length >> 1;
    this.#write(group.slice(0, half));
    this.#write(group.slice(half));
  }
}
