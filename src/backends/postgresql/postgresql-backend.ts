import { assert } from '../../model/assert.ts';
import { levelNumber } from '../../model/level-number.ts';
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
import type { RowWriter } from '../sql/sql-commit.ts';
import type { SqlLayout } from '../sql/sql-schema.ts';
import { SqlStore } from '../sql/sql-store.ts';
import { parseSqlUrl, type SqlTarget } from '../sql/sql-url.ts';
import { BlockTable, blockTable } from './block-table.ts';
import { PageReader } from './page-reader.ts';
import { QuickAppend } from './quick-append.ts';
import { RawPlaces } from './raw-places.ts';
import { BlockRowWriter } from './row-writer.ts';
import { tailLimits } from './tail-codec.ts';
import { TailSealer } from './tail-sealer.ts';

/** How a store divides its rows. The defaults suit; tests make everything smaller. */
interface PostgresqlTuning {
  /** Rows of a full block of raw values; blocks of bucket states get half as many. Default: 512. */
  readonly blockRowCountTarget?: number;
  /** Bytes of a tail at most; from 0.35 times that on it is sealed. Default: 1,800. */
  readonly tailSizeMaxBytes?: number;
}

export type PostgresqlBackendOptions = OpenBackendOptions & PostgresqlTuning;

interface OpenStore {
  readonly sql: SqlStore;
  readonly pages: PageReader;
  readonly quick: QuickAppend;
  readonly sealer: TailSealer;
}

const LAYOUT: SqlLayout = { name: 'postgresql', version: 1, tables: blockTable };

/** A store in a schema of a PostgreSQL database; docs/format/postgresql.md tells how it works. */
export class PostgresqlBackend extends AbstractBackend {
  readonly supports: BackendManifest = Object.freeze({
    ...COMPLETE_MANIFEST,
    liveLevels: false,
    backup: false,
  });
  readonly location: string;
  readonly #target: SqlTarget;
  readonly #options: PostgresqlBackendOptions;
  readonly #places = new RawPlaces();
  #store: OpenStore | null = null;

  /** @throws {InvalidBackendUrl} when the URL is none of `postgresql://…`, or has unknown parameters. */
  constructor(url: string, options: PostgresqlBackendOptions = {}) {
    super();
    this.#target = parseSqlUrl(url);
    this.location = this.#target.location;
    this.#options = options;
  }

  protected override async _open(): Promise<void> {
    const {
      now,
      blockRowCountTarget: rowCountTarget = 512,
      tailSizeMaxBytes = 1800,
    } = this.#options;
    const limits = tailLimits(tailSizeMaxBytes);
    const { schema, location } = this.#target;
    const places = this.#places;
    const blocks = new BlockTable({ schema, location });
    const rows = new BlockRowWriter(blocks, { rowCountTarget, limits });
    const writer: RowWriter = {
      write: (session, work) => {
        for (const { streamId, ordinal, rawLevel: level, isNew } of work.heads.values()) {
          // A creation that comes to nothing may leave its ordinal to another stream, after a crash.
          if (!isNew) places.note(streamId, { ordinal, level });
        }
        return rows.write(session, work);
      },
      remove: (session, heads) => rows.remove(session, heads),
    };
    const sql = await SqlStore.open(this.#target, { layout: LAYOUT, writer, now });
    this.#store = {
      sql,
      pages: new PageReader(sql.pool, { schema, blocks }),
      quick: new QuickAppend(sql.pool, { schema, places, limits }),
      sealer: new TailSealer(sql.pool, { schema, blocks, writer: rows, limits }),
    };
  }

  protected override async _close(): Promise<void> {
    const { sql, sealer } = this.#open();
    await sealer.stop();
    this.#store = null;
    await sql.close();
  }

  protected override async _readStreams(
    streamIds: readonly StreamId[],
  ): Promise<readonly (StreamSnapshot | null)[]> {
    const found = await this.#open().sql.readStreams(streamIds);
    for (const item of found) {
      if (item === null) continue;
      const { record, ordinal } = item;
      this.#places.note(record.id, { ordinal, level: levelNumber(record.highestGranularity) });
    }
    return found;
  }

  protected override _readVersions(
    streamIds: readonly StreamId[],
  ): Promise<readonly (StreamVersion | null)[]> {
    return this.#open().sql.readVersions(streamIds);
  }

  protected override _changeToken(): Promise<string> {
    return this.#open().sql.changeToken();
  }

  protected override _queryStreams(query: StreamQuery): Promise<readonly StreamSnapshot[]> {
    return this.#open().sql.queryStreams(query);
  }

  protected override _countStreams(tags: Tags): Promise<number> {
    return this.#open().sql.countStreams(tags);
  }

  protected override _commit(commit: Commit): Promise<CommitOutcome> {
    const { sql, quick, sealer } = this.#open();
    const items = quick.plan(commit);
    if (items === null) return sql.commit(commit);
    return sql.commit(commit, async (claim) => {
      const result = await quick.run(items, claim);
      if (result === null) return null;
      sealer.noteLong(result.longOrdinals);
      return result.outcome;
    });
  }

  protected override _readPage(request: PageRequest): Promise<Page> {
    const { sql, pages } = this.#open();
    return sql.read(() => pages.read(request));
  }

  protected override _storeSize(): Promise<number> {
    return this.#open().sql.storeSizeBytes();
  }

  protected override _acquireLease(streamId: StreamId, options: LeaseOptions): Promise<boolean> {
    return this.#open().sql.acquireLease(streamId, options);
  }

  protected override _renewLease(streamId: StreamId, options: LeaseOptions): Promise<boolean> {
    return this.#open().sql.renewLease(streamId, options);
  }

  protected override _releaseLease(streamId: StreamId, owner: string): Promise<void> {
    return this.#open().sql.releaseLease(streamId, owner);
  }

  #open(): OpenStore {
    assert(this.#store !== null, 'calls reach an open store');
    return this.#store;
  }
}
