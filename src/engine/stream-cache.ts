import type { Backend } from '../backends/backend.ts';
import { StreamNotFound } from '../exceptions/errors.ts';
import type { StreamId, StreamRecord } from '../model/stream.ts';
import { SECOND_MS } from '../model/time-range.ts';
import { LiveStream } from './live-stream.ts';
import { loadOperators } from './operator-run.ts';
import { readSources } from './source-query.ts';

/** Streams that are remembered at most, apart from those of the batch at hand. */
const STREAM_COUNT_MAX = 200_000;
/** Room that is made at once when there are more. */
const EVICTED_COUNT = 20_000;
/** How often a stream is read again of which a source is gone. */
const TRY_COUNT_MAX = 5;

/**
 * The streams that this process appends to. Only the appender builds on them, one batch at a time; every
 * commit carries the versions it was built on, so that what another process did is noticed.
 */
export class StreamCache {
  readonly #backend: Backend;
  readonly #streamCountMax: number;
  readonly #streams = new Map<StreamId, LiveStream>();
  readonly #dirty = new Set<LiveStream>();
  /** Were dirty when the load under way began, and nobody has asked for them so far. */
  #unasked = new Set<LiveStream>();
  readonly #onReload: (stream: LiveStream) => void;
  /** Whether a stream was ever loaded that keeps milliseconds. */
  hasMilliseconds = false;
  #epoch = 0;

  /** `onReload` is told of each known stream whose data may differ from what was known of it. */
  constructor(
    backend: Backend,
    onReload: (stream: LiveStream) => void,
    { streamCountMax = STREAM_COUNT_MAX }: { readonly streamCountMax?: number } = {},
  ) {
    this.#backend = backend;
    this.#onReload = onReload;
    this.#streamCountMax = streamCountMax;
  }

  /**
   * Changes when a known stream leaves the cache, or what derives from it changes. What was found out about
   * streams by following their dependents holds as long as it stays the same.
   */
  get epoch(): number {
    return this.#epoch;
  }

  /** Whether a known stream must be read again before somebody builds on it. */
  get hasDirty(): boolean {
    return this.#dirty.size > 0;
  }

  /**
   * A loaded stream, as it was when it was loaded: what is marked dirty after that is found out by the
   * commit that builds on it.
   */
  get(streamId: StreamId): LiveStream | undefined {
    return this.#streams.get(streamId);
  }

  /** Whether the stream, and everything that derives from its raw datapoints, is up to date. */
  isReady(streamId: StreamId): boolean {
    const stream = this.#streams.get(streamId);
    if (stream === undefined || stream.isDirty) return false;
    if (stream.rawDependents.length === 0) return true;
    return stream.closureEpoch === this.#epoch && this.#dirty.size === 0;
  }

  /** Reads what is missing or dirty. Afterwards `get` finds every stream that exists. */
  async #load(streamIds: Iterable<StreamId>): Promise<void> {
    const missing = [...new Set(streamIds)].filter((id) => this.#streams.get(id)?.isDirty ?? true);
    if (missing.length === 0) return;
    const snapshots = await this.#backend.readStreams(missing);
    await loadOperators(snapshots.flatMap((snapshot) => snapshot?.record ?? []));
    for (const [index, snapshot] of snapshots.entries()) {
      const streamId = missing[index]!;
      const known = this.#streams.get(streamId);
      if (known !== undefined) this.#unasked.delete(known);
      if (known === undefined) {
        if (snapshot !== null) this.#add(new LiveStream(snapshot));
      } else if (snapshot === null) {
        this.#remove(known);
      } else {
        this.#onReload(known);
        if (known.adopt(snapshot)) this.#epoch++;
        this.#dirty.delete(known);
      }
    }
    await this.#loadSources(missing);
  }

