import { randomBytes, randomUUID } from 'node:crypto';
import { withRetries } from '../server/retry.ts';
import { asAppendFailed, outcomeUnknown, SqlFailure } from './sql-errors.ts';
import type { SqlPool } from './sql-pool.ts';
import type { SqlTarget } from './sql-url.ts';

/**
 * What a commit writes about itself, in the same transaction: `UPDATE writers SET token … WHERE client,
 * slot, epoch`. No row means that the slot was taken away: the commit must not happen.
 */
export interface CommitClaim {
  readonly client: string;
  readonly slot: number;
  readonly epoch: number;
  /** Never used before; the version of every stream that the commit touches. */
  readonly token: string;
}

/** `lost`: the claim found no row, and nothing was stored. */
export type AttemptOutcome<T> = T | 'lost';

/** One set of rows in the table. */
class Client {
  readonly id: string = randomUUID();
  readonly epochs: number[];
  ensuring: Promise<void> | null = null;

  constructor(slotCount: number) {
    this.epochs = new Array<number>(slotCount).fill(0);
  }
}

interface Doubt {
  readonly client: Client;
  readonly slot: number;
  readonly token: string;
  readonly error: SqlFailure;
}

interface Work<T> {
  readonly attempt: (claim: CommitClaim) => Promise<AttemptOutcome<T>>;
  readonly stored: (token: string) => T;
}

const PAUSE_MAX_MS = 1000;
/** Rows of clients that went without a word are removed after this time; a living one makes new rows. */
const FORGOTTEN_AFTER = '1 day';
/** Of the row that takes a token when a client goes with its rows: the table is never again as it was before. */
const DEPARTED = '00000000-0000-0000-0000-000000000000';

/**
 * Makes commits exact over lost connections. Each runs in a slot: a row that takes the commit's token. When
 * the connection breaks before the outcome is known, the slot's epoch is raised, which waits for a transaction
 * that has claimed the slot and shuts out one that has not; the token then tells what happened.
 */
export class CommitSlots {
  readonly #pool: SqlPool;
  readonly #target: SqlTarget;
  readonly #table: string;
  #client: Client;
  readonly #free: number[];
  readonly #waiting: ((slot: number) => void)[] = [];

  constructor(pool: SqlPool, target: SqlTarget) {
    this.#pool = pool;
    this.#target = target;
    this.#table = `${target.schema}.writers`;
    this.#client = new Client(target.poolSize);
    this.#free = Array.from({ length: target.poolSize }, (_, slot) => slot);
  }

  /**
   * Runs attempts at a commit until one has an outcome. `stored` makes the result of one that turns out to
   * have been stored after all.
   * @throws {StreamAppendFailed} when the server refuses, or stays away for longer than the retry timeout.
   */
  async run<T>(
    attempt: (claim: CommitClaim) => Promise<AttemptOutcome<T>>,
    stored: (token: string) => T,
  ): Promise<T> {
    const slot = await this.#take();
    try {
      return await withRetries(() => this.#runOnce(slot, { attempt, stored }), {
        durationMaxMs: this.#target.retryTimeoutMs,
        pauseMaxMs: PAUSE_MAX_MS,
        isRetryable: (error) => error instanceof SqlFailure && error.isPassing,
      });
    } catch (error) {
      throw asAppendFailed(error, this.#target.location);
    } finally {
      this.#give(slot);
    }
  }

  /** Forgets this client's rows, if the server lets it. */
  async close(): Promise<void> {
    if (this.#client.ensuring === null) return;
    await this.#pool
      .query(
        `WITH gone AS (DELETE FROM ${this.#table} WHERE client = $1)
        INSERT INTO ${this.#table} (client, slot, token) VALUES ($2, 0, $3)
        ON CONFLICT (client, slot)
        DO UPDATE SET token = excluded.token, changed_at = excluded.changed_at`,
        [this.#client.id, DEPARTED, newToken()],
      )
      .catch(() => {});
  }

  async #runOnce<T>(slot: number, { attempt, stored }: Work<T>): Promise<T> {
    for (;;) {
      const client = await this.#ensuredClient();
      const token = newToken();
      try {
        const epoch = client.epochs[slot]!;
        const result = await attempt({ client: client.id, slot, epoch, token });
        if (result !== 'lost') return result;
        this.#forget(client);
      } catch (error) {
        if (!(error instanceof SqlFailure) || !error.isInDoubt) throw error;
        if (await this.#wasStored({ client, slot, token, error })) return stored(token);
        // Nothing was stored: as harmless to repeat as any other passing failure.
        throw new SqlFailure(error.cause);
      }
    }
  }

  async #wasStored({ client, slot, token, error }: Doubt): Promise<boolean> {
    const unknown = outcomeUnknown(error, this.#target.location);
    try {
      const [row] = await withRetries(() => this.#takeAway(client, slot), {
        durationMaxMs: this.#target.retryTimeoutMs,
        pauseMaxMs: PAUSE_MAX_MS,
        isRetryable: (failure) => failure instanceof SqlFailure && failure.isPassing,
      });
      if (row === undefined) throw unknown;
      client.epochs[slot] = row.epoch;
      return row.token === token;
    } catch (failure) {
      // The slot stays in doubt: whatever uses it next starts with rows of its own.
      this.#forget(client);
      throw failure instanceof SqlFailure ? unknown : failure;
    }
  }

  async #takeAway(
    client: Client,
    slot: number,
  ): Promise<readonly { readonly token: string | null; readonly epoch: number }[]> {
    const { rows } = await this.#pool.query<{ token: string | null; epoch: number }>(
      `UPDATE ${this.#table} SET epoch = epoch + 1 WHERE client = $1 AND slot = $2
      RETURNING token, epoch`,
      [client.id, slot],
    );
    return rows;
  }

  /** With its rows in the table, made when the first commit needs them. */
  async #ensuredClient(): Promise<Client> {
    const client = this.#client;
    client.ensuring ??= this.#ensure(client);
    try {
      await client.ensuring;
    } catch (error) {
      client.ensuring = null;
      throw error;
    }
    return client;
  }

  async #ensure(client: Client): Promise<void> {
    await this.#pool.query(
      `WITH forgotten AS (
        DELETE FROM ${this.#table}
        WHERE changed_at < clock_timestamp() - $3::interval AND client <> $4
      )
      INSERT INTO ${this.#table} (client, slot)
      SELECT $1, slot FROM generate_series(0, $2::integer - 1) slot ON CONFLICT DO NOTHING`,
      [client.id, this.#target.poolSize, FORGOTTEN_AFTER, DEPARTED],
    );
  }

  #forget(client: Client): void {
    if (client === this.#client) this.#client = new Client(this.#target.poolSize);
  }

  #take(): Promise<number> {
    const slot = this.#free.pop();
    if (slot !== undefined) return Promise.resolve(slot);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #give(slot: number): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(slot);
    else next(slot);
  }
}

/** A random positive bigint: two commits never meet in 63 bits. */
function newToken(): string {
  return (randomBytes(8).readBigUInt64BE() >> 1n).toString();
}
