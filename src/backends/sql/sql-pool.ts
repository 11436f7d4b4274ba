import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Pool, PoolClient, PoolConfig } from 'pg';
import { importDriver } from '../server/driver.ts';
import { SqlFailure } from './sql-errors.ts';
import type { SqlTarget } from './sql-url.ts';

export interface SqlResult<Row> {
  readonly rows: readonly Row[];
  /** Rows that the statement returned or changed. */
  readonly rowCount: number;
}

export interface QueryOptions {
  /** Planned anew each time: for statements whose best plan depends on what they look for. */
  readonly isUnprepared?: boolean;
}

/** One connection, held by one caller at a time. Every failure of the driver is a `SqlFailure`. */
export interface SqlSession {
  /** A failure has shown that the connection cannot be used any more. */
  readonly isBroken: boolean;
  query<Row = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
    options?: QueryOptions,
  ): Promise<SqlResult<Row>>;
  /** Feeds a `COPY … FROM STDIN` statement. */
  copyFrom(text: string, source: Readable): Promise<void>;
}

/** The client waits longer than the server, by this at most, so that the server's own words arrive. */
const CLIENT_PATIENCE_MAX_MS = 5000;
const IDLE_TIMEOUT_MS = 60_000;

function importCopyStreams(): Promise<typeof import('pg-copy-streams')> {
  return importDriver('pg-copy-streams', () => import('pg-copy-streams'));
}

/** A bounded pool of connections to one server. Callers queue for them in order, however long that takes. */
export class SqlPool {
  readonly #pool: Pool;
  readonly #waiting: (() => void)[] = [];
  #freeCount: number;

  private constructor(pool: Pool, size: number) {
    this.#pool = pool;
    this.#freeCount = size;
    // A connection that breaks while nobody uses it is replaced at the next use. Without a listener it
    // would end the process.
    pool.on('error', ignore);
    // Nor has the pool a listener from the moment it hands a connection over until the caller gets it, and
    // a server that goes away can say so in the packet that ends the greeting.
    pool.on('connect', (client) => client.on('error', ignore));
  }

  /** Connects to nothing yet. @throws {DriverMissing} when pg or pg-copy-streams is not installed. */
  static async create(target: SqlTarget): Promise<SqlPool> {
    const { default: driver } = await importDriver('pg', () => import('pg'));
    // Needed only for large commits, which is too late to learn that it is not there.
    await importCopyStreams();
    return new SqlPool(new driver.Pool(poolConfig(target)), target.poolSize);
  }

  /** Lends a connection; one whose work failed for want of an answer is not used again. */
  async use<T>(work: (session: SqlSession) => Promise<T>): Promise<T> {
    await this.#take();
    try {
      const client = await this.#connect();
      const session = new Session(client);
      try {
        return await work(session);
      } finally {
        session.end();
      }
    } finally {
      this.#give();
    }
  }

  /** One statement on any connection. */
  query<Row = Record<string, unknown>>(
    text: string,
    values: readonly unknown[] = [],
    options: QueryOptions = {},
  ): Promise<SqlResult<Row>> {
    return this.use((session) => session.query<Row>(text, values, options));
  }

  /**
   * Work in one READ COMMITTED transaction, rolled back when it throws, or when it returns what
   * `isRolledBack` says so of. A connection lost during COMMIT gives a failure that `isInDoubt`.
   */
  transaction<T>(
    work: (session: SqlSession) => Promise<T>,
    isRolledBack: (result: T) => boolean = () => false,
  ): Promise<T> {
    return this.use(async (session) => {
      await session.query('BEGIN ISOLATION LEVEL READ COMMITTED');
      try {
        const result = await work(session);
        if (isRolledBack(result)) await session.query('ROLLBACK');
        else await session.query('COMMIT').catch(throwInDoubt);
        return result;
      } catch (error) {
        // On a broken connection it would wait behind the statement that never answered.
        if (!session.isBroken) await session.query('ROLLBACK').catch(() => {});
        throw error;
      }
    });
  }

  /** One statement that is a whole commit. Its failure `isInDoubt` when its outcome is not known. */
  commitStatement<Row = Record<string, unknown>>(
    text: string,
    values: readonly unknown[],
  ): Promise<SqlResult<Row>> {
    return this.use((session) => session.query<Row>(text, values).catch(throwInDoubt));
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #connect(): Promise<PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw new SqlFailure(error);
    }
  }

  async #take(): Promise<void> {
    if (this.#freeCount > 0) this.#freeCount--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#freeCount++;
    else next();
  }
}

class Session implements SqlSession {
  readonly #client: PoolClient;
  #isBroken = false;

  constructor(client: PoolClient) {
    this.#client = client;
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  async query<Row>(
    text: string,
    values: readonly unknown[] = [],
    { isUnprepared = false }: QueryOptions = {},
  ): Promise<SqlResult<Row>> {
    const name = values.length === 0 || isUnprepared ? undefined : nameOf(text);
    try {
      const { rows, rowCount } = await this.#client.query({
        text,
        values: [...values],
        ...(name === undefined ? {} : { name }),
      });
      return { rows: rows as Row[], rowCount: rowCount ?? 0 };
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async copyFrom(text: string, source: Readable): Promise<void> {
    const { from } = await importCopyStreams();
    try {
      await pipeline(source, this.#client.query(from(text)));
    } catch (error) {
      throw this.#failed(error);
    }
  }

  end(): void {
    this.#client.release(this.#isBroken);
  }

  #failed(error: unknown): SqlFailure {
    const failure = new SqlFailure(error);
    this.#isBroken ||= failure.isConnectionLost;
    return failure;
  }
}

/** The failure of the query under way, or of the next one, says the same. */
function ignore(): void {}

function throwInDoubt(error: unknown): never {
  throw error instanceof SqlFailure && error.isConnectionLost ? error.inDoubt() : error;
}

/** Statements are constants of the code and few: each is parsed and planned once a connection. */
const names = new Map<string, string>();

function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `datastream_${names.size}`;
    names.set(text, name);
  }
  return name;
}

function poolConfig(target: SqlTarget): PoolConfig {
  const { connectionString, poolSize, connectTimeoutMs, queryTimeoutMs } = target;
  return {
    connectionString,
    max: poolSize,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    statement_timeout: queryTimeoutMs,
    query_timeout: queryTimeoutMs + Math.min(queryTimeoutMs, CLIENT_PATIENCE_MAX_MS),
    // A client that vanished without a word must not hold its locks for hours.
    idle_in_transaction_session_timeout: queryTimeoutMs,
    keepAlive: true,
    fallback_application_name: 'datastream',
  };
}
