import {
  type Block,
  concatBlocks,
  EMPTY_BLOCK,
  insertRows,
  replaceRows,
} from '../../model/block.ts';
import type { GranularityName } from '../../model/granularity.ts';
import type { StreamId, StreamRecord, StreamSnapshot } from '../../model/stream.ts';
import { matchesTags, type Tags } from '../../model/tags.ts';
import { AbstractBackend } from '../abstract-backend.ts';
import type {
  AdvanceWrite,
  Commit,
  CommitOutcome,
  Expectation,
  GroupedCommit,
  LeaseOptions,
  OpenBackendOptions,
  Page,
  PageRequest,
  StreamQuery,
  Write,
} from '../backend.ts';
import { advancesOf, isLevelWrite, withoutGroups } from '../grouped-commit.ts';
import { type BackendManifest, COMPLETE_MANIFEST } from '../manifest.ts';
import { pageOf } from '../page.ts';

interface StoredStream {
  record: StreamRecord;
  readonly ordinal: number;
  revision: number;
  version: number;
  readonly levels: Map<GranularityName, GrowingLevel>;
}

interface Lease {
  readonly owner: string;
  readonly expiresMs: number;
}

/** Keeps everything in this process, as plainly as possible: the executable specification of a backend. */
export class MemoryBackend extends AbstractBackend {
  readonly supports: BackendManifest = Object.freeze({
    ...COMPLETE_MANIFEST,
    durable: false,
    processes: false,
    backup: false,
  });
  readonly location = 'memory:';
  readonly #now: () => Date;
  readonly #streams = new Map<StreamId, StoredStream>();
  readonly #leases = new Map<StreamId, Lease>();
  #commitCount = 0;
  #streamCountEver = 0;

  constructor({ now = () => new Date() }: OpenBackendOptions = {}) {
    super();
    this.#now = now;
  }

  protected async _open(): Promise<void> {}

  protected async _close(): Promise<void> {}

  protected async _readStreams(
    ids: readonly StreamId[],
  ): Promise<readonly (StreamSnapshot | null)[]> {
    return ids.map((id) => {
      const stream = this.#streams.get(id);
      return stream === undefined ? null : snapshotOf(stream);
    });
  }

  protected async _queryStreams(query: StreamQuery): Promise<readonly StreamSnapshot[]> {
    const { tags, afterOrdinal, isReverse = false, limit } = query;
    const matching = [...this.#streams.values()].filter(
      ({ record, ordinal }) =>
        matchesTags(record.tags, tags) &&
        (afterOrdinal === undefined ||
          (isReverse ? ordinal < afterOrdinal : ordinal > afterOrdinal)),
    );
    return (isReverse ? matching.reverse() : matching).slice(0, limit).map(snapshotOf);
  }

  protected async _countStreams(tags: Tags): Promise<number> {
    return [...this.#streams.values()].filter(({ record }) => matchesTags(record.tags, tags))
      .length;
  }

  protected override async _commitGrouped(commit: GroupedCommit): Promise<CommitOutcome> {
    const levelWrites = (commit.writes ?? []).filter(isLevelWrite);
    if (levelWrites.length === 0) return this._commit(withoutGroups(commit));
    const writes = (commit.writes ?? []).filter((write) => !isLevelWrite(write));
    const advances = levelWrites.flatMap((write) =>
      write.kind === 'bucket' ? advancesOf(write) : [write],
    );
    return this.#commit(withoutGroups({ ...commit, writes }), advances);
  }

  protected override async _commit(commit: Commit): Promise<CommitOutcome> {
    return this.#commit(commit, []);
  }

  #commit(commit: Commit, advances: readonly AdvanceWrite[]): CommitOutcome {
    const conflicts = commit.expect
      .filter((item) => !this.#holds(item))
      .map((item) => item.streamId);
    const changed = [
      ...(commit.update ?? []).map((record) => record.id),
      ...(commit.writes ?? []).flatMap(streamIdsOf),
      ...advances.map(({ streamId }) => streamId),
    ];
    const created = new Set((commit.create ?? []).map(({ record }) => record.id));
    conflicts.push(...changed.filter((id) => !created.has(id) && !this.#streams.has(id)));
    const isTaken = (commit.create ?? []).some(
      ({ unlessTags }) =>
        unlessTags !== undefined &&
        [...this.#streams.values()].some(({ record }) => matchesTags(record.tags, unlessTags)),
    );
    if (conflicts.length > 0 || isTaken) return { isCommitted: false, conflicts };
    const version = ++this.#commitCount;
    this.#apply(commit, version);
    for (const advance of advances) this.#advance(advance, version);
    return { isCommitted: true, version };
  }

  #holds({ streamId, revision, version }: Expectation): boolean {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return false;
    return (
      (revision === undefined || revision === stream.revision) &&
      (version === undefined || version === stream.version)
    );
  }

  #apply(commit: Commit, version: number): void {
    for (const { record } of commit.create ?? []) {
      const ordinal = ++this.#streamCountEver;
      const levels = new Map<GranularityName, GrowingLevel>();
      this.#streams.set(record.id, { record, ordinal, revision: version, version, levels });
    }
    for (const record of commit.update ?? []) {
      const stream = this.#streams.get(record.id)!;
      stream.record = record;
      stream.revision = version;
      stream.version = version;
    }
    for (const write of commit.writes ?? []) {
      this.#write(write);
      for (const id of streamIdsOf(write)) this.#streams.get(id)!.version = version;
    }
    for (const id of commit.delete ?? []) {
      this.#streams.delete(id);
      this.#leases.delete(id);
    }
  }

  #write(write: Write): void {
    if (write.kind === 'tick') {
      for (const [index, id] of write.streamIds.entries()) {
        const { record } = this.#streams.get(id)!;
        const block = {
          timestamps: Float64Array.of(write.timestampMs),
          columns: { v: write.values.slice(index, index + 1) },
        };
        this.#level(id, record.highestGranularity).insert(block);
      }
      return;
    }
    const level = this.#level(write.streamId, write.granularity.name);
    if (write.kind === 'append') level.insert(write.block);
    else level.replace(write.range, write.block);
  }

  #advance({ streamId, granularity, block, untilMs }: AdvanceWrite, version: number): void {
    const stream = this.#streams.get(streamId)!;
    if (block.timestamps.length > 0) this.#level(streamId, granularity.name).insert(block);
    const { levels } = stream.record;
    const level = { untilMs, stale: levels[granularity.name]?.stale ?? [] };
    stream.record = { ...stream.record, levels: { ...levels, [granularity.name]: level } };
    stream.revision = version;
    stream.version = version;
  }

