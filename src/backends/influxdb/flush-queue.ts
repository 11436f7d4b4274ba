import { StreamAppendFailed } from '../../exceptions/errors.ts';
import type { StreamId } from '../../model/stream.ts';
import { asUnavailable as sqlUnavailable } from '../sql/sql-errors.ts';
import type { SqlPool, SqlSession } from '../sql/sql-pool.ts';
import type { SqlTarget } from '../sql/sql-url.ts';
import { CarefulApplier } from './careful-applier.ts';
import { ChangeApplier } from './change-applier.ts';
import { HeldChanges, newMark } from './held-changes.ts';
import { asUnavailable, InfluxFailure } from './influx-errors.ts';
import type { InfluxHttp } from './influx-http.ts';
import { decodeChanges, encodeChanges, type PendingChange } from './pending-change.ts';
import { roomFor } from './quick-append.ts';

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
/** The greatest number that a change can have: nothing that waits is left out. */
const SEQ_MAX = '9223372036854775807';

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

/** What whoever shuts out other changes of InfluxDB works with. */
export interface Quiet {
  /**
   * The connection that holds the lock. Another one must not be waited for: commits and flushes that have
   * it may be waiting for the lock, and PostgreSQL does not see such a circle.
   */
  readonly session: Pick<SqlSession, 'query'>;
  /**
   * Brings InfluxDB up to the change of this number, and no further, so that it ends however much is
   * committed meanwhile.
   * @throws {BackendUnavailable} when something of the stream is refused.
   */
  catchUp(streamId: StreamId, seq: string): Promise<void>;
}

interface WaitingRow {
  readonly seq: string;
  readonly mark: string;
  /** Null when this process still has it. */
  readonly body: Buffer | null;
  readonly size_bytes: number;
  readonly has_held: boolean;
}

interface Waiting {
  readonly seq: string;
  readonly mark: string;
  /** Decodes what this process does not have any more. */
  readonly changes: () => readonly PendingChange[];
}

