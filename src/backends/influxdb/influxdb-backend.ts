import { BackendUnavailable } from '../../exceptions/errors.ts';
import type { StreamId, StreamSnapshot } from '../../model/stream.ts';
import type { Tags } from '../../model/tags.ts';
import { AbstractBackend } from '../abstract-backend.ts';
import type {
  Commit,
  CommitOutcome,
  LeaseOptions,
  OpenBackendOptions,
  Page,
  PageRequest,
  StreamQuery,
  StreamVersion,
} from '../backend.ts';
import { type BackendManifest, COMPLETE_MANIFEST } from '../manifest.ts';
import { SqlPool } from '../sql/sql-pool.ts';
import type { SqlLayout } from '../sql/sql-schema.ts';
import { SqlStore } from '../sql/sql-store.ts';
import { parseSqlUrl, type SqlTarget } from '../sql/sql-url.ts';
import { FlushQueue, queueTables } from './flush-queue.ts';
import { ensureDatabase } from './influx-database.ts';
import { asUnavailable } from './influx-errors.ts';
import { InfluxHttp } from './influx-http.ts';
import { type InfluxTarget, parseInfluxUrl } from './influx-url.ts';
import { cacheTables, LevelCache } from './level-cache.ts';
import { VALUE_DOWNSAMPLERS } from './level-query.ts';
import { JSON_FIELD, NULL_FIELD, NUMBER_FIELD } from './line-protocol.ts';
import { PageReader } from './page-reader.ts';
import { QuickAppend } from './quick-append.ts';
import type { Side } from './row-bounds.ts';
import { InfluxRowWriter } from './row-writer.ts';
import { TIMESTAMP_RANGE } from './stored-values.ts';

const LAYOUT: SqlLayout = {
  name: 'influxdb',
  version: 1,
  tables: (schema) => [...queueTables(schema), ...cacheTables(schema)],
};

/**
 * Connections of flushes: one that flushes, and one for a reader who shuts out the others. Whoever holds the
 * flush lock asks for no further connection, of either pool.
 */
const FLUSH_POOL_SIZE = 2;

interface Parts {
  readonly store: SqlStore;
  readonly http: InfluxHttp;
  readonly queue: FlushQueue;
  readonly reader: PageReader;
  readonly quick: QuickAppend;
}

/**
 * Raw datapoints in InfluxDB 1.x, everything else in PostgreSQL, which alone decides what is committed:
 * rows on their way to InfluxDB lie in PostgreSQL until they are there. Levels are computed by InfluxDB when
 * they are read. Layout: docs/format/influxdb.md.
 */
export class InfluxdbBackend extends AbstractBackend {
  readonly supports: BackendManifest = Object.freeze({
    ...COMPLETE_MANIFEST,
    liveLevels: false,
    backup: false,
    extraLevels: false,
    equalTimestamps: false,
    groupValues: false,
    highAccuracy: false,
    levels: 'computed',
    valueDownsamplers: VALUE_DOWNSAMPLERS,
    timeDownsamplers: ['mean'],
    timestampRange: TIMESTAMP_RANGE,
  });
  readonly location: string;
  readonly #target: InfluxTarget;
  readonly #metadata: SqlTarget;
  readonly #now: (() => Date) | undefined;
  #parts: Parts | null = null;

  /** @throws {InvalidBackendUrl} */
  constructor(url: string, { now }: OpenBackendOptions = {}) {
    super();
    this.#target = parseInfluxUrl(url);
    this.#metadata = parseSqlUrl(this.#target.metadataUrl);
    this.location = `${this.#target.location} with ${this.#metadata.location}`;
    this.#now = now;
  }