  #level(id: StreamId, name: GranularityName): GrowingLevel {
    const { levels } = this.#streams.get(id)!;
    let level = levels.get(name);
    if (level === undefined) {
      level = new GrowingLevel();
      levels.set(name, level);
    }
    return level;
  }

  protected override async _changeToken(): Promise<string> {
    return String(this.#commitCount);
  }

  protected async _readPage(request: PageRequest): Promise<Page> {
    const level = this.#streams.get(request.streamId)?.levels.get(request.granularity.name);
    return pageOf(level?.block() ?? EMPTY_BLOCK, request);
  }

  protected async _acquireLease(id: StreamId, options: LeaseOptions): Promise<boolean> {
    const held = this.#leases.get(id);
    if (held !== undefined && held.owner !== options.owner && this.#isLive(held)) return false;
    this.#setLease(id, options);
    return true;
  }

  protected async _renewLease(id: StreamId, options: LeaseOptions): Promise<boolean> {
    const held = this.#leases.get(id);
    if (held === undefined || held.owner !== options.owner || !this.#isLive(held)) return false;
    this.#setLease(id, options);
    return true;
  }

  protected async _releaseLease(id: StreamId, owner: string): Promise<void> {
    if (this.#leases.get(id)?.owner === owner) this.#leases.delete(id);
  }

  #setLease(id: StreamId, { owner, durationMs }: LeaseOptions): void {
    this.#leases.set(id, { owner, expiresMs: this.#now().getTime() + durationMs });
  }

  #isLive({ expiresMs }: Lease): boolean {
    return expiresMs > this.#now().getTime();
  }
}

/** One block, and the small ones that came after it: joined when somebody reads or changes older rows. */
class GrowingLevel {
  #parts: Block[] = [];

  insert(rows: Block): void {
    const last = this.#parts.at(-1);
    const isInOrder = last === undefined || rows.timestamps[0]! >= last.timestamps.at(-1)!;
    this.#parts = isInOrder ? this.#parts : [insertRows(this.block(), rows)];
    if (isInOrder) this.#parts.push(rows);
  }

  replace(range: { startMs: number; endMs: number }, rows: Block): void {
    const block = replaceRows(this.block(), range, rows);
    this.#parts = block.timestamps.length > 0 ? [block] : [];
  }

  earliestMs(): number | null {
    return this.#parts[0]?.timestamps[0] ?? null;
  }

  latestMs(): number | null {
    return this.#parts.at(-1)?.timestamps.at(-1) ?? null;
  }

  block(): Block {
    if (this.#parts.length > 1) this.#parts = [concatBlocks(this.#parts)];
    return this.#parts[0] ?? EMPTY_BLOCK;
  }
}

function snapshotOf({ record, ordinal, revision, version, levels }: StoredStream): StreamSnapshot {
  const level = levels.get(record.highestGranularity);
  return {
    record,
    ordinal,
    revision,
    version,
    earliestMs: level?.earliestMs() ?? null,
    latestMs: level?.latestMs() ?? null,
  };
}

function streamIdsOf(write: Write): readonly StreamId[] {
  return write.kind === 'tick' ? write.streamIds : [write.streamId];
}
