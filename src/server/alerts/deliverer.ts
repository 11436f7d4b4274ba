import type { AlertDelivery } from '../state/records/alert-delivery.ts';
import type { AlertMessage } from './alert-message.ts';
import type { Send } from './channels.ts';
import type { Outbox } from './outbox.ts';
import type { Destination } from './rule-definition.ts';

/** Deliveries under way at once. */
const CONCURRENCY = 8;
const BACKOFF_BASE_MS = 5000;
const BACKOFF_MAX_MS = 3_600_000;
/** Beyond what a try may take: only a process that died leaves a claim to run out. */
const CLAIM_MARGIN_MS = 30_000;

export interface DelivererOptions {
  readonly outbox: Outbox;
  readonly send: Send;
  readonly tryCountMax: number;
  /** Of one try. */
  readonly timeoutMs: number;
  readonly now: () => Date;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly onTry: (kind: string, outcome: 'delivered' | 'retried' | 'failed') => void;
}

/** Sends what waits in the outbox: again, ever later, until it is taken or was tried often enough. */
export class Deliverer {
  readonly #options: DelivererOptions;
  readonly #ending = new AbortController();
  #pass: Promise<void> | null = null;

  constructor(options: DelivererOptions) {
    this.#options = options;
  }

  /** Sends everything that is due; resolves when it is settled. A pass under way is joined. */
  deliverDue(): Promise<void> {
    this.#pass ??= this.#deliverAll().finally(() => {
      this.#pass = null;
    });
    return this.#pass;
  }

  /** Ends what is under way; it stays in the outbox, and is due at once. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#pass;
  }

  async #deliverAll(): Promise<void> {
    const { outbox, timeoutMs, now } = this.#options;
    while (!this.#ending.signal.aborted) {
      const nowMs = now().getTime();
      const untilMs = nowMs + timeoutMs + CLAIM_MARGIN_MS;
      const waitMaxMs = Math.max(BACKOFF_MAX_MS, 2 * (untilMs - nowMs));
      const claimed = outbox.claim({ nowMs, untilMs, countMax: CONCURRENCY, waitMaxMs });
      if (claimed.length === 0) return;
      await Promise.all(claimed.map((delivery) => this.#deliver(delivery)));
    }
  }

  async #deliver(delivery: AlertDelivery): Promise<void> {
    const { outbox, send, now, onTry } = this.#options;
    const { id } = delivery;
    const { signal } = this.#ending;
    const destination = delivery.destination as Destination;
    const message = delivery.message as unknown as AlertMessage;
    const tryCount = delivery.tryCount + 1;
    try {
      await send(destination, { id, message, signal });
      const endedAtMs = now().getTime();
      outbox.settle(id, { outcome: 'delivered', tryCount, endedAtMs, lastError: null });
      onTry(destination.kind, 'delivered');
    } catch (error) {
      if (signal.aborted) {
        outbox.settle(id, {});
        return;
      }
      onTry(destination.kind, this.#noteFailure(id, tryCount, error));
    }
  }

  #noteFailure(id: string, tryCount: number, error: unknown): 'retried' | 'failed' {
    const { outbox, tryCountMax, now, random } = this.#options;
    const lastError = reasonOf(error);
    const nowMs = now().getTime();
    if (tryCount >= tryCountMax) {
      outbox.settle(id, { outcome: 'failed', tryCount, lastError, endedAtMs: nowMs });
      return 'failed';
    }
    const waitMs = Math.min(BACKOFF_BASE_MS * 2 ** (tryCount - 1), BACKOFF_MAX_MS);
    // Between half and all of it, so that what failed together is not tried together again.
    const nextTryMs = nowMs + Math.round(waitMs * (0.5 + random() / 2));
    outbox.settle(id, { tryCount, lastError, nextTryMs });
    return 'retried';
  }
}

/** `fetch` hides why behind a text that says nothing. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return `${error.message}${cause}`;
}
