import { assert } from '../../model/assert.ts';
import { type Block, EMPTY_BLOCK, ownBlock } from '../../model/block.ts';
import { ladderOf } from '../../model/ladder.ts';
import { levelNumber } from '../../model/level-number.ts';
import type { StreamId, StreamSnapshot } from '../../model/stream.ts';
import type { Tags } from '../../model/tags.ts';
import { AbstractBackend } from '../abstract-backend.ts';
import type {
  Commit,
  CommitOutcome,
  GroupedCommit,
  LeaseOptions,
  OpenBackendOptions,
  Page,
  PageRequest,
  PageVisitor,
  PlannedRows,
  RowsPlan,
  RowsRequest,
  SkippedRows,
  SkipRequest,
  StreamQuery,
  StreamSize,
  StreamVersion,
} from '../backend.ts';
import { folderSizeBytes } from '../folder-size.ts';
import { type BackendManifest, COMPLETE_MANIFEST } from '../manifest.ts';
import { writeBackup } from './backup.ts';
import { BlockStore } from './block-store.ts';
import { Committer } from './committer.ts';
import { type LevelRequest, NO_PAGE, readLevelPages } from './group-pages.ts';
import { LeaseStore } from './lease-store.ts';
import { boundedLevel, boundRawLevels } from './level-bounds.ts';
import { levelSize } from './level-size.ts';
import { readLevelPage } from './page-reader.ts';
import { readLevelRows } from './range-reader.ts';
import { Replica } from './replica.ts';
import { skipLevelRows } from './row-skipper.ts';
import { ScratchMemory } from './scratch-memory.ts';
import { Sealer } from './sealer.ts';
import { openStoreFiles, type StoreFiles } from './store-files.ts';
import type { StreamState } from './stream-state.ts';
import { StreamStore } from './stream-store.ts';
import type { View } from './view.ts';
import { WriteQueue } from './write-queue.ts';

/** How an embedded store divides its work. The defaults suit; tests make everything smaller. */
export interface EmbeddedTuning {
  /** Size of the journal above which its rows move into blocks. Default: 32 MiB. */
  readonly journalSizeMaxBytes?: number;
  /** How much longer the journal may be for each level with rows in it. Default: 1 KiB. */
  readonly sizePerTailBytes?: number;
  /** Rows of a new block of raw numbers, at most; blocks of bucket states get half as many. Default: 2,400. */
  readonly blockRowCountTarget?: number;
  /** Levels whose rows move into blocks in one transaction, at most. Default: 2,000. */
  readonly sliceLevelCount?: number;
  /** Stream records kept parsed. Default: 20,000. */
  readonly recordCountMax?: number;
}

/** Streams read in one go: their records are still in memory when all of them were looked up. */
const SNAPSHOT_COUNT = 4096;

export type EmbeddedBackendOptions = OpenBackendOptions & EmbeddedTuning;

interface OpenStore {
  readonly files: StoreFiles;
  readonly replica: Replica;
  readonly streams: StreamStore;
  readonly blocks: BlockStore;
  readonly leases: LeaseStore;
  readonly committer: Committer;
  readonly sealer: Sealer;
  readonly queue: WriteQueue;
}

/** A store in a folder of its own, on LMDB; docs/format/embedded-store.md tells how it works. */
export class EmbeddedBackend extends AbstractBackend {
  readonly supports: BackendManifest = COMPLETE_MANIFEST;
  readonly location: string;
  readonly #path: string;
  readonly #options: EmbeddedBackendOptions;
  #store: OpenStore | null = null;
  /** Of pages that are being visited. */
  readonly #scratch = new ScratchMemory();

  constructor(path: string, options: EmbeddedBackendOptions = {}) {
    super();
    this.#path = path;
    this.location = `embedded:${path}`;
    this.#options = options;
  }

