import type { FastifyRequest } from 'fastify';
import type { ServiceConfig } from '../config/service-config.ts';
import { Problem } from '../http/problem.ts';

const RETRY_AFTER_S = '5';

/** How many event streams are open, together and of each caller. */
export class EventStreamCounts {
  readonly #limits: ServiceConfig['limits'];
  readonly #byCaller = new Map<string, number>();
  #total = 0;

  constructor(limits: ServiceConfig['limits']) {
    this.#limits = limits;
  }

  /**
   * Counts one more.
   * @returns what counts it no longer.
   * @throws {Problem} 429 when the caller has as many as he may, 503 when all together have.
   */
  open(request: FastifyRequest): () => void {
    const caller = callerOf(request);
    const own = this.#byCaller.get(caller) ?? 0;
    if (own >= this.#limits.eventStreamsPerCaller) {
      throw refused(429, `You have ${own} open event streams already.`);
    }
    if (this.#total >= this.#limits.eventStreams) {
      throw refused(503, `There are ${this.#total} open event streams already.`);
    }
    this.#total++;
    this.#byCaller.set(caller, own + 1);
    return () => this.#close(caller);
  }

  #close(caller: string): void {
    this.#total--;
    const left = this.#byCaller.get(caller)! - 1;
    if (left === 0) this.#byCaller.delete(caller);
    else this.#byCaller.set(caller, left);
  }
}

/** A user with all of his tokens, or the address of whoever is nobody. */
function callerOf({ identity, ip }: FastifyRequest): string {
  return identity.userId === null ? `address ${ip}` : `user ${identity.userId}`;
}

function refused(status: number, detail: string): Problem {
  return new Problem(status, detail, {
    code: 'TOO_BUSY',
    headers: { 'retry-after': RETRY_AFTER_S },
  });
}
