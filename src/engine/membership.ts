import type { Backend, Expectation } from '../backends/backend.ts';
import { addRange } from '../model/staleness.ts';
import type { StreamId, StreamRecord, StreamSnapshot } from '../model/stream.ts';
import { matchesTags, type Tags } from '../model/tags.ts';
import {
  type Downstream,
  type MovedStreams,
  movedDownstream,
  readDownstream,
  withDependent,
  withoutDependent,
} from './change-lineage.ts';
import { commitOrRetry } from './commit-or-retry.ts';
import { depthOf } from './live-stream.ts';
import {
  contributedRange,
  granularityRead,
  granularityToRead,
  matchingStreams,
  QUERYING_TAGS,
} from './source-query.ts';

/** Streams that one commit brings in or lets go. */
const CHUNK_STREAM_COUNT = 500;

type Store = Pick<Backend, 'readStreams' | 'queryStreams' | 'commit'>;

/**
 * Sees to it that streams that derive by a query have the sources that match it. A source knows that it is one,
 * by its dependents: the derived stream's own record stays as small as it is, and is only written anew, so that
 * whoever knows its sources notices.
 */
export class Membership {
  readonly #backend: Store;
  /** Told of streams whose records a commit has changed. */
  readonly #onChanged: (streamIds: readonly StreamId[]) => void;
  readonly #waiting = new Set<StreamId>();
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  constructor(backend: Store, onChanged: (streamIds: readonly StreamId[]) => void) {
    this.#backend = backend;
    this.#onChanged = onChanged;
  }

  /**
   * Lets streams that are new, or have other tags or levels, be sources where they now match, and no longer where
   * they do not. Calls that come while one is at work share the next round.
   */
  settle(streamId: StreamId): Promise<void> {
    this.#waiting.add(streamId);
    this.#next ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#next = null;
        const streamIds = [...this.#waiting];
        this.#waiting.clear();
        this.#running = this.#settle(streamIds);
        return this.#running;
      });
    return this.#next;
  }

  async #settle(streamIds: readonly StreamId[]): Promise<void> {
    const querying = await this.#querying();
    if (querying.length === 0) return;
    for (let from = 0; from < streamIds.length; from += CHUNK_STREAM_COUNT) {
      const chunk = streamIds.slice(from, from + CHUNK_STREAM_COUNT);
      const snapshots = await this.#backend.readStreams(chunk);
      const present = snapshots.filter((snapshot) => snapshot !== null);
      for (const { record } of querying) await this.#bring(record, present);
    }
  }

  /** As `settle` of all streams; of those alone that match one querying stream, if that is given. */
  async settleAll(streamId?: StreamId): Promise<void> {
    for (const { record } of await this.#querying()) {
      if (streamId !== undefined && record.id !== streamId) continue;
      for await (const page of matchingStreams(this.#backend, record.derivation!.query!.tags)) {
        await this.#bring(record, page);
      }
    }
  }

  async #querying(): Promise<readonly StreamSnapshot[]> {
    const found: StreamSnapshot[] = [];
    for await (const page of matchingStreams(this.#backend, QUERYING_TAGS)) found.push(...page);
    return found.filter(({ record }) => record.derivation?.query !== undefined);
  }

  /** Brings in, and lets go, what of the streams is not as it should be. */
  async #bring(derived: StreamRecord, streams: readonly StreamSnapshot[]): Promise<void> {
    const wrong = streams.filter((stream) => isMisplaced(derived, stream.record));
    for (let from = 0; from < wrong.length; from += CHUNK_STREAM_COUNT) {
      const chunk = wrong.slice(from, from + CHUNK_STREAM_COUNT).map(({ record }) => record.id);
      await commitOrRetry({
        what: `stream ${derived.id}, or one that it derives from`,
        attempt: async () => ((await this.#commit(derived.id, chunk)) ? 'done' : 'conflict'),
      });
    }
  }

  async #commit(derivedId: StreamId, streamIds: readonly StreamId[]): Promise<boolean> {
    const [derived, ...streams] = await this.#backend.readStreams([derivedId, ...streamIds]);
    if (derived === null || derived === undefined) return true;
    const wrong = streams
      .filter((stream) => stream !== null)
      .filter((stream) => isMisplaced(derived.record, stream.record));
    // Only a stream that derives from others could derive from this one.
    const downstream = wrong.some(({ record }) => record.derivation !== null)
      ? await readDownstream(this.#backend, derived.record)
      : NO_DOWNSTREAM;
    const moving = wrong.filter(({ record }) => !downstream.via.has(record.id));
    if (moving.length === 0) return true;
    const records = new Map<StreamId, StreamRecord>();
    for (const { record } of moving) records.set(record.id, replaced(derived.record, record));
    const changed = withStaleInputs(derived.record, moving);
    const moved = await this.#deepened(changed, moving, downstream);
    records.set(derivedId, moved.derived);
    for (const record of moved.records) {
      const { dependents } = records.get(record.id) ?? record;
      records.set(record.id, { ...record, dependents });
    }
    const expect = new Map<StreamId, Expectation>();
    for (const item of moved.expect) expect.set(item.streamId, item);
    for (const { record, revision } of [derived, ...downstream.snapshots.values()]) {
      expect.set(record.id, { streamId: record.id, revision });
    }
    // The version too: a datapoint that arrives now would neither be stale nor be propagated.
    for (const { record, revision, version } of moving) {
      expect.set(record.id, { streamId: record.id, revision, version });
    }
    const outcome = await this.#backend.commit({
      expect: [...expect.values()],
      update: [...records.values()],
    });
    if (outcome.isCommitted) this.#onChanged([...records.keys()]);
    return outcome.isCommitted;
  }

  /** The derived stream, and all that derives from it, deeper than its new sources. */
  async #deepened(
    derived: StreamRecord,
    sources: readonly StreamSnapshot[],
    downstream: Downstream,
  ): Promise<MovedStreams & { readonly derived: StreamRecord }> {
    const derivation = derived.derivation!;
    const depth = Math.max(derivation.depth, ...sources.map(({ record }) => 1 + depthOf(record)));
    if (depth === derivation.depth) return { derived, records: [], expect: [] };
    const place = { streamId: derived.id, depth };
    const moved = await movedDownstream(this.#backend, place, downstream);
    return { derived: { ...derived, derivation: { ...derivation, depth } }, ...moved };
  }
}

