import type { Collection, Db, Document, MongoClient, WriteConcern } from 'mongodb';
import { BackendUnavailable } from '../../exceptions/errors.ts';
import { assert } from '../../model/assert.ts';
import { importDriver } from '../server/driver.ts';
import { withRetries } from '../server/retry.ts';
import { isPassing } from './mongodb-errors.ts';
import type { MongodbUrl } from './mongodb-url.ts';

type Driver = typeof import('mongodb');

/** A document whose `_id` is text, as all of ours are. */
export type StoredDocument = Document & { readonly _id: string };

export interface ConnectionOptions {
  /** How long a call is repeated while the server is away. */
  readonly retryDurationMs: number;
  /** Called before each call to the server, with its name; what it throws fails the call. For tests. */
  readonly onCall?: ((name: string) => Promise<void>) | undefined;
  /** As `onCall`, after the server has done its part. */
  readonly onAnswer?: ((name: string) => Promise<void>) | undefined;
  readonly now?: (() => Date) | undefined;
}

const POOL_SIZE_MAX = 8;
const SELECTION_TIMEOUT_MS = 5000;
const SOCKET_TIMEOUT_MS = 60_000;
const RETRY_PAUSE_MAX_MS = 1000;
/** For so long the server's clock is reckoned on from when it was read. */
const CLOCK_TRUST_MS = 1000;

/** The driver's client, with what this backend wants of it: bounded waiting, retries, concerns, a clock. */
export class Connection {
  readonly #url: MongodbUrl;
  readonly #options: ConnectionOptions;
  #client: MongoClient | null = null;
  #db: Db | null = null;
  #clock: { readonly serverMs: number; readonly readMs: number } = {
    serverMs: 0,
    readMs: Number.NEGATIVE_INFINITY,
  };
  #ending: AbortController = new AbortController();
  /**
   * Whether the server finds documents quickly by `{_id}` alone, scans a collection for everything else,
   * and cannot take several changes of one command: FerretDB on SQLite.
   */
  hasIdLookupOnly = false;

  constructor(url: MongodbUrl, options: ConnectionOptions) {
    this.#url = url;
    this.#options = options;
  }

  async open(): Promise<void> {
    const driver = await importDriver('mongodb', () => import('mongodb'));
    const client = new driver.MongoClient(this.#url.url, {
      serverSelectionTimeoutMS: SELECTION_TIMEOUT_MS,
      connectTimeoutMS: SELECTION_TIMEOUT_MS,
      socketTimeoutMS: SOCKET_TIMEOUT_MS,
      maxPoolSize: POOL_SIZE_MAX,
      // The driver would not say that it has sent a write twice.
      retryWrites: false,
      appName: 'datastream-engine',
      ...timeoutsOf(this.#url.url),
    });
    this.#ending = new AbortController();
    try {
      await this.#prepare(driver, client);
    } catch (error) {
      await client.close();
      throw error;
    }
    this.#client = client;
  }

  async #prepare(driver: Driver, client: MongoClient): Promise<void> {
    await client.connect();
    const db = client.db(this.#url.database);
    const hello = await db.admin().command({ hello: 1 });
    if (hello['readOnly'] === true) {
      throw new BackendUnavailable(`The store ${this.#url.location} is read-only.`);
    }
    const isReplicated = hello['setName'] !== undefined || hello['msg'] === 'isdbgrid';
    const { readConcern } = client.options;
    this.#db = client.db(this.#url.database, {
      readPreference: 'primary',
      writeConcern: writeConcernOf(driver, client.options.writeConcern, isReplicated),
      ...(isReplicated && readConcern === undefined
        ? { readConcern: new driver.ReadConcern('majority') }
        : {}),
    });
    const build = await db.admin().command({ buildInfo: 1 });
    this.hasIdLookupOnly =
      build['ferretdbVersion'] !== undefined || build['ferretdb'] !== undefined;
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#client?.close();
    this.#client = null;
  }

  /** Runs work that may be repeated without harm, until it succeeds or the server has been away too long. */
  async run<T>(
    name: string,
    collection: string,
    work: (documents: Collection<StoredDocument>) => Promise<T>,
  ): Promise<T> {
    return this.#call(name, (db) => work(db.collection<StoredDocument>(collection)));
  }

  async collectionNames(): Promise<readonly string[]> {
    return this.#call('collections.list', async (db) => {
      const collections = await db.listCollections({}, { nameOnly: true }).toArray();
      return collections.map(({ name }) => name);
    });
  }

  /** Bytes of documents and indexes as the server keeps them; null when it does not tell. */
  async storeSizeBytes(): Promise<number | null> {
    const stats = await this.#call('dbStats', (db) => db.command({ dbStats: 1 }));
    const { storageSize, indexSize } = stats;
    return typeof storageSize === 'number' && typeof indexSize === 'number'
      ? storageSize + indexSize
      : null;
  }

  /** The server's clock, as it was read a moment ago at most, unless a test has its own. */
  async nowMs(): Promise<number> {
    if (this.#options.now !== undefined) return this.#options.now().getTime();
    const clock = this.#clock;
    const elapsedMs = performance.now() - clock.readMs;
    return elapsedMs < CLOCK_TRUST_MS ? clock.serverMs + elapsedMs : this.serverMs();
  }

  async serverMs(): Promise<number> {
    const hello = await this.#call('hello', (db) => db.command({ hello: 1 }));
    const serverMs = (hello['localTime'] as Date).getTime();
    this.#clock = { serverMs, readMs: performance.now() };
    return serverMs;
  }

  async #call<T>(name: string, work: (db: Db) => Promise<T>): Promise<T> {
    assert(this.#db !== null, 'a call goes to an open connection');
    const db = this.#db;
    return withRetries(
      async () => {
        await this.#options.onCall?.(name);
        const answer = await work(db);
        await this.#options.onAnswer?.(name);
        return answer;
      },
      {
        durationMaxMs: this.#options.retryDurationMs,
        pauseMaxMs: RETRY_PAUSE_MAX_MS,
        isRetryable: isPassing,
        signal: this.#ending.signal,
      },
    );
  }
}

/** What the URL leaves open: a single server would answer before its journal is on the disk. */
function writeConcernOf(
  { WriteConcern }: Driver,
  given: WriteConcern | undefined,
  isReplicated: boolean,
): WriteConcern {
  const w = given?.w ?? (isReplicated ? 'majority' : undefined);
  const isJournaled = given?.journal ?? (isReplicated || given?.w !== undefined ? undefined : true);
  return new WriteConcern(w, given?.wtimeoutMS, isJournaled);
}

/** What a URL says about waiting and the pool goes before our defaults. */
function timeoutsOf(url: string): Record<string, number> {
  const query = new URLSearchParams(url.split('?')[1] ?? '');
  const given: Record<string, number> = {};
  for (const name of [
    'serverSelectionTimeoutMS',
    'connectTimeoutMS',
    'socketTimeoutMS',
    'maxPoolSize',
  ]) {
    const value = query.get(name);
    if (value !== null) given[name] = Number(value);
  }
  return given;
}
