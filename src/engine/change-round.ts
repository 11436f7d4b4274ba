import type { StreamId } from '../model/stream.ts';
import type { EngineContext } from './context.ts';
import type { Lease } from './lease.ts';
import { commitChanges, type PreparedChange } from './prepared-change.ts';

/** Rows that the changes of one commit are computed from, unless one stream alone has more. */
const INPUT_ROW_COUNT_MAX = 500_000;

/** Null when nothing is to be done for the stream. */
export type Prepare = (lease: Lease) => Promise<PreparedChange | null>;

interface Pending {
  readonly lease: Lease;
  readonly change: PreparedChange;
}

/**
 * Prepares one change of each of many streams, and commits as many together as is good for a commit. The
 * streams must not derive from each other.
 */
export class ChangeRound {
  readonly #context: EngineContext;
  readonly #onFailed: (lease: Lease, error: unknown) => void;
  readonly #incomplete: Lease[] = [];
  readonly #apart: Lease[] = [];
  #pending: Pending[] = [];
  #inputRowCount = 0;

  /** @param onFailed told of a stream that failed alone; may throw, and the round ends with that. */
  constructor(context: EngineContext, onFailed: (lease: Lease, error: unknown) => void) {
    this.#context = context;
    this.#onFailed = onFailed;
  }

  /** Streams with more to do. */
  get incomplete(): readonly Lease[] {
    return this.#incomplete;
  }

  /** Streams whose changes were not committed: somebody was quicker, or the commit failed. */
  get apart(): readonly Lease[] {
    return this.#apart;
  }

  async run(leases: readonly Lease[], prepare: Prepare): Promise<void> {
    for (const lease of leases) {
      try {
        const change = await prepare(lease);
        if (change === null) continue;
        this.#pending.push({ lease, change });
        this.#inputRowCount += change.inputRowCount;
      } catch (error) {
        this.#onFailed(lease, error);
      }
      if (this.#inputRowCount >= INPUT_ROW_COUNT_MAX) await this.#commit();
    }
    await this.#commit();
  }

  /** Without those that others were quicker with, as often as there are any. */
  async #commit(): Promise<void> {
    let pending = await this.#held();
    this.#pending = [];
    this.#inputRowCount = 0;
    while (pending.length > 0) {
      const losers = new Set(await this.#losers(pending));
      if (losers.size === 0) {
        for (const { lease, change } of pending) {
          if (!change.isComplete) this.#incomplete.push(lease);
        }
        return;
      }
      for (const { lease } of losers) this.#apart.push(lease);
      pending = pending.filter((item) => !losers.has(item));
    }
  }

  /** Those whose leases did not run out while the others were prepared. */
  async #held(): Promise<readonly Pending[]> {
    const held: Pending[] = [];
    for (const item of this.#pending) {
      try {
        await item.lease.keep();
        held.push(item);
      } catch (error) {
        this.#onFailed(item.lease, error);
      }
    }
    return held;
  }

  /** Commits all or none, and gives those that stood in the way: none when all are durable. */
  async #losers(pending: readonly Pending[]): Promise<readonly Pending[]> {
    const changes = pending.map(({ change }) => change);
    try {
      const outcome = await commitChanges(this.#context, changes);
      if (outcome.isCommitted) return [];
      const conflicts = new Set(outcome.conflicts);
      const losers = pending.filter(({ change }) => touches(change, conflicts));
      return losers.length > 0 ? losers : pending;
    } catch {
      // It fails again, for the stream that it is about, when each is tried for itself.
      return pending;
    }
  }
}

function touches({ expect, snapshot }: PreparedChange, streamIds: ReadonlySet<StreamId>): boolean {
  return (
    expect.some(({ streamId }) => streamIds.has(streamId)) ||
    snapshot.record.dependents.some(({ streamId }) => streamIds.has(streamId))
  );
}
