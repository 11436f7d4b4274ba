import { LockExpiredMidMaintenance } from '../exceptions/errors.ts';
import type { StreamId } from '../model/stream.ts';
import type { EngineContext } from './context.ts';

/** How long a worker that died keeps others from its stream. */
const LEASE_DURATION_MS = 120_000;
const RENEWAL_INTERVAL_MS = 40_000;
/** How often somebody who must have a lease looks whether it is free. */
const POLL_INTERVAL_MS = 20;

/** The right to maintain one stream: it keeps others from doing the same work. */
export class Lease {
  readonly #context: EngineContext;
  readonly #streamId: StreamId;
  readonly #owner: string;
  #renewedMs: number;

  private constructor(context: EngineContext, streamId: StreamId, owner: string) {
    this.#context = context;
    this.#streamId = streamId;
    this.#owner = owner;
    this.#renewedMs = context.nowMs();
  }

  /** Null when somebody else holds it. */
  static async acquire(
    context: EngineContext,
    streamId: StreamId,
    owner: string,
  ): Promise<Lease | null> {
    const options = { owner, durationMs: LEASE_DURATION_MS };
    const isAcquired = await context.backend.acquireLease(streamId, options);
    return isAcquired ? new Lease(context, streamId, owner) : null;
  }

  /** Waits until the holder is done, or its lease has run out. */
  static async await(
    context: EngineContext,
    streamId: StreamId,
    { owner, signal }: { owner: string; signal?: AbortSignal | undefined },
  ): Promise<Lease> {
    for (;;) {
      const lease = await Lease.acquire(context, streamId, owner);
      if (lease !== null) return lease;
      signal?.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
    }
  }

  /**
   * Makes sure that the lease is still held, and renews it when a good part of it has passed.
   * @throws {LockExpiredMidMaintenance} when it ran out.
   */
  async keep(): Promise<void> {
    const nowMs = this.#context.nowMs();
    if (nowMs - this.#renewedMs < RENEWAL_INTERVAL_MS) return;
    const options = { owner: this.#owner, durationMs: LEASE_DURATION_MS };
    if (!(await this.#context.backend.renewLease(this.#streamId, options))) {
      throw new LockExpiredMidMaintenance(
        `The maintenance lease of stream ${this.#streamId} ran out after ${nowMs - this.#renewedMs} ms.`,
      );
    }
    this.#renewedMs = nowMs;
  }

  async release(): Promise<void> {
    await this.#context.backend.releaseLease(this.#streamId, this.#owner);
  }
}
