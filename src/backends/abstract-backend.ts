import { BackendClosed, NotSupported } from '../exceptions/errors.ts';
import { assert } from '../model/assert.ts';
import {
  type Block,
  concatBlocks,
  EMPTY_BLOCK,
  lowerBound,
  ownBlock,
  upperBound,
} from '../model/block.ts';
import type { StreamId, StreamSnapshot } from '../model/stream.ts';
import type { Tags } from '../model/tags.ts';
import { ALL_TIME, intersectRanges, isEmptyRange, type TimeRange } from '../model/time-range.ts';
import type {
  Backend,
  BucketWrite,
  Commit,
  CommitOutcome,
  GroupedCommit,
  LeaseOptions,
  LevelWrite,
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
  Write,
} from './backend.ts';
import { withoutGroups } from './grouped-commit.ts';
import type { BackendManifest } from './manifest.ts';

/** Large enough that the overhead of a page vanishes. */
const PAGE_ROW_COUNT = 16_384;

/**
 * Checks state and arguments once; a backend overrides the underscored methods and is promised
 * normalised arguments on an open store.
 */
export abstract class AbstractBackend implements Backend {
  abstract readonly supports: BackendManifest;
  abstract readonly location: string;
  #status: 'new' | 'opening' | 'open' | 'closed' = 'new';
  #opening: Promise<void> | null = null;
  readonly #listeners = new Set<() => void>();

