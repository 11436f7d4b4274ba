import type { Backend } from '../backends/backend.ts';
import type { StreamId, StreamRecord } from '../model/stream.ts';
import { LiveStream } from './live-stream.ts';

/**
 * The streams that this process appends to. Only the appender builds on them, one batch at a time; every
 * commit carries the versions it was built on, so that what another process did is noticed.
 */
export class StreamCache {
  readonly #backend: Backend;
  readonly #streams = new Map<StreamId, LiveStream>();
  readonly #onReload: (stream: LiveStream) => void;

  /** `onReload` is told of each known stream whose data may differ from what was known of it. */
  constructor(backend: Backend, onReload: (stream: LiveStream) => void) {
    this.#backend = backend;
    this.#onReload = onReload;
  }

  /**
   * A loaded stream, as it was when it was loaded: what is marked dirty after that is found out by the
   * commit that builds on it.
   */
  get(streamId: StreamId): LiveStream | undefined {
    return this.#streams.get(streamId);
  }

  /** Whether the stream is up to date, and nothing derives from its raw datapoints. */
  isPlain(streamId: StreamId): boolean {
    const stream = this.#streams.get(streamId);
    return stream !== undefined && !stream.isDirty && stream.rawDependents.length === 0;
  }

  /** Reads what is missing or dirty. Afterwards `get` finds every stream that exists. */
  async load(streamIds: Iterable<StreamId>): Promise<void> {
    const missing = [...new Set(streamIds)].filter((id) => this.#streams.get(id)?.isDirty ?? true);
    if (missing.length === 0) return;
    const snapshots = await this.#backend.readStreams(missing);
    for (const [index, snapshot] of snapshots.entries()) {
      const streamId = missing[index]!;
      const known = this.#streams.get(streamId);
      if (known !== undefined) this.#onReload(known);
      if (snapshot === null) this.#streams.delete(streamId);
      else if (known === undefined) this.#streams.set(streamId, new LiveStream(snapshot));
      else known.adopt(snapshot);
    }
  }

  /** Loads the streams, all that derive from their raw datapoints, and all sources of those. */
  async loadClosure(streamIds: Iterable<StreamId>): Promise<void> {
    let next = new Set(streamIds);
    const seen = new Set<StreamId>();
    while (next.size > 0) {
      await this.load(next);
      const found = new Set<StreamId>();
      for (const id of next) {
        seen.add(id);
        const stream = this.get(id);
        for (const dependent of stream?.rawDependents ?? []) found.add(dependent);
      }
      const sources = [...found].filter((id) => !seen.has(id));
      next = new Set(sources);
      await this.load(sources);
      await this.load(sources.flatMap((id) => sourceIdsOf(this.get(id))));
    }
  }

  markDirty(streamIds: Iterable<StreamId>): void {
    for (const id of streamIds) {
      const stream = this.#streams.get(id);
      if (stream !== undefined) stream.isDirty = true;
    }
  }

  markAllDirty(): void {
    this.markDirty(this.#streams.keys());
  }

  /** Takes over what a commit of the appender did to a record. */
  adoptUpdate(record: StreamRecord, revision: number | string): void {
    const stream = this.#streams.get(record.id);
    if (stream === undefined) return;
    stream.adoptRecord(record);
    stream.revision = revision;
  }
}

function sourceIdsOf(stream: LiveStream | undefined): readonly StreamId[] {
  return stream?.record.derivation?.sources.map((source) => source.streamId) ?? [];
}
