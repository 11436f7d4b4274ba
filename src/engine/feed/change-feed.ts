import type { Backend } from '../../backends/backend.ts';
import { StreamNotFound } from '../../exceptions/errors.ts';
import { editedFromMs } from '../../model/edits.ts';
import { rowsFromMs } from '../../model/retention.ts';
import type { StreamId, StreamRecord, StreamSnapshot } from '../../model/stream.ts';
import { matchesTags, type Tags } from '../../model/tags.ts';
import { CommitWatch } from './commit-watch.ts';
import type { ChangeReason, FeedEvent, FeedPosition, FollowedStream } from './feed-event.ts';
import { hasOtherTags, isRedefined, levelMoves } from './record-moves.ts';
import { type RowsSince, readEnds, readSince } from './rows-since.ts';

/** Streams whose versions are asked for at once. */
const VERSION_COUNT = 4096;
/** Streams whose rows are read at once: bounds what waits in memory for a reader. */
const GROUP_SIZE = 128;
/** Streams found at once. */
const PAGE_SIZE = 256;
/** How soon streams are found that begin to match because their tags changed, and how soon a doubt is looked into. */
const SEARCH_MS = 1000;
const DOUBT_MS = 20;
/** All streams are searched so many times as long apart as that takes. */
const REST_PER_SEARCH = 10;

export interface FeedRequest {
  /** Null: all streams with the tags, also later ones. */
  readonly streamIds: readonly StreamId[] | null;
  readonly tags: Tags;
  /** What is known already: these streams go on from there. */
  readonly after: ReadonlyMap<StreamId, FeedPosition>;
  /** New datapoints of a stream in one event, at most. */
  readonly rowCountMax: number;
  readonly signal: AbortSignal | undefined;
}

/** A stream as the reader of the feed knows it. */
interface Followed {
  readonly streamId: StreamId;
  readonly ordinal: number;
  readonly record: StreamRecord;
  /** Null: it may have changed since its position. */
  readonly version: number | string | null;
  /** At which version rows before the position were missing. */
  readonly doubtedVersion: number | string | null;
  readonly position: FeedPosition;
}

/**
 * Tells what becomes of streams, whichever process writes to them. Nothing is queued: the feed remembers how far its
 * reader is, and reads what came since when it is asked for more, so that a slow reader costs nothing.
 */
export class ChangeFeed {
  readonly #backend: Backend;
  readonly #request: FeedRequest;
  readonly #followed = new Map<StreamId, Followed>();
  /** Of the last stream that was created, of those that match. */
  #lastOrdinal: number | undefined;
  #searchMs = 0;
  #dueMs = Number.POSITIVE_INFINITY;
  /** How long the last look took. */
  #busyMs = 0;

  constructor(backend: Backend, request: FeedRequest) {
    this.#backend = backend;
    this.#request = request;
  }

