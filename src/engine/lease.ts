import { LockExpiredMidMaintenance } from '../exceptions/errors.ts';
import type { StreamId } from '../model/stream.ts';
import type { PageSource } from './block-reader.ts';
import type { EngineContext } from './context.ts';

/** How long a worker that died keeps others from its stream, unless it was told otherwise. */
export const LEASE_DURATION_MS = 120_000;
/** A lease is renewed when this part of it has passed: two renewals may fail before it runs out. */
const RENEWAL_PART = 1 / 3;

export interface LeaseHolder {
  readonly owner: string;
  readonly durationMs: number;
}

/** The right to maintain one stream: it keeps others from doing the same work. */
export class Lease {
  readonly streamId: StreamId;
  readonly #group: LeaseGroup;
  /** Why it ran out; null while it is held, as far as is known. */
  lostBecause: LockExpiredMidMaintenance | null = null;

  constructor(streamId: StreamId, group: LeaseGroup) {
    this.streamId = streamId;
    this.#group = group;
  }

  /**
   * Makes sure that the lease is still held, and renews those of its group when a good part has passed.
   * @throws {LockExpiredMidMaintenance} when it ran out.
   */
  async keep(): Promise<void> {
    if (this.#group.isDue) await this.#group.renew();
    if (this.lostBecause !== null) throw this.lostBecause;
  }

  /** Whether `keep` would renew it. */
  get isDue(): boolean {
    return this.#group.isDue;
  }

  /** The pages, each of which first makes sure that the lease is held: reading may take longer than it lasts. */
  keeping(pages: PageSource): PageSource {
    return {
      supports: pages.supports,
      readPage: async (request) => {
        if (this.lostBecause !== null || this.#group.isDue) await this.keep();
        return pages.readPage(request);
      },
    };
  }
}

/**
 * Leases taken, renewed and given back together: stores share a flush, or a round trip, among calls of one
 * turn. While one of the streams is worked on, the others of the group wait, so that each keeps all.
 */
export class LeaseGroup {
  readonly #context: EngineContext;
  readonly #holder: LeaseHolder;
  readonly #leases: Lease[] = [];
  readonly #refused: StreamId[] = [];
  #renewedMs: number;
  #renewing: Promise<void> | null = null;

  private constructor(context: EngineContext, holder: LeaseHolder) {
    this.#context = context;
    this.#holder = holder;
    this.#renewedMs = context.nowMs();
  }

  /**
   * Takes the leases that nobody else holds. What fails for a stream is told; the others are taken.
   * @param onFailed may throw: then those that were taken are given back.
   */
  static async acquire(
    context: EngineContext,
    streamIds: readonly StreamId[],
    { holder, onFailed }: { holder: LeaseHolder; onFailed: FailureHandler },
  ): Promise<LeaseGroup> {
    // Counted from before the calls, as the store's own time runs from some moment during them.
    const group = new LeaseGroup(context, holder);
    const results = await Promise.allSettled(
      streamIds.map((streamId) => context.backend.acquireLease(streamId, holder)),
    );
    for (const [index, result] of results.entries()) {
      if (result.status === 'rejected') continue;
      const streamId = streamIds[index]!;
      if (result.value) group.#leases.push(new Lease(streamId, group));
      else group.#refused.push(streamId);
    }
    try {
      reportFailures(streamIds, results, onFailed);
    } catch (error) {
      await group.release(() => {});
      throw error;
    }
    return group;
  }

  get leases(): readonly Lease[] {
    return this.#leases;
  }

  /** Streams whose leases somebody else holds. */
  get refused(): readonly StreamId[] {
    return this.#refused;
  }

  /** Whether the leases should be renewed before more is done. */
  get isDue(): boolean {
    const elapsedMs = this.#context.nowMs() - this.#renewedMs;
    return elapsedMs >= this.#holder.durationMs * RENEWAL_PART;
  }

  /** Renews all leases that are still held, and notes which ones are not. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renewAll().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  async release(onFailed: FailureHandler): Promise<void> {
    const streamIds = this.#leases.map(({ streamId }) => streamId);
    const results = await Promise.allSettled(
      streamIds.map((id) => this.#context.backend.releaseLease(id, this.#holder.owner)),
    );
    reportFailures(streamIds, results, onFailed);
  }

  async #renewAll(): Promise<void> {
    const nowMs = this.#context.nowMs();
    const held = this.#leases.filter(({ lostBecause }) => lostBecause === null);
    const areHeld = await Promise.all(
      held.map(({ streamId }) => this.#context.backend.renewLease(streamId, this.#holder)),
    );
    for (const [index, lease] of held.entries()) {
      if (areHeld[index]) continue;
      lease.lostBecause = new LockExpiredMidMaintenance(
        `The maintenance lease of stream ${lease.streamId} ran out after ${nowMs - this.#renewedMs} ms.`,
      );
    }
    this.#renewedMs = nowMs;
  }
}

/** Told what failed for one stream of many; throws when the rest should not go on. */
export type FailureHandler = (streamId: StreamId, error: unknown) => void;

/** Tells of every failure, and throws the first that the handler throws. */
function reportFailures(
  streamIds: readonly StreamId[],
  results: readonly PromiseSettledResult<unknown>[],
  onFailed: FailureHandler,
): void {
  for (const [index, result] of results.entries()) {
    if (result.status === 'rejected') onFailed(streamIds[index]!, result.reason);
  }
}
