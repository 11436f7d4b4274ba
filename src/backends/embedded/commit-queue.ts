import type { Commit, CommitOutcome } from '../backend.ts';
import type { Committer } from './committer.ts';
import type { Replica } from './replica.ts';
import type { Sealer } from './sealer.ts';
import type { View } from './view.ts';

interface Waiting {
  readonly commit: Commit;
  resolve(outcome: CommitOutcome): void;
  reject(error: unknown): void;
}

/**
 * A bound for one transaction: nobody waits long for the lock, or for the first of many commits.
 */
const GROUP_COUNT_MAX = 4096;

/**
 * Groups the commits that are asked for in one turn: they share a transaction, and so a disk flush.
 */
export class CommitQueue {
  readonly #replica: Replica;
  readonly #committer: Committer;
  readonly #sealer: Sealer;
  #waiting: Waiting[] = [];
  #immediate: NodeJS.Immediate | null = null;

  constructor(replica: Replica, committer: Committer, sealer: Sealer) {
    this.#replica = replica;
    this.#committer = committer;
    this.#sealer = sealer;
  }

  /** Settles when the commit is on disk, or was refused. */
  add(commit: Commit): Promise<CommitOutcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ commit, resolve, reject });
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
      this.#commit(waiting.slice(from, from + GROUP_COUNT_MAX));
    }
  }

  #commit(group: readonly Waiting[]): void {
    let outcomes: readonly CommitOutcome[];
    let current: View;
    try {
      [current, outcomes] = this.#replica.write((view) => [
        view,
        group.map(({ commit }) => this.#committer.apply(view, commit)),
      ]);
    } catch (error) {
      this.#commitApart(group, error);
      return;
    }
    for (const [i, { resolve }] of group.entries()) resolve(outcomes[i]!);
    this.#sealer.noteCommit(current);
  }

  /**
   * Nothing of a failed group is stored. Halving it finds the commits that failed it; the others
   * pass.
   */
  #commitApart(group: readonly Waiting[], error: unknown): void {
    if (group.length === 1) {
      group[0]!.reject(error);
      return;
    }
    const half = group.length >> 1;
    this.#commit(group.slice(0, half));
    this.#commit(group.slice(half));
  }
}