  /** Ends when the signal is aborted. @throws {StreamNotFound} when a stream is not there at the start. */
  async *events(): AsyncGenerator<FeedEvent, void, undefined> {
    const { signal } = this.#request;
    const watch = new CommitWatch(this.#backend, signal);
    try {
      await watch.begin();
      if (signal?.aborted === true) return;
      yield* this.#start();
      do yield* this.#timedLook();
      while (await watch.next({ dueMs: this.#dueMs, busyMs: this.#busyMs }));
    } finally {
      watch.close();
    }
  }

  /** Takes no account of the time that the reader takes. */
  async *#timedLook(): AsyncGenerator<FeedEvent, void, undefined> {
    const { signal } = this.#request;
    this.#busyMs = 0;
    let resumedMs = performance.now();
    for await (const event of this.#look()) {
      this.#busyMs += performance.now() - resumedMs;
      if (signal?.aborted === true) return;
      yield event;
      resumedMs = performance.now();
    }
    this.#busyMs += performance.now() - resumedMs;
  }

  async *#start(): AsyncGenerator<FeedEvent, void, undefined> {
    const { streamIds, after } = this.#request;
    const streams: FollowedStream[] = [];
    const gone: StreamId[] = [];
    for (const ids of partsOf([...new Set(streamIds ?? [])], PAGE_SIZE)) {
      const snapshots = await this.#backend.readStreams(ids);
      for (const [index, snapshot] of snapshots.entries()) {
        const streamId = ids[index]!;
        if (snapshot === null && !after.has(streamId)) throw new StreamNotFound(streamId);
        if (snapshot === null) gone.push(streamId);
      }
      streams.push(...(await this.#follow(snapshots.flatMap((item) => item ?? []))));
    }
    for await (const page of this.#matching()) streams.push(...(await this.#follow(page)));
    this.#noteSearch(performance.now());
    yield { kind: 'ready', streams };
    for (const streamId of after.keys()) {
      const isGone = streamIds === null && !this.#followed.has(streamId);
      if (isGone || gone.includes(streamId)) yield { kind: 'deleted', streamId };
    }
    for (const { streamId, record } of streams) {
      if (after.has(streamId)) yield* expiryOf(null, record);
    }
  }

  /** Follows streams from their end on, or from where the reader says. */
  async #follow(snapshots: readonly StreamSnapshot[]): Promise<readonly FollowedStream[]> {
    const { streamIds, tags, after } = this.#request;
    const wanted = snapshots.filter(
      ({ record }) => streamIds === null || matchesTags(record.tags, tags),
    );
    const ends = await readEnds(
      this.#backend,
      wanted.filter(({ record }) => !after.has(record.id)),
    );
    let endCount = 0;
    return wanted.map(({ record, ordinal, version }) => {
      const known = after.get(record.id);
      const position = known ?? ends[endCount++]!;
      const streamId = record.id;
      const doubtedVersion = null;
      const isKnown = known === undefined;
      this.#followed.set(streamId, {
        streamId,
        ordinal,
        record,
        version: isKnown ? version : null,
        doubtedVersion,
        position,
      });
      return { streamId, record, position };
    });
  }

  /** All streams that match, or those created after the last one that did. */
  async *#matching(
    afterOrdinal?: number,
  ): AsyncGenerator<readonly StreamSnapshot[], void, undefined> {
    const { streamIds, tags } = this.#request;
    let last = afterOrdinal;
    for (let isLast = streamIds !== null; !isLast; ) {
      const page = await this.#backend.queryStreams({
        tags,
        limit: PAGE_SIZE,
        ...(last === undefined ? {} : { afterOrdinal: last }),
      });
      isLast = page.length < PAGE_SIZE;
      last = page.at(-1)?.ordinal ?? last;
      if (last !== undefined) this.#lastOrdinal = Math.max(this.#lastOrdinal ?? last, last);
      yield page;
    }
  }

  async *#look(): AsyncGenerator<FeedEvent, void, undefined> {
    this.#dueMs = Number.POSITIVE_INFINITY;
    yield* this.#newcomers();
    for (const ids of partsOf([...this.#followed.keys()], VERSION_COUNT)) {
      const versions = await this.#backend.readVersions(ids);
      const moved = ids.filter(
        (id, index) => versions[index]?.version !== this.#followed.get(id)!.version,
      );
      for (const group of partsOf(moved, GROUP_SIZE)) yield* this.#advance(group);
    }
  }

  async *#newcomers(): AsyncGenerator<FeedEvent, void, undefined> {
    const { streamIds, tags } = this.#request;
    if (streamIds !== null) return;
    const startMs = performance.now();
    // Of a query that all streams match, none begins to match later.
    const mayMatchLater = Object.keys(tags).length > 0;
    const isSearch = mayMatchLater && startMs >= this.#searchMs;
    if (mayMatchLater && !isSearch) this.#dueMs = this.#searchMs;
    for await (const page of this.#matching(isSearch ? undefined : this.#lastOrdinal)) {
      const found = page.filter(({ record }) => !this.#followed.has(record.id));
      for (const stream of await this.#follow(found)) yield { kind: 'created', ...stream };
    }
    if (isSearch) this.#noteSearch(startMs);
  }

  #noteSearch(startMs: number): void {
    const nowMs = performance.now();
    this.#searchMs = nowMs + Math.max(SEARCH_MS, (nowMs - startMs) * REST_PER_SEARCH);
  }

  async *#advance(ids: readonly StreamId[]): AsyncGenerator<FeedEvent, void, undefined> {
    const snapshots = await this.#backend.readStreams(ids);
    const work: Work[] = [];
    for (const [index, snapshot] of snapshots.entries()) {
      const followed = this.#followed.get(ids[index]!)!;
      if (snapshot === null) {
        this.#followed.delete(followed.streamId);
        yield { kind: 'deleted', streamId: followed.streamId };
      } else if (this.#hasLeft(snapshot)) {
        this.#followed.delete(followed.streamId);
        yield { kind: 'left', streamId: followed.streamId };
      } else {
        work.push({ followed, snapshot, ...editOf(followed, snapshot) });
      }
    }
    for (const item of await this.#withRows(work)) yield* this.#changesOf(item);
  }

  #hasLeft({ record }: StreamSnapshot): boolean {
    const { streamIds, tags } = this.#request;
    return streamIds === null && !matchesTags(record.tags, tags);
  }

  /** Reads what is new of streams that were only appended to, and where the others end now. */
  async #withRows(work: readonly Work[]): Promise<readonly ReadWork[]> {
    const { rowCountMax } = this.#request;
    const plain = work.filter(({ reason }) => reason === null);
    const rows = await readSince(
      this.#backend,
      plain.map(({ snapshot, followed: { position } }) => ({ snapshot, position })),
      rowCountMax,
    );
    const rowsOf = new Map(plain.map((item, index) => [item, rows[index]!]));
    const changed = work.flatMap((item): readonly Work[] => {
      const found = rowsOf.get(item);
      if (found === undefined) return [item];
      const { position } = item.followed;
      if (found.kind === 'gone' && this.#isDoubted(item)) {
        return [{ ...item, reason: 'data', fromMs: Number.NEGATIVE_INFINITY }];
      }
      if (found.kind !== 'overflow') return [];
      return [
        { ...item, reason: 'overflow', fromMs: position.latestMs ?? Number.NEGATIVE_INFINITY },
      ];
    });
    const ends = await readEnds(
      this.#backend,
      changed.map(({ snapshot }) => snapshot),
    );
    const endOf = new Map(
      changed.map((item, index) => [item.followed, { item, end: ends[index]! }]),
    );
    return work.map((item) => {
      const moved = endOf.get(item.followed);
      return moved === undefined
        ? { ...item, rows: rowsOf.get(item)!, end: null }
        : { ...moved.item, rows: null, end: moved.end };
    });
  }

  #isDoubted({ followed, snapshot }: Work): boolean {
    return followed.doubtedVersion === snapshot.version;
  }

  *#changesOf(work: ReadWork): Generator<FeedEvent, void, undefined> {
    const { followed, snapshot, rows, end } = work;
    const { streamId } = followed;
    const { record, ordinal, version } = snapshot;
    if (rows?.kind === 'gone') {
      // Whatever took these rows away is a commit that is still to be noticed.
      this.#followed.set(streamId, { ...followed, doubtedVersion: version });
      this.#dueMs = Math.min(this.#dueMs, performance.now() + DOUBT_MS);
      return;
    }
    const position = end ?? (rows as Extract<RowsSince, { kind: 'rows' }>).position;
    this.#followed.set(streamId, {
      streamId,
      ordinal,
      record,
      version,
      doubtedVersion: null,
      position,
    });
    if (hasOtherTags(followed.record, record)) yield { kind: 'tags', streamId, record };
    yield* expiryOf(followed.record, record);
    if (work.reason !== null) {
      yield { kind: 'changed', streamId, reason: work.reason, fromMs: work.fromMs, position };
    } else if (rows?.kind === 'rows' && rows.block !== null) {
      yield { kind: 'appended', streamId, record, block: rows.block, position };
    }
    if (this.#backend.supports.levels !== 'stored') return;
    const levels = levelMoves(followed.record.levels, record.levels);
    if (levels !== null) yield { kind: 'levels', streamId, levels };
  }
}