const NO_DOWNSTREAM: Downstream = { snapshots: new Map(), via: new Map() };

/** Whether a stream is read otherwise than the query says, loops apart. */
function isMisplaced(derived: StreamRecord, source: StreamRecord): boolean {
  return granularityRead(source, derived.id) !== granularityToRead(derived, source);
}

/** The streams that a derivation by a query takes as sources; none that derive from the stream itself. */
export async function readMembers(
  backend: Pick<Backend, 'queryStreams'>,
  derived: StreamRecord,
  { via }: Downstream,
): Promise<readonly StreamSnapshot[]> {
  const query = derived.derivation?.query;
  const members: StreamSnapshot[] = [];
  if (query === undefined) return members;
  for await (const page of matchingStreams(backend, query.tags)) {
    const read = page.filter(({ record }) => granularityToRead(derived, record) !== null);
    members.push(...read.filter(({ record }) => !via.has(record.id)));
  }
  return members;
}

/** The record of a source with the derived stream among its dependents, as its derivation says. */
export function withReader(source: StreamRecord, derived: StreamRecord): StreamRecord {
  const { derivation } = derived;
  return derivation!.query === undefined
    ? withDependent(source, derived.id, derivation!)
    : replaced(derived, source);
}

/** The record of a stream with the derived stream among its dependents, or not, as the query says. */
function replaced(derived: StreamRecord, source: StreamRecord): StreamRecord {
  const without = withoutDependent(source, derived.id);
  const granularity = granularityToRead(derived, source);
  if (granularity === null) return without;
  const { op, args } = derived.derivation!;
  const dependent = { streamId: derived.id, op, args, granularity };
  return { ...without, dependents: [...without.dependents, dependent] };
}

/** The record of a derived stream, stale wherever the streams have inputs for it: they come, or go. */
function withStaleInputs(derived: StreamRecord, streams: readonly StreamSnapshot[]): StreamRecord {
  let { stale } = derived;
  for (const stream of streams) {
    const levels = [
      granularityRead(stream.record, derived.id),
      granularityToRead(derived, stream.record),
    ];
    for (const granularity of new Set(levels)) {
      if (granularity === null) continue;
      const range = contributedRange(derived, stream, granularity);
      if (range !== null) stale = addRange(stale, range);
    }
  }
  return { ...derived, stale };
}

/** What follows for others when streams are deleted, or get other tags. */
export interface Leaving {
  /** By stream: the querying streams that lose it. */
  readonly lost: ReadonlyMap<StreamId, ReadonlySet<StreamId>>;
  /** The records of those, stale where the streams had inputs. */
  readonly records: readonly StreamRecord[];
  /** What of the streams, and of those that lose them, must not have changed. */
  readonly expect: readonly Expectation[];
}

/**
 * Finds what streams leave.
 * @param tagsOf the tags that a stream will have; null when it is deleted.
 */
export async function leavingOf(
  backend: Pick<Backend, 'readStreams'>,
  streams: readonly StreamSnapshot[],
  tagsOf: (stream: StreamSnapshot) => Tags | null,
): Promise<Leaving> {
  const dependents = streams.flatMap(({ record }) => record.dependents);
  const ids = [...new Set(dependents.map(({ streamId }) => streamId))];
  const found = ids.length === 0 ? [] : await backend.readStreams(ids);
  const lost = new Map<StreamId, Set<StreamId>>();
  const records: StreamRecord[] = [];
  const expect = new Map<StreamId, Expectation>();
  for (const derived of found) {
    const query = derived?.record.derivation?.query;
    if (derived === null || query === undefined) continue;
    const { record, revision } = derived;
    const leaving = streams.filter((stream) => {
      const tags = tagsOf(stream);
      const isSource = granularityRead(stream.record, record.id) !== null;
      return isSource && (tags === null || !matchesTags(tags, query.tags));
    });
    if (leaving.length === 0) continue;
    for (const stream of leaving) {
      const { id } = stream.record;
      lost.set(id, (lost.get(id) ?? new Set()).add(record.id));
      expect.set(id, { streamId: id, revision: stream.revision, version: stream.version });
    }
    records.push(withStaleInputs(record, leaving));
    expect.set(record.id, { streamId: record.id, revision });
  }
  return { lost, records, expect: [...expect.values()] };
}