  async open(): Promise<void> {
    if (this.#status === 'closed') throw this.#closed();
    this.#status = this.#status === 'new' ? 'opening' : this.#status;
    this.#opening ??= this._open();
    try {
      await this.#opening;
    } catch (error) {
      this.#opening = null;
      this.#status = 'new';
      throw error;
    }
    this.#status = 'open';
  }

  async close(): Promise<void> {
    const wasOpen = this.#status === 'open';
    if (this.#status === 'opening') await this.#opening;
    this.#status = 'closed';
    if (wasOpen || this.#opening !== null) {
      this.#opening = null;
      await this._close();
    }
  }

  async readStreams(streamIds: readonly StreamId[]): Promise<readonly (StreamSnapshot | null)[]> {
    this.#assertOpen();
    return streamIds.length === 0 ? [] : this._readStreams(streamIds);
  }

  async readVersions(streamIds: readonly StreamId[]): Promise<readonly (StreamVersion | null)[]> {
    this.#assertOpen();
    return streamIds.length === 0 ? [] : this._readVersions(streamIds);
  }

  async queryStreams(query: StreamQuery): Promise<readonly StreamSnapshot[]> {
    this.#assertOpen();
    return query.limit <= 0 ? [] : this._queryStreams(query);
  }

  async countStreams(tags: Tags): Promise<number> {
    this.#assertOpen();
    return this._countStreams(tags);
  }

  async commit(commit: GroupedCommit): Promise<CommitOutcome> {
    this.#assertOpen();
    for (const write of commit.writes ?? []) assertWrite(write, this.supports);
    const outcome = await this._commitGrouped(commit);
    if (outcome.isCommitted && this.#listeners.size > 0) {
      for (const listener of this.#listeners) listener();
    }
    return outcome;
  }

  async changeToken(): Promise<string | null> {
    this.#assertOpen();
    return this._changeToken();
  }

  onCommit(listener: () => void): () => void {
    // Of its own, so that the same one may be given twice.
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  async readPage(request: PageRequest): Promise<Page> {
    this.#assertOpen();
    assert(request.rowCountMax >= 1, 'a page has room for a row');
    if (isEmptyRange(request.range)) return { block: EMPTY_BLOCK, rest: null };
    return this._readPage(request);
  }

  async readRows(request: RowsRequest): Promise<Block> {
    this.#assertOpen();
    return this._readRows(request);
  }

  async readStreamRows<Plan extends RowsPlan>(
    streamId: StreamId,
    plan: (snapshot: StreamSnapshot) => Plan,
  ): Promise<PlannedRows<Plan> | null> {
    this.#assertOpen();
    return this._readStreamRows(streamId, plan);
  }

  async skipRows(request: SkipRequest): Promise<SkippedRows> {
    this.#assertOpen();
    const range = intersectRanges(request.range, ALL_TIME);
    return isEmptyRange(range)
      ? { rowCount: 0, rest: null }
      : this._skipRows({ ...request, range });
  }

  async visitPages(requests: readonly PageRequest[], visit: PageVisitor): Promise<void> {
    this.#assertOpen();
    for (const { rowCountMax, range } of requests) {
      assert(rowCountMax >= 1, 'a page has room for a row');
      assert(!isEmptyRange(range), 'pages that are read together have ranges');
    }
    if (requests.length > 0) await this._visitPages(requests, visit);
  }

  async streamSize(streamId: StreamId): Promise<StreamSize | null> {
    this.#assertOpen();
    return this._streamSize(streamId);
  }

  async storeSize(): Promise<number | null> {
    this.#assertOpen();
    return this._storeSize();
  }

  async checkpoint(): Promise<void> {
    this.#assertOpen();
    return this._checkpoint();
  }

  async backUp(folder: string): Promise<void> {
    this.#assertOpen();
    if (!this.supports.backup) {
      throw new NotSupported(
        `The store ${this.location} writes no backups: its server, or "datastream copy", does that.`,
      );
    }
    return this._backUp(folder);
  }

  async acquireLease(streamId: StreamId, options: LeaseOptions): Promise<boolean> {
    this.#assertOpen();
    return this._acquireLease(streamId, options);
  }

  async renewLease(streamId: StreamId, options: LeaseOptions): Promise<boolean> {
    this.#assertOpen();
    return this._renewLease(streamId, options);
  }

  async releaseLease(streamId: StreamId, owner: string): Promise<void> {
    this.#assertOpen();
    return this._releaseLease(streamId, owner);
  }

  /** May be called again after it failed. */
  protected abstract _open(): Promise<void>;
  protected abstract _close(): Promise<void>;
  /** At least one id. */
  protected abstract _readStreams(
    streamIds: readonly StreamId[],
  ): Promise<readonly (StreamSnapshot | null)[]>;
  /** At least one id. For a store that need not read records for it. */
  protected _readVersions(
    streamIds: readonly StreamId[],
  ): Promise<readonly (StreamVersion | null)[]> {
    return this._readStreams(streamIds);
  }
  /** For a store that knows something cheap which every commit changes. */
  protected async _changeToken(): Promise<string | null> {
    return null;
  }
  /** A positive limit. */
  protected abstract _queryStreams(query: StreamQuery): Promise<readonly StreamSnapshot[]>;
  protected abstract _countStreams(tags: Tags): Promise<number>;
  protected abstract _commit(commit: Commit): Promise<CommitOutcome>;
  /** For a store that has a quicker way with groups of streams than taking them apart. */
  protected _commitGrouped(commit: GroupedCommit): Promise<CommitOutcome> {
    return this._commit(withoutGroups(commit));
  }
  /** A range that is not empty. */
  protected abstract _readPage(request: PageRequest): Promise<Page>;
  /** For a store that has a quicker way than one page after the other. The range may be empty. */
  protected async _readRows(request: RowsRequest): Promise<Block> {
    const blocks: Block[] = [];
    let rest: TimeRange | null = intersectRanges(request.range, ALL_TIME);
    while (rest !== null && !isEmptyRange(rest)) {
      const page = await this._readPage({ ...request, range: rest, rowCountMax: PAGE_ROW_COUNT });
      if (page.block.timestamps.length > 0) blocks.push(page.block);
      rest = page.rest;
    }
    // Rows of several pages are copied by being put together.
    return blocks.length > 1 ? concatBlocks(blocks) : ownBlock(blocks[0] ?? EMPTY_BLOCK);
  }
  /** For a store that has a quicker way than one after the other. The range may be empty. */
  protected async _readStreamRows<Plan extends RowsPlan>(
    streamId: StreamId,
    plan: (snapshot: StreamSnapshot) => Plan,
  ): Promise<PlannedRows<Plan> | null> {
    const [snapshot = null] = await this._readStreams([streamId]);
    if (snapshot === null) return null;
    const planned = plan(snapshot);
    return { plan: planned, block: await this._readRows({ ...planned.rows, streamId }) };
  }
  /** For a store that need not read rows to pass over them. A range that is not empty. */
  protected async _skipRows({ rowCountMax, ...request }: SkipRequest): Promise<SkippedRows> {
    const pageRowCount = Math.max(1, Math.min(rowCountMax, PAGE_ROW_COUNT));
    const { block, rest } = await this._readPage({
      ...request,
      rowCountMax: pageRowCount,
      columns: [],
    });
    const { timestamps } = block;
    const surplus = timestamps.length - rowCountMax;
    if (surplus <= 0) return { rowCount: timestamps.length, rest };
    const { startMs, endMs } = request.range;
    if (request.isReverse) {
      const keptMs = timestamps[surplus - 1]!;
      const rowCount = timestamps.length - upperBound(timestamps, keptMs);
      return { rowCount, rest: { startMs, endMs: keptMs + 1 } };
    }
    const keptMs = timestamps[rowCountMax]!;
    return { rowCount: lowerBound(timestamps, keptMs), rest: { startMs: keptMs, endMs } };
  }
  /** At least one request. For a store that has a quicker way than one page after the other. */
  protected async _visitPages(requests: readonly PageRequest[], visit: PageVisitor): Promise<void> {
    for (const [index, request] of requests.entries()) visit(await this._readPage(request), index);
  }
  /** For a store that knows it without reading rows. */
  protected async _streamSize(_streamId: StreamId): Promise<StreamSize | null> {
    return null;
  }
  /** For a store that knows it. */
  protected async _storeSize(): Promise<number | null> {
    return null;
  }
  /** For a store that puts work off. */
  protected async _checkpoint(): Promise<void> {}
  /** Where the manifest has `backup`. */
  protected async _backUp(_folder: string): Promise<void> {
    assert(false, 'a store that writes backups overrides this');
  }
  protected abstract _acquireLease(streamId: StreamId, options: LeaseOptions): Promise<boolean>;
  protected abstract _renewLease(streamId: StreamId, options: LeaseOptions): Promise<boolean>;
  protected abstract _releaseLease(streamId: StreamId, owner: string): Promise<void>;

  #assertOpen(): void {
    if (this.#status !== 'open') throw this.#closed();
  }

  #closed(): BackendClosed {
    return new BackendClosed(`The store ${this.location} is not open.`);
  }
}

/** Checks what is cheap to check; that every row ascends is for whoever takes the block apart. */
function assertWrite(write: Write | LevelWrite, { liveLevels }: BackendManifest): void {
  if (write.kind === 'tick') {
    assert(write.streamIds.length === write.values.length, 'a tick has one value for each stream');
    return;
  }
  if (write.kind === 'advance' || write.kind === 'bucket') {
    assert(liveLevels, 'levels advance where the manifest says so');
    if (write.kind === 'bucket') {
      assertBucket(write);
      return;
    }
  }
  const { timestamps, columns } = write.block;
  for (const column of Object.values(columns)) {
    assert(column.length === timestamps.length, 'every column has a value for each row');
  }
  if (write.kind === 'append') assert(timestamps.length > 0, 'an append has rows');
  if (timestamps.length === 0) return;
  assert(timestamps[0]! <= timestamps.at(-1)!, 'the rows of a block ascend');
  if (write.kind === 'advance') assert(timestamps.at(-1)! < write.untilMs, 'buckets are complete');
  if (write.kind === 'replace') {
    const { startMs, endMs } = write.range;
    assert(timestamps[0]! >= startMs && timestamps.at(-1)! < endMs, 'rows lie in their range');
  }
}

function assertBucket({ streamIds, columns, startMs, untilMs }: BucketWrite): void {
  assert(startMs < untilMs, 'a bucket is complete');
  assert(columns['c'] !== undefined, 'a bucket has counts');
  for (const column of Object.values(columns)) {
    if (typeof column === 'number') continue;
    assert(column.length === streamIds.length, 'a bucket has one state for each stream');
  }
}
