import { StreamAppendFailed } from '../../exceptions/errors.ts';
import { asUnavailable as sqlUnavailable } from '../sql/sql-errors.ts';
import type { SqlPool, SqlSession } from '../sql/sql-pool.ts';
import type { SqlTarget } from '../sql/sql-url.ts';
import { ChangeApplier } from './change-applier.ts';
import { asUnavailable } from './influx-errors.ts';
import type { InfluxHttp } from './influx-http.ts';
import { decodeChanges, encodeChanges, type PendingChange } from './pending-change.ts';

/** What one flush takes on, so that the lock is not held for long. */
const FLUSH_SIZE_MAX_BYTES = 8 * 1024 * 1024;
/** After this time a flush begins no further commit's changes, and keeps what it has done. */
const FLUSH_DURATION_MAX_MS = 15_000;
/** Own changes that are kept decoded until they are flushed: what does not fit is read back. */
const KEPT_SIZE_MAX_BYTES = 32 * 1024 * 1024;
const KEPT_COUNT_MAX = 1000;
/** Pauses before changes that could not be flushed are tried again by this process. */
const RETRY_PAUSE_MS = 1000;
/** Any number, the same in every version: who changes InfluxDB holds this lock of the schema. */
const FLUSH_LOCK_SEED = 71_420_534;

export interface FlushQueueOptions {
  /** Of the flushes alone: a commit may wait for one while it holds a connection of the other pool. */
  readonly pool: SqlPool;
  readonly target: SqlTarget;
  readonly http: InfluxHttp;
  /** How long a commit waits for InfluxDB to follow. */
  readonly patienceMs: number;
  /** Appends are refused while more than this waits for an InfluxDB that is away. */
  readonly backlogMaxBytes: number;
  /** Names the store in messages. */
  readonly location: string;
}

/** Tables of the queue. */
export function queueTables(schema: string): readonly string[] {
  return [
    `CREATE TABLE ${schema}.pending_changes (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      ordinals bigint[] NOT NULL,
      body bytea NOT NULL
    ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)`,
    `ALTER TABLE ${schema}.pending_changes ALTER body SET STORAGE EXTERNAL`,
  ];
}

/**
 * Changes that PostgreSQL has committed and InfluxDB has not yet: in the order of their numbers, which for
 * each stream is that of its commits, because a number is taken while the stream's head is locked. A lock
 * in PostgreSQL lets one flush at a time work on a store, so that none can bring back what a later one
 * has overwritten; one flush takes the changes of all streams, whoever committed them.
 */