  protected async _open(): Promise<void> {
    const policy = await ensureDatabase(this.#target);
    const http = new InfluxHttp(this.#target, policy);
    const target = { ...this.#metadata, poolSize: FLUSH_POOL_SIZE };
    const pool = await SqlPool.create(target);
    const { location } = this;
    const { retryTimeoutMs: patienceMs, backlogMaxBytes } = this.#target;
    const queue = new FlushQueue({ pool, target, http, patienceMs, backlogMaxBytes, location });
    const cache = new LevelCache(target.schema);
    const neighbour = (streamId: StreamId, side: Side): Promise<number | null> =>
      this.#neighbour(streamId, side);
    const writer = new InfluxRowWriter({ schema: target.schema, queue, cache, neighbour });
    try {
      const store = await SqlStore.open(this.#metadata, { layout: LAYOUT, writer, now: this.#now });
      const reader = new PageReader({ store, http, queue, cache, location });
      const { known } = writer;
      const quick = new QuickAppend(store.pool, { schema: target.schema, queue, known });
      this.#parts = { store, http, queue, reader, quick };
    } catch (error) {
      await queue.close();
      throw error;
    }
    // What a process left behind when it died.
    await this.#opened.queue.takeOver();
  }

  protected async _close(): Promise<void> {
    const parts = this.#parts;
    if (parts === null) return;
    this.#parts = null;
    await parts.queue.close();
    await parts.store.close();
  }

  protected _readStreams(
    streamIds: readonly StreamId[],
  ): Promise<readonly (StreamSnapshot | null)[]> {
    return this.#opened.store.readStreams(streamIds);
  }

  protected override _readVersions(
    streamIds: readonly StreamId[],
  ): Promise<readonly (StreamVersion | null)[]> {
    return this.#opened.store.readVersions(streamIds);
  }

  protected override _changeToken(): Promise<string> {
    return this.#opened.store.changeToken();
  }

  protected _queryStreams(query: StreamQuery): Promise<readonly StreamSnapshot[]> {
    return this.#opened.store.queryStreams(query);
  }

  protected _countStreams(tags: Tags): Promise<number> {
    return this.#opened.store.countStreams(tags);
  }

  /** What is committed is durable, whether or not InfluxDB is there to take it. */
  protected async _commit(commit: Commit): Promise<CommitOutcome> {
    const { store, queue, quick } = this.#opened;
    const outcome = await store.commit(commit, (claim) => quick.commit(commit, claim));
    const hasRows = (commit.writes?.length ?? 0) + (commit.delete?.length ?? 0) > 0;
    if (outcome.isCommitted && hasRows) await queue.flushIfPossible();
    return outcome;
  }

  protected _readPage(request: PageRequest): Promise<Page> {
    return this.#opened.reader.read(request);
  }

  protected _acquireLease(streamId: StreamId, options: LeaseOptions): Promise<boolean> {
    return this.#opened.store.acquireLease(streamId, options);
  }

  protected _renewLease(streamId: StreamId, options: LeaseOptions): Promise<boolean> {
    return this.#opened.store.renewLease(streamId, options);
  }

  protected _releaseLease(streamId: StreamId, owner: string): Promise<void> {
    return this.#opened.store.releaseLease(streamId, owner);
  }

  get #opened(): Parts {
    if (this.#parts === null)
      throw new BackendUnavailable(`The store ${this.location} is closing.`);
    return this.#parts;
  }

  async #neighbour(streamId: StreamId, side: Side): Promise<number | null> {
    const { http, queue } = this.#opened;
    await queue.flushFor(streamId);
    const condition = 'fromMs' in side ? `>= ${side.fromMs}ms` : `< ${side.beforeMs}ms`;
    try {
      const { rows } = await http.rows(
        `SELECT ${NUMBER_FIELD}, ${JSON_FIELD}, ${NULL_FIELD} FROM ${http.source(streamId)}
        WHERE time ${condition} ORDER BY time ${'fromMs' in side ? 'ASC' : 'DESC'} LIMIT 1`,
      );
      return (rows[0]?.[0] as number | undefined) ?? null;
    } catch (error) {
      throw asUnavailable(error, this.location);
    }
  }
}
