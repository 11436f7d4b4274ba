import type { StreamId, StreamSnapshot } from '../../model/stream.ts';
import type { Tags } from '../../model/tags.ts';
import type {
  Commit,
  CommitOutcome,
  LeaseOptions,
  StreamQuery,
  StreamVersion,
} from '../backend.ts';
import { withRetries } from '../server/retry.ts';
import { type AttemptOutcome, type CommitClaim, CommitSlots } from './commit-slots.ts';
import { LeaseTable } from './lease-table.ts';
import { applyCommit, type RowWriter } from './sql-commit.ts';
import { asUnavailable, SqlFailure } from './sql-errors.ts';
import { SqlPool } from './sql-pool.ts';
import { ensureSchema, type SqlLayout } from './sql-schema.ts';
import type { SqlTarget } from './sql-url.ts';
import { StreamCatalogue } from './stream-catalogue.ts';

export interface SqlStoreOptions {
  readonly layout: SqlLayout;
  readonly writer: RowWriter;
  /** The clock of leases; absent: the server's. */
  readonly now?: (() => Date) | undefined;
}

const PAUSE_MAX_MS = 1000;
const STARTING_STATE = '57P03';

/**
 * Stream records, commits and leases in the schema of a PostgreSQL database: what every backend that keeps
 * them there does alike. Rows of data are the backend's own, by its `RowWriter`.
 */
export class SqlStore {
  /** For the backend's own statements; wrap reads in `read`. */
  readonly pool: SqlPool;
  readonly target: SqlTarget;
  readonly slots: CommitSlots;
  readonly #catalogue: StreamCatalogue;
  readonly #leases: LeaseTable;
  readonly #writer: RowWriter;
  readonly #running = new Set<Promise<unknown>>();

  private constructor(pool: SqlPool, target: SqlTarget, { writer, now }: SqlStoreOptions) {
    this.pool = pool;
    this.target = target;
    this.slots = new CommitSlots(pool, target);
    this.#catalogue = new StreamCatalogue(pool, target.schema);
    this.#leases = new LeaseTable(pool, target.schema, now);
    this.#writer = writer;
  }

  /**
   * Connects, and creates the tables when they are missing. A server that is just starting is waited for;
   * one that is not there is not.
   * @throws {BackendUnavailable} {StoreFormatUnsupported} {DriverMissing}
   */
  static async open(target: SqlTarget, options: SqlStoreOptions): Promise<SqlStore> {
    const { schema, location, retryTimeoutMs } = target;
    const pool = await SqlPool.create(target);
    try {
      await withRetries(() => ensureSchema(pool, schema, { layout: options.layout, location }), {
        durationMaxMs: retryTimeoutMs,
        pauseMaxMs: PAUSE_MAX_MS,
        isRetryable: (error) => error instanceof SqlFailure && error.sqlState === STARTING_STATE,
      });
    } catch (error) {
      await pool.close();
      throw asUnavailable(error, location);
    }
    return new SqlStore(pool, target, options);
  }

  /** Ends after all that was asked before; nothing may be asked any more. */
  async close(): Promise<void> {
    // Work under way needs its connections, and commits their slots: both would fail, or wait for ever.
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    await this.slots.close();
    await this.pool.close();
  }

  readStreams(streamIds: readonly StreamId[]): Promise<readonly (StreamSnapshot | null)[]> {
    return this.read(() => this.#catalogue.read(streamIds));
  }

  readVersions(streamIds: readonly StreamId[]): Promise<readonly (StreamVersion | null)[]> {
    return this.read(() => this.#catalogue.readVersions(streamIds));
  }

  changeToken(): Promise<string> {
    return this.read(() => this.#catalogue.changeToken());
  }

  queryStreams(query: StreamQuery): Promise<readonly StreamSnapshot[]> {
    return this.read(() => this.#catalogue.query(query));
  }

  countStreams(tags: Tags): Promise<number> {
    return this.read(() => this.#catalogue.count(tags));
  }

  /** Bytes of all tables of the schema, with their indexes. */
  storeSizeBytes(): Promise<number> {
    return this.read(async () => {
      // A table that goes away meanwhile has no size: it is left out of the sum.
      const { rows } = await this.pool.query<{ size: number }>(
        `SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::double precision AS size
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relkind = 'r'`,
        [this.target.schema],
      );
      return rows[0]!.size;
    });
  }

  /**
   * Carries out a commit in one transaction; over a lost connection it asks the server what became of it.
   * `quickly` may store a simple one in a statement of its own; null from it means the long way.
   * @throws {StreamAppendFailed} when the server refuses, or goes away and does not come back in time.
   */
  commit(
    commit: Commit,
    quickly?: (claim: CommitClaim) => Promise<CommitOutcome | null>,
  ): Promise<CommitOutcome> {
    const attempt = async (claim: CommitClaim): Promise<AttemptOutcome<CommitOutcome>> =>
      (await quickly?.(claim)) ?? (await this.#apply(commit, claim));
    return this.#tracked(this.slots.run(attempt, (version) => ({ isCommitted: true, version })));
  }

  #apply(commit: Commit, claim: CommitClaim): Promise<AttemptOutcome<CommitOutcome>> {
    const context = {
      schema: this.target.schema,
      catalogue: this.#catalogue,
      writer: this.#writer,
      claim,
    };
    return this.pool.transaction(
      (session) => applyCommit(session, commit, context),
      (outcome) => outcome === 'lost' || !outcome.isCommitted,
    );
  }

  acquireLease(streamId: StreamId, options: LeaseOptions): Promise<boolean> {
    return this.read(() => this.#leases.acquire(streamId, options));
  }

  renewLease(streamId: StreamId, options: LeaseOptions): Promise<boolean> {
    return this.read(() => this.#leases.renew(streamId, options));
  }

  releaseLease(streamId: StreamId, owner: string): Promise<void> {
    return this.read(() => this.#leases.release(streamId, owner));
  }

  /**
   * Does what is harmless to repeat, again and again while the server is away, up to the retry timeout.
   * @throws {BackendUnavailable} in the place of every failure of the server.
   */
  read<T>(work: () => Promise<T>): Promise<T> {
    return this.#tracked(this.#read(work));
  }

  async #read<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await withRetries(work, {
        durationMaxMs: this.target.retryTimeoutMs,
        pauseMaxMs: PAUSE_MAX_MS,
        isRetryable: (error) => error instanceof SqlFailure && error.isPassing,
      });
    } catch (error) {
      throw asUnavailable(error, this.target.location);
    }
  }

  #tracked<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    const forget = (): void => {
      this.#running.delete(work);
    };
    work.then(forget, forget);
    return work;
  }
}