  protected override async _open(): Promise<void> {
    const {
      now = () => new Date(),
      journalSizeMaxBytes = 32 * 1024 * 1024,
      sizePerTailBytes = 1024,
      blockRowCountTarget: rowCountTarget = 2400,
      sliceLevelCount = 2000,
      recordCountMax = 20_000,
    } = this.#options;
    const files = await openStoreFiles(this.#path);
    const replica = new Replica(files);
    const streams = new StreamStore(files, { recordCountMax });
    const blocks = new BlockStore(files, { rowCountTarget });
    const leases = new LeaseStore(files, { now });
    const committer = new Committer({ streams, blocks, leases, journal: replica.journal });
    const sealer = new Sealer(replica, committer, {
      journalSizeMaxBytes,
      sizePerTailBytes,
      sliceLevelCount,
    });
    const queue = new WriteQueue(replica, sealer);
    this.#store = { files, replica, streams, blocks, leases, committer, sealer, queue };
  }

  protected override async _close(): Promise<void> {
    const { queue, sealer, replica, files } = this.#open();
    queue.flush();
    sealer.stop();
    this.#store = null;
    await replica.close();
    await files.close();
  }

  protected override async _checkpoint(): Promise<void> {
    const { queue, sealer } = this.#open();
    queue.flush();
    await sealer.checkpoint();
  }

  protected override async _backUp(folder: string): Promise<void> {
    const { queue, replica } = this.#open();
    queue.flush();
    const pinned = replica.pin();
    try {
      await writeBackup(pinned, folder);
    } finally {
      pinned.release();
    }
  }

  protected override async _streamSize(streamId: StreamId): Promise<StreamSize | null> {
    const { replica, streams, blocks } = this.#open();
    return replica.read((view) => {
      const stream = streams.byId(view, streamId);
      if (stream === null) return null;
      const { raw, levels } = ladderOf(streams.record(view, stream));
      let rowCount = 0;
      let sizeBytes = 0;
      for (const { name } of [raw, ...levels]) {
        const place = { ordinal: stream.ordinal, level: levelNumber(name) };
        const size = levelSize(blocks, place, view.level(place));
        if (name === raw.name) rowCount = size.rowCount;
        sizeBytes += size.sizeBytes;
      }
      return { rowCount, sizeBytes };
    });
  }

  protected override async _storeSize(): Promise<number> {
    this.#open();
    return folderSizeBytes(this.#path);
  }

  protected override async _readStreams(
    streamIds: readonly StreamId[],
  ): Promise<readonly (StreamSnapshot | null)[]> {
    const store = this.#open();
    return store.replica.read((view) => {
      const found: (StreamSnapshot | null)[] = [];
      for (let from = 0; from < streamIds.length; from += SNAPSHOT_COUNT) {
        const ids = streamIds.slice(from, from + SNAPSHOT_COUNT);
        const streams = ids.map((streamId) => store.streams.byId(view, streamId));
        boundRawLevels(store.blocks, streams);
        for (const stream of streams) {
          found.push(stream === null ? null : snapshot(store, view, stream));
        }
      }
      return found;
    });
  }

  protected override async _readVersions(
    streamIds: readonly StreamId[],
  ): Promise<readonly (StreamVersion | null)[]> {
    const { replica, streams } = this.#open();
    return replica.read((view) =>
      streamIds.map((streamId) => {
        const stream = streams.byId(view, streamId);
        if (stream === null) return null;
        const { ordinal, revision, version } = stream;
        return { ordinal, revision, version };
      }),
    );
  }

  /** Every commit is an entry of the journal. */
  protected override async _changeToken(): Promise<string> {
    return this.#open().replica.read(({ seq }) => String(seq));
  }

  protected override async _queryStreams(query: StreamQuery): Promise<readonly StreamSnapshot[]> {
    const store = this.#open();
    return store.replica.read((view) => {
      const streams = store.streams.query(view, query);
      boundRawLevels(store.blocks, streams);
      return streams.map((stream) => snapshot(store, view, stream));
    });
  }

  protected override async _countStreams(tags: Tags): Promise<number> {
    const { replica, streams } = this.#open();
    return replica.read((view) => streams.count(view, tags));
  }

  protected override _commit(commit: Commit): Promise<CommitOutcome> {
    return this._commitGrouped(commit);
  }

  protected override _commitGrouped(commit: GroupedCommit): Promise<CommitOutcome> {
    const { queue, committer } = this.#open();
    return queue.add((view) => committer.apply(view, commit));
  }

  protected override async _readPage(request: PageRequest): Promise<Page> {
    const { replica, streams, blocks } = this.#open();
    return replica.read((view) => {
      const asked = levelRequest(streams, view, request);
      if (asked === null) return NO_PAGE;
      return readLevelPage(blocks, asked.place, asked.options);
    });
  }

  protected override async _readRows(request: RowsRequest): Promise<Block> {
    const store = this.#open();
    return store.replica.read((view) => {
      const stream = store.streams.byId(view, request.streamId);
      return stream === null ? ownBlock(EMPTY_BLOCK) : rowsOf(store, view, stream, request);
    });
  }

  protected override async _readStreamRows<Plan extends RowsPlan>(
    streamId: StreamId,
    plan: (snapshot: StreamSnapshot) => Plan,
  ): Promise<PlannedRows<Plan> | null> {
    const store = this.#open();
    return store.replica.read((view) => {
      const stream = store.streams.byId(view, streamId);
      if (stream === null) return null;
      const planned = plan(snapshot(store, view, stream));
      return { plan: planned, block: rowsOf(store, view, stream, planned.rows) };
    });
  }

  protected override async _skipRows(request: SkipRequest): Promise<SkippedRows> {
    const { replica, streams, blocks } = this.#open();
    const { streamId, granularity, range, rowCountMax, isReverse = false } = request;
    return replica.read((view) => {
      const stream = streams.byId(view, streamId);
      if (stream === null) return { rowCount: 0, rest: null };
      const place = { ordinal: stream.ordinal, level: levelNumber(granularity.name) };
      const state = view.level(place);
      return skipLevelRows(blocks, place, { range, rowCountMax, isReverse, state });
    });
  }

  protected override async _visitPages(
    requests: readonly PageRequest[],
    visit: PageVisitor,
  ): Promise<void> {
    const { replica, streams, blocks } = this.#open();
    this.#scratch.reset();
    const pages = replica.read((view) =>
      readLevelPages(
        blocks,
        requests.map((request) => levelRequest(streams, view, request)),
        this.#scratch,
      ),
    );
    for (const [index, page] of pages.entries()) visit(page, index);
  }

  protected override _acquireLease(streamId: StreamId, options: LeaseOptions): Promise<boolean> {
    const { queue, leases } = this.#open();
    return queue.add(() => leases.acquire(streamId, options));
  }

  protected override _renewLease(streamId: StreamId, options: LeaseOptions): Promise<boolean> {
    const { queue, leases } = this.#open();
    return queue.add(() => leases.renew(streamId, options));
  }

  protected override _releaseLease(streamId: StreamId, owner: string): Promise<void> {
    const { queue, leases } = this.#open();
    return queue.add(() => leases.release(streamId, owner));
  }

  #open(): OpenStore {
    assert(this.#store !== null, 'calls reach an open store');
    return this.#store;
  }
}

function rowsOf(
  { blocks }: OpenStore,
  view: View,
  { ordinal }: StreamState,
  { granularity, range, columns }: RowsPlan['rows'],
): Block {
  const place = { ordinal, level: levelNumber(granularity.name) };
  return readLevelRows(blocks, place, { range, columns, state: view.level(place) });
}

/** Null when there is no such stream. */
function levelRequest(
  streams: StreamStore,
  view: View,
  { streamId, granularity, range, rowCountMax, isReverse = false, columns }: PageRequest,
): LevelRequest | null {
  const stream = streams.byId(view, streamId);
  if (stream === null) return null;
  const place = { ordinal: stream.ordinal, level: levelNumber(granularity.name) };
  const state = view.level(place);
  return { place, options: { range, rowCountMax, isReverse, columns, state } };
}

function snapshot({ streams, blocks }: OpenStore, view: View, stream: StreamState): StreamSnapshot {
  const { ordinal, revision, version } = stream;
  const raw = boundedLevel(blocks, stream, stream.rawLevel);
  return {
    record: streams.record(view, stream),
    ordinal,
    revision,
    version,
    earliestMs: raw.isEmpty ? null : raw.firstMs,
    latestMs: raw.isEmpty ? null : raw.lastMs,
  };
}