interface Work {
  readonly followed: Followed;
  readonly snapshot: StreamSnapshot;
  /** Why what the reader knows may be wrong, and from where on; null: it is not. */
  readonly reason: ChangeReason | null;
  readonly fromMs: number;
}

/** Either what is new, or the end that the reader goes on from after having read anew. */
interface ReadWork extends Work {
  readonly rows: RowsSince | null;
  readonly end: FeedPosition | null;
}

function editOf(
  { ordinal, record, position }: Followed,
  snapshot: StreamSnapshot,
): Pick<Work, 'reason' | 'fromMs'> {
  const everything = Number.NEGATIVE_INFINITY;
  // Deleted, and there again under the same id.
  if (ordinal !== snapshot.ordinal) return { reason: 'data', fromMs: everything };
  if (isRedefined(record, snapshot.record)) return { reason: 'definition', fromMs: everything };
  const editedMs = editedFromMs(snapshot.record, position.editCount);
  if (editedMs === null) return { reason: null, fromMs: everything };
  // Rows that came after the position and before the edit are to be read, too.
  return { reason: 'data', fromMs: Math.min(editedMs, position.latestMs ?? everything) };
}

function* expiryOf(
  before: StreamRecord | null,
  after: StreamRecord,
): Generator<FeedEvent, void, undefined> {
  const untilMs = rowsFromMs(after, after.highestGranularity);
  const knownMs =
    before === null ? Number.NEGATIVE_INFINITY : rowsFromMs(before, before.highestGranularity);
  if (untilMs > knownMs) yield { kind: 'expired', streamId: after.id, untilMs };
}

function* partsOf<T>(items: readonly T[], size: number): Generator<readonly T[], void, undefined> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
