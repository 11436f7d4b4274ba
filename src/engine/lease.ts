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
  readonly #context: EngineContext;
  readonly #streamId: StreamId;
  readonly #holder: LeaseHolder;
  #renewedMs: number;

  private constructor(context: EngineContext, streamId: StreamId, holder: LeaseHolder) {
    this.#context = context;
    this.#streamId = streamId;
    this.#holder = holder;
    this.#renewedMs = context.nowMs();
  }

  /** Null when somebody else holds it. */
  static async acquire(
    context: EngineContext,
    streamId: StreamId,
    holder: LeaseHolder,
  ): Promise<Lease | null> {
    // Counted from before the call, as the store's own time runs from some moment during it.
    const lease = new Lease(context, streamId, holder);
    return (await context.backend.acquireLease(streamId, holder)) ? lease : null;
  }

  /**
   * Makes sure that the lease is still held, and renews it when a good part of it has passed.
   * @throws {LockExpiredMidMaintenance} when it ran out.
   */
  async keep(): Promise<void> {
    const nowMs = this.#context.nowMs();
    if (nowMs - this.#renewedMs < this.#holder.durationMs * RENEWAL_PART) return;
    if (!(await this.#context.backend.renewLease(this.#streamId, this.#holder))) {
      throw new LockExpiredMidMaintenance(
        `The maintenance lease of stream ${this.#streamId} ran out after ${nowMs - this.#renewedMs} ms.`,
      );
    }
    this.#renewedMs = nowMs;
  }

  /** The pages, each of which first makes sure that the lease is held: reading may take longer than it lasts. */
  keeping(pages: PageSource): PageSource {
    return {
      supports: pages.supports,
      readPage: async (request) => {
        await this.keep();
        return pages.readPage(request);
      },
    };
  }

  async release(): Promise<void> {
    await this.#context.backend.releaseLease(this.#streamId, this.#holder.owner);
  }
}