  /** Reads what the streams among them that derive by a query derive from. */
  async #loadSources(streamIds: readonly StreamId[]): Promise<void> {
    for (const streamId of streamIds) {
      const stream = this.#streams.get(streamId);
      if (!stream?.hasUnknownSources) continue;
      const { list } = await readSources(this.#backend, stream.record);
      if (!stream.adoptSources(list)) continue;
      this.#onReload(stream);
      this.#epoch++;
    }
  }

  #add(stream: LiveStream): void {
    this.#streams.set(stream.streamId, stream);
    if (stream.stepMs < SECOND_MS) this.hasMilliseconds = true;
  }

  /**
   * Loads the streams, all that derive from their raw datapoints, and all sources of those, and lets go of
   * what else was dirty.
   */
  async loadClosure(streamIds: Iterable<StreamId>): Promise<void> {
    this.#unasked = new Set(this.#dirty);
    const seen = new Set<StreamId>();
    let next = new Set(streamIds);
    while (next.size > 0) {
      await this.#load(next);
      const found = new Set<StreamId>();
      for (const id of next) {
        seen.add(id);
        const stream = this.get(id);
        for (const dependent of stream?.rawDependents ?? []) found.add(dependent);
      }
      const dependents = [...found].filter((id) => !seen.has(id));
      next = new Set(dependents);
      await this.#load(dependents);
      await this.#loadSourcesOf(dependents);
    }
    for (const stream of this.#unasked) this.#remove(stream);
    for (const id of seen) {
      const stream = this.#streams.get(id);
      if (stream !== undefined) stream.closureEpoch = this.#epoch;
    }
  }

  /**
   * Reads all sources of the streams. One of which a source is gone is gone, too, or has got others: it is read again.
   * @throws {StreamNotFound} for a source that stays away.
   */
  async #loadSourcesOf(streamIds: readonly StreamId[]): Promise<void> {
    let pending = streamIds;
    for (let tryCount = 1; pending.length > 0; tryCount++) {
      const sourceIds = pending.flatMap((id) => sourceIdsOf(this.get(id)));
      await this.#load(sourceIds);
      const gone = sourceIds.find((id) => !this.#streams.has(id));
      if (gone === undefined) return;
      if (tryCount > TRY_COUNT_MAX) throw new StreamNotFound(gone);
      pending = pending.filter((id) =>
        sourceIdsOf(this.get(id)).some((sourceId) => !this.#streams.has(sourceId)),
      );
      this.markDirty(pending);
      await this.#load(pending);
    }
  }

  markDirty(streamIds: Iterable<StreamId>): void {
    for (const id of streamIds) {
      const stream = this.#streams.get(id);
      if (stream === undefined) continue;
      stream.isDirty = true;
      this.#dirty.add(stream);
    }
  }

  markAllDirty(): void {
    this.markDirty(this.#streams.keys());
  }

  /** Takes over what a commit of the appender did to a record. */
  adoptUpdate(record: StreamRecord, revision: number | string): void {
    const stream = this.#streams.get(record.id);
    if (stream === undefined) return;
    if (stream.adoptRecord(record)) this.#epoch++;
    stream.revision = revision;
  }

  #remove(stream: LiveStream): void {
    this.#onReload(stream);
    this.#streams.delete(stream.streamId);
    this.#dirty.delete(stream);
    this.#epoch++;
  }

  /** Bounds the cache: lets go of streams that had no rows since they were looked at last. */
  trim(): void {
    if (this.#streams.size <= this.#streamCountMax) return;
    let evictedCount = 0;
    for (const [streamId, stream] of [...this.#streams]) {
      if (evictedCount >= EVICTED_COUNT) return;
      if (stream.isInUse) {
        stream.rest();
        this.#streams.delete(streamId);
        this.#streams.set(streamId, stream);
      } else {
        this.#remove(stream);
        evictedCount++;
      }
    }
  }
}

function sourceIdsOf(stream: LiveStream | undefined): readonly StreamId[] {
  return stream?.sources.map((source) => source.streamId) ?? [];
}