export class FlushQueue {
  readonly #options: FlushQueueOptions;
  readonly #table: string;
  readonly #kept = new Map<string, readonly PendingChange[]>();
  readonly #keptSizes = new Map<string, number>();
  #keptSizeBytes = 0;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  #retry: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: FlushQueueOptions) {
    this.#options = options;
    this.#table = `${options.target.schema}.pending_changes`;
  }

  /**
   * Adds changes within the transaction of a commit that has locked their streams' heads.
   * @throws {StreamAppendFailed} when too much is waiting already.
   */
  async add(
    session: SqlSession,
    {
      changes,
      ordinals,
    }: {
      readonly changes: readonly PendingChange[];
      readonly ordinals: readonly number[];
    },
  ): Promise<void> {
    const body = encodeChanges(changes);
    const { rows } = await session.query<{ seq: string }>(
      `INSERT INTO ${this.#table} (ordinals, body) SELECT $1::bigint[], $2::bytea
      WHERE (SELECT coalesce(sum(octet_length(body)), 0) FROM ${this.#table}) < $3
      RETURNING seq`,
      [ordinals, body, this.#options.backlogMaxBytes],
    );
    const [row] = rows;
    if (row === undefined) {
      throw new StreamAppendFailed(
        `The store ${this.#options.location} takes no more: InfluxDB is away, and ` +
          `more than ${this.#options.backlogMaxBytes} bytes are waiting for it. Nothing was stored.`,
      );
    }
    this.#keep(row.seq, changes, body.length);
  }

  /**
   * Brings InfluxDB up to everything that was committed before the call.
   * @throws {BackendUnavailable} when one of the servers is away; the changes go on waiting.
   */
  flush(): Promise<void> {
    if (this.#running === null) {
      this.#running = this.#flushAll().finally(() => {
        this.#running = null;
      });
      return this.#running;
    }
    // The one under way may have looked already: whoever comes meanwhile shares the one after it.
    this.#next ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#next = null;
        return this.flush();
      });
    return this.#next;
  }

  /**
   * As `flush`, for changes that are safe already: waits for an InfluxDB that serves, but not for one that
   * is away. A failure leaves the changes to whoever comes next.
   */
  async flushIfPossible(): Promise<void> {
    const { http, patienceMs } = this.#options;
    const isAway = http.isAway;
    const flushed = this.flush().catch(() => this.#retryLater());
    if (isAway) return;
    let timer: NodeJS.Timeout | undefined;
    const isOver = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patienceMs);
    });
    await Promise.race([flushed, isOver]);
    clearTimeout(timer);
  }

  /**
   * Works while nobody else changes InfluxDB; `catchUp` brings it up to everything that is committed.
   * @throws {BackendUnavailable}
   */
  async whileQuiet<T>(work: (catchUp: () => Promise<void>) => Promise<T>): Promise<T> {
    await this.flush();
    return this.#locked((session) =>
      work(async () => {
        while (await this.#flushSome(session));
      }),
    );
  }

  /** Flushes what this process could not flush yet, if that can be done in a short time, and ends. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#retry !== null) {
      clearTimeout(this.#retry);
      void this.flush().catch(() => {});
    }
    const { http, patienceMs, pool } = this.#options;
    const timer = setTimeout(() => http.close(), patienceMs);
    while (this.#running !== null) await this.#running.catch(() => {});
    clearTimeout(timer);
    http.close();
    await pool.close();
  }

  async #flushAll(): Promise<void> {
    while (await this.#locked((session) => this.#flushSome(session)));
  }

  async #locked<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    const { pool, target, location } = this.#options;
    try {
      return await pool.transaction(async (session) => {
        // A removal that is lost is done again, and the commits after it would be lost before it is.
        await session.query(
          `SET LOCAL synchronous_commit = off;
          SELECT pg_advisory_xact_lock(hashtextextended('${target.schema}', ${FLUSH_LOCK_SEED}))`,
        );
        return work(session);
      });
    } catch (error) {
      throw asUnavailable(sqlUnavailable(error, target.location), location);
    }
  }

  /** False when nothing was waiting any more. */
  async #flushSome(session: SqlSession): Promise<boolean> {
    const { rows } = await session.query<{ seq: string; body: Buffer | null }>(
      `SELECT seq, CASE WHEN seq = ANY($1::bigint[]) THEN NULL ELSE body END AS body FROM (
        SELECT seq, body, sum(octet_length(body)) OVER (ORDER BY seq) - octet_length(body) AS before
        FROM ${this.#table}
      ) waiting WHERE before < $2 ORDER BY seq`,
      [[...this.#kept.keys()], FLUSH_SIZE_MAX_BYTES],
    );
    if (rows.length === 0) return false;
    const applier = new ChangeApplier(this.#options.http);
    const startMs = performance.now();
    const done: string[] = [];
    for (const { seq, body } of rows) {
      const where = `pending change ${seq} of ${this.#options.location}`;
      await applier.add(body === null ? this.#kept.get(seq)! : decodeChanges(body, where));
      done.push(seq);
      if (performance.now() - startMs > FLUSH_DURATION_MAX_MS) break;
    }
    await applier.finish();
    await session.query(`DELETE FROM ${this.#table} WHERE seq = ANY($1::bigint[])`, [done]);
    for (const seq of done) this.#drop(seq);
    return true;
  }

  #keep(seq: string, changes: readonly PendingChange[], sizeBytes: number): void {
    this.#kept.set(seq, changes);
    this.#keptSizes.set(seq, sizeBytes);
    this.#keptSizeBytes += sizeBytes;
    // The oldest may be of commits that were rolled back: their numbers never come.
    for (const oldest of this.#kept.keys()) {
      if (this.#keptSizeBytes <= KEPT_SIZE_MAX_BYTES && this.#kept.size <= KEPT_COUNT_MAX) return;
      this.#drop(oldest);
    }
  }

  #drop(seq: string): void {
    this.#keptSizeBytes -= this.#keptSizes.get(seq) ?? 0;
    this.#keptSizes.delete(seq);
    this.#kept.delete(seq);
  }

  #retryLater(): void {
    if (this.#isClosed || this.#retry !== null) return;
    this.#retry = setTimeout(() => {
      this.#retry = null;
      void this.flushIfPossible();
    }, RETRY_PAUSE_MS);
    // Who has nothing else to do need not wait: the changes are safe.
    this.#retry.unref();
  }
}
