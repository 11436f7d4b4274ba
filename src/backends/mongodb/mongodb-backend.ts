import { randomBytes } from 'node:crypto';
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
} from '../backend.ts';
import { type BackendManifest, COMPLETE_MANIFEST } from '../manifest.ts';
import { Applier } from './applier.ts';
import { BlockDocuments } from './block-documents.ts';
import { BlockReader } from './block-reader.ts';
import { Connection } from './connection.ts';
import type { DraftSource } from './draft.ts';
import { Follower } from './follower.ts';
import { Journal } from './journal.ts';
import { LeaseStore } from './lease-store.ts';
import { asAppendFailed, asUnavailable } from './mongodb-errors.ts';
import { type MongodbUrl, parseMongodbUrl } from './mongodb-url.ts';
import { PageReader } from './page-reader.ts';
import { prepareLayout } from './store-layout.ts';
import { StreamDocuments } from './stream-documents.ts';
import { StreamLoader } from './stream-loader.ts';
import { StreamSearch } from './stream-search.ts';
import { View } from './view.ts';
import { WriteQueue } from './write-queue.ts';

/** Sizes and times that tests make tiny. */
interface MongodbTuning {
  /** So many entries of the journal, or bytes of them, move into the documents together. */
  readonly entryCountMax?: number;
  readonly entriesSizeMaxBytes?: number;
  /** So many of them do not wait for a process that may have died. */
  readonly urgentEntryCount?: number;
  /** Rows of raw data, and of other levels, that wait in a tail before they become blocks. */
  readonly rawTailRowCountMax?: number;
  readonly levelTailRowCountMax?: number;
  /** A block of raw data, and of other levels, has at most about so many rows. */
  readonly rawBlockRowCount?: number;
  readonly levelBlockRowCount?: number;
  /** How long entries and superseded blocks stay after nobody should need them any more. */
  readonly deletionDelayMs?: number;
  /** A block that waits so long for its entry is taken for one that a dead writer left. */
  readonly orphanAgeMs?: number;
  /** How long a call is repeated while the server is away. */
  readonly retryDurationMs?: number;
  /** Streams whose states stay in memory. */
  readonly stateCountMax?: number;
  /** Called before each call to the server; what it throws fails the call. */
  readonly onCall?: (name: string) => Promise<void>;
  /** Called after each call that the server answered; what it throws takes the place of the answer. */
  readonly onAnswer?: (name: string) => Promise<void>;
}

export type MongodbBackendOptions = OpenBackendOptions & MongodbTuning;

type Limits = Required<Omit<MongodbTuning, 'onCall' | 'onAnswer'>>;

const DEFAULTS: Limits = {
  entryCountMax: 1000,
  entriesSizeMaxBytes: 8 * 2 ** 20,
  urgentEntryCount: 4000,
  rawTailRowCountMax: 2000,
  levelTailRowCountMax: 500,
  rawBlockRowCount: 4000,
  levelBlockRowCount: 1000,
  deletionDelayMs: 120_000,
  orphanAgeMs: 3_600_000,
  retryDurationMs: 20_000,
  stateCountMax: 50_000,
};

/** Streams fill their tails in step: so many different bounds keep them from being sealed all at once. */
const STAGGER_COUNT = 16;

interface Parts {
  readonly connection: Connection;
  readonly follower: Follower;
  readonly view: View;
  readonly loader: StreamLoader;
  readonly search: StreamSearch;
  readonly pages: PageReader;
  readonly queue: WriteQueue;
  readonly applier: Applier;
  readonly leases: LeaseStore;
}

/**
 * Keeps a store in a MongoDB database. One journal of numbered entries decides what is committed; stream
 * and block documents follow it. Format: docs/format/mongodb.md.
 */
export class MongodbBackend extends AbstractBackend {
  readonly supports: BackendManifest = Object.freeze({
    ...COMPLETE_MANIFEST,
    liveLevels: false,
    backup: false,
  });
  readonly location: string;
  readonly #url: MongodbUrl;
  readonly #limits: Limits;
  readonly #parts: Parts;

  /** @throws {InvalidBackendUrl} when the URL names no database, or is none. */
  constructor(url: string, options: MongodbBackendOptions = {}) {
    super();
    const { now, onCall, onAnswer, ...tuning } = options;
    this.#url = parseMongodbUrl(url);
    this.location = this.#url.location;
    this.#limits = { ...DEFAULTS, ...tuning };
    const { retryDurationMs } = this.#limits;
    this.#parts = this.#assemble(
      new Connection(this.#url, { retryDurationMs, onCall, onAnswer, now }),
    );
  }