/** Tables of the queue. */
export function queueTables(schema: string): readonly string[] {
  return [
    `CREATE TABLE ${schema}.pending_changes (
      seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      mark bigint NOT NULL,
      ordinals bigint[] NOT NULL,
      body bytea NOT NULL,
      refusal text
    ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)`,
    `ALTER TABLE ${schema}.pending_changes ALTER body SET STORAGE EXTERNAL`,
    `CREATE INDEX pending_changes_held ON ${schema}.pending_changes (seq)
    WHERE refusal IS NOT NULL`,
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
  readonly #held: HeldChanges;
  /** By mark: after a crash of PostgreSQL, the number of a change that was lost is given away again. */
  readonly #kept = new Map<string, readonly PendingChange[]>();
  readonly #keptSizes = new Map<string, number>();
  #keptSizeBytes = 0;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  #retry: NodeJS.Timeout | null = null;
  #isClosed = false;
  /** What InfluxDB has refused is to be tried again by the next flush. */
  #isHeldDue = false;

  constructor(options: FlushQueueOptions) {
    this.#options = options;
    this.#table = `${options.target.schema}.pending_changes`;
    this.#held = new HeldChanges(options.target.schema, options.location);
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
    const { mark, body, backlogMaxBytes } = this.prepare(changes);
    const { rowCount } = await session.query(
      `INSERT INTO ${this.#table} (mark, ordinals, body) SELECT $1, $2::bigint[], $3::bytea
      WHERE ${roomFor(this.#table, { ordinals: '$2', limit: '$4' })}`,
      [mark, ordinals, body, backlogMaxBytes],
    );
    if (rowCount === 0) {
      throw new StreamAppendFailed(
        `The store ${this.#options.location} takes no more of this: InfluxDB is away or refuses it, ` +
          `and more than ${backlogMaxBytes} bytes are waiting for it. Nothing was stored.`,
      );
    }
  }

  /** A row for the queue; this process need not read it back. */
  prepare(changes: readonly PendingChange[]): {
    readonly mark: string;
    readonly body: Buffer;
    readonly backlogMaxBytes: number;
  } {
    const body = encodeChanges(changes);
    const mark = newMark();
    this.#keep(mark, changes, body.length);
    return { mark, body, backlogMaxBytes: this.#options.backlogMaxBytes };
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
   * As `flush`, also for what InfluxDB has refused before.
   * @throws {BackendUnavailable} when it refuses something of the stream again, too.
   */
  async flushFor(streamId: StreamId): Promise<void> {
    this.#isHeldDue = true;
    await this.flush();
    await this.#assertTaken(streamId);
  }

  /** @throws {BackendUnavailable} when InfluxDB has refused something of the stream. */
  async #assertTaken(streamId: StreamId): Promise<void> {
    const { pool, target, location } = this.#options;
    try {
      await this.#held.assertNone(pool, streamId);
    } catch (error) {
      throw asUnavailable(sqlUnavailable(error, target.location), location);
    }
  }

  /** Brings InfluxDB up to what others left behind, and has it look again at what it has refused. */
  async takeOver(): Promise<void> {
    this.#isHeldDue = true;
    await this.flushIfPossible();
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
   * Works while nobody else changes InfluxDB.
   * @throws {BackendUnavailable}
   */
  async whileQuiet<T>(work: (quiet: Quiet) => Promise<T>): Promise<T> {
    await this.flush();
    return this.#locked((session) =>
      work({
        session,
        catchUp: async (streamId, seq) => {
          while (await this.#flushSome(session, seq));
          await this.#held.assertNone(session, streamId);
        },
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

  /** False when nothing up to `lastSeq` that was committed before is waiting any more. */
  async #flushSome(session: SqlSession, lastSeq: string = SEQ_MAX): Promise<boolean> {
    if (this.#isHeldDue) {
      await this.#held.release(session);
      this.#isHeldDue = false;
    }
    // Commits that come meanwhile may push out what is kept.
    const kept = new Map(this.#kept);
    const { rows } = await session.query<WaitingRow>(
      `SELECT seq, mark, CASE WHEN mark = ANY($1::bigint[]) THEN NULL ELSE body END AS body,
        octet_length(body) AS size_bytes,
        EXISTS (SELECT FROM ${this.#table} WHERE refusal IS NOT NULL) AS has_held
      FROM (
        SELECT seq, mark, body,
          sum(octet_length(body)) OVER (ORDER BY seq) - octet_length(body) AS before
        FROM ${this.#table} WHERE refusal IS NULL
      ) waiting WHERE before < $2 AND seq <= $3 ORDER BY seq`,
      [[...kept.keys()], FLUSH_SIZE_MAX_BYTES, lastSeq],
    );
    if (rows.length === 0) return false;
    const { has_held: hasHeld } = rows[0]!;
    const { location } = this.#options;
    const waiting = rows.map(({ seq, mark, body }): Waiting => {
      const changes = (): readonly PendingChange[] =>
        body === null
          ? kept.get(mark)!
          : decodeChanges(body, `pending change ${seq} of ${location}`);
      return { seq, mark, changes };
    });
    const takenCount = hasHeld ? null : await this.#flushAtOnce(session, waiting);
    const doneCount = takenCount ?? (await this.#flushCarefully(session, waiting));
    const sizeBytes = rows.reduce((sum, row) => sum + row.size_bytes, 0);
    return doneCount < rows.length || sizeBytes >= FLUSH_SIZE_MAX_BYTES;
  }

  /** How many were flushed; null when InfluxDB refuses some of it, and has taken any part of the rest. */
  async #flushAtOnce(session: SqlSession, rows: readonly Waiting[]): Promise<number | null> {
    const applier = new ChangeApplier(this.#options.http);
    const startMs = performance.now();
    const done: Waiting[] = [];
    try {
      for (const row of rows) {
        await applier.add(row.changes());
        done.push(row);
        if (performance.now() - startMs > FLUSH_DURATION_MAX_MS) break;
      }
      await applier.finish();
    } catch (error) {
      if (error instanceof InfluxFailure && error.isRefusal) return null;
      throw error;
    }
    const seqs = done.map(({ seq }) => seq);
    await session.query(`DELETE FROM ${this.#table} WHERE seq = ANY($1::bigint[])`, [seqs]);
    for (const { mark } of done) this.#drop(mark);
    return done.length;
  }

  /** One by one: what InfluxDB refuses is held back, with what comes behind it to the same streams. */
  async #flushCarefully(session: SqlSession, rows: readonly Waiting[]): Promise<number> {
    const refusals = await this.#held.refusals(session);
    const applier = new CarefulApplier(this.#options.http, refusals);
    const startMs = performance.now();
    let doneCount = 0;
    for (const row of rows) {
      const changes = await applier.apply(row.changes());
      await this.#held.hold(session, { seq: row.seq, changes, refusals });
      await this.#held.forget(session, applier.dropped);
      applier.dropped.clear();
      this.#drop(row.mark);
      doneCount++;
      if (performance.now() - startMs > FLUSH_DURATION_MAX_MS) break;
    }
    return doneCount;
  }

  #keep(mark: string, changes: readonly PendingChange[], sizeBytes: number): void {
    this.#kept.set(mark, changes);
    this.#keptSizes.set(mark, sizeBytes);
    this.#keptSizeBytes += sizeBytes;
    // The oldest may be of commits that were rolled back: their numbers never come.
    for (const oldest of this.#kept.keys()) {
      if (this.#keptSizeBytes <= KEPT_SIZE_MAX_BYTES && this.#kept.size <= KEPT_COUNT_MAX) return;
      this.#drop(oldest);
    }
  }

  #drop(mark: string): void {
    this.#keptSizeBytes -= this.#keptSizes.get(mark) ?? 0;
    this.#keptSizes.delete(mark);
    this.#kept.delete(mark);
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