  #assemble(connection: Connection): Parts {
    const { deletionDelayMs, stateCountMax } = this.#limits;
    const journal = new Journal(connection);
    const streams = new StreamDocuments(connection);
    const blocks = new BlockDocuments(connection, this.location);
    const leases = new LeaseStore(connection);
    const view = new View(stateCountMax);
    const follower = new Follower(journal, view, deletionDelayMs / 2);
    const loader = new StreamLoader({ view, follower, journal, streams, blocks });
    const search = new StreamSearch({ view, streams, loader });
    const reader = new BlockReader(blocks, view);
    const pages = new PageReader({ view, follower, loader, blocks: reader });
    const draftSource = (): DraftSource => ({
      position: view.position,
      streamCount: view.last.streamCount,
      load: (ids) => loader.load(ids),
      isMatched: (tags, except) => search.isMatched(tags, except),
      directory: async (id, granularity) => (await loader.level(id, granularity))?.directory ?? [],
      readBlock: (number, granularity, ref) => reader.read({ number, granularity }, [ref]),
      limits: (number, isRaw) => this.#levelLimits(number, isRaw),
    });
    const onEntry = (): void => applier.note();
    const queue = new WriteQueue({ view, follower, journal, blocks, draftSource, onEntry });
    const applier = new Applier(
      { connection, view, journal, streams, blocks, leases, loader, queue },
      {
        entryCountMax: this.#limits.entryCountMax,
        entriesSizeMaxBytes: this.#limits.entriesSizeMaxBytes,
        urgentEntryCount: this.#limits.urgentEntryCount,
        deletionDelayMs,
        orphanAgeMs: this.#limits.orphanAgeMs,
      },
      randomBytes(9).toString('base64url'),
    );
    return { connection, follower, view, loader, search, pages, queue, applier, leases };
  }

  #levelLimits(number: number, isRaw: boolean): { tailRowCountMax: number; blockRowCount: number } {
    const limits = this.#limits;
    const rowCountMax = isRaw ? limits.rawTailRowCountMax : limits.levelTailRowCountMax;
    const blockRowCount = isRaw ? limits.rawBlockRowCount : limits.levelBlockRowCount;
    const share = Math.floor((rowCountMax * (number % STAGGER_COUNT)) / (2 * STAGGER_COUNT));
    return { tailRowCountMax: rowCountMax + share, blockRowCount };
  }

  protected async _open(): Promise<void> {
    const { connection, follower } = this.#parts;
    await this.#guard(async () => {
      await connection.open();
      try {
        await prepareLayout(connection, this.location);
        await follower.reset();
      } catch (error) {
        await connection.close();
        throw error;
      }
    });
  }

  protected async _close(): Promise<void> {
    const { queue, applier, connection } = this.#parts;
    await queue.idle();
    await applier.idle();
    await connection.close();
  }

  protected async _readStreams(
    ids: readonly StreamId[],
  ): Promise<readonly (StreamSnapshot | null)[]> {
    const { follower, loader } = this.#parts;
    return this.#guard(async () => {
      await follower.follow();
      const states = await loader.load(ids);
      return ids.map((id) => states.get(id)?.snapshot() ?? null);
    });
  }

  protected override _changeToken(): Promise<string> {
    const { follower, view } = this.#parts;
    return this.#guard(async () => {
      await follower.follow();
      const { seq, token } = view.last;
      return `${seq} ${token}`;
    });
  }

  protected async _queryStreams(query: StreamQuery): Promise<readonly StreamSnapshot[]> {
    const { follower, search } = this.#parts;
    return this.#guard(async () => {
      await follower.follow();
      return search.query(query);
    });
  }

  protected async _countStreams(tags: Tags): Promise<number> {
    const { follower, search } = this.#parts;
    return this.#guard(async () => {
      await follower.follow();
      return search.count(tags);
    });
  }

  protected async _commit(commit: Commit): Promise<CommitOutcome> {
    try {
      return await this.#parts.queue.add(commit);
    } catch (error) {
      throw asAppendFailed(error, this.#url);
    }
  }

  protected async _readPage(request: PageRequest): Promise<Page> {
    return this.#guard(() => this.#parts.pages.read(request));
  }

  protected override async _storeSize(): Promise<number | null> {
    return this.#guard(() => this.#parts.connection.storeSizeBytes());
  }

  protected async _acquireLease(id: StreamId, options: LeaseOptions): Promise<boolean> {
    return this.#guard(() => this.#parts.leases.acquire(id, options));
  }

  protected async _renewLease(id: StreamId, options: LeaseOptions): Promise<boolean> {
    return this.#guard(() => this.#parts.leases.renew(id, options));
  }

  protected async _releaseLease(id: StreamId, owner: string): Promise<void> {
    return this.#guard(() => this.#parts.leases.release(id, owner));
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw asUnavailable(error, this.#url);
    }
  }
}
