import type { Backend, Expectation } from '../backends/backend.ts';
import type {
  Dependent,
  Derivation,
  StreamId,
  StreamRecord,
  StreamSnapshot,
} from '../model/stream.ts';
import { depthOf } from './live-stream.ts';

/** What derives from a stream, directly or not, and the stream of which that is known. */
export interface Downstream {
  readonly snapshots: ReadonlyMap<StreamId, StreamSnapshot>;
  /** Of each stream a source of it on the way from where the walk began. */
  readonly via: ReadonlyMap<StreamId, StreamId>;
}

/** Reads everything that derives from a stream. */
export async function readDownstream(
  backend: Pick<Backend, 'readStreams'>,
  record: StreamRecord,
): Promise<Downstream> {
  const snapshots = new Map<StreamId, StreamSnapshot>();
  const via = new Map<StreamId, StreamId>();
  let records: readonly StreamRecord[] = [record];
  while (records.length > 0) {
    for (const { id, dependents } of records) {
      for (const { streamId } of dependents) if (!via.has(streamId)) via.set(streamId, id);
    }
    const found = await backend.readStreams([...via.keys()].filter((id) => !snapshots.has(id)));
    const present = found.filter((snapshot) => snapshot !== null);
    for (const snapshot of present) snapshots.set(snapshot.record.id, snapshot);
    records = present.map((snapshot) => snapshot.record);
  }
  return { snapshots, via };
}

/**
 * The loop that there would be if the stream derived from these sources, from the stream to itself; null
 * when there is none.
 */
export function loopOf(
  streamId: StreamId,
  sourceIds: readonly StreamId[],
  { via }: Downstream,
): readonly StreamId[] | null {
  const source = sourceIds.find((id) => id === streamId || via.has(id));
  if (source === undefined) return null;
  const loop: StreamId[] = [streamId];
  for (let id = source; id !== streamId; id = via.get(id)!) loop.unshift(id);
  return [streamId, ...loop];
}

/** Records whose depth follows from another depth of one stream, and what that was computed from. */
export interface MovedStreams {
  readonly records: readonly StreamRecord[];
  readonly expect: readonly Expectation[];
}

/** Puts what derives from a stream as deep as it lies once the stream has another depth. */
export async function movedDownstream(
  backend: Pick<Backend, 'readStreams'>,
  { streamId, depth }: { readonly streamId: StreamId; readonly depth: number },
  { snapshots, via }: Downstream,
): Promise<MovedStreams> {
  const depths = new Map<StreamId, number>([[streamId, depth]]);
  const records: StreamRecord[] = [];
  const read = new Map<StreamId, StreamSnapshot>(snapshots);
  const others = [...snapshots.values()]
    .flatMap(({ record }) => record.derivation?.sources.map((source) => source.streamId) ?? [])
    .filter((id) => id !== streamId && !read.has(id));
  for (const snapshot of await backend.readStreams([...new Set(others)])) {
    if (snapshot !== null) read.set(snapshot.record.id, snapshot);
  }
  // Every stream lies deeper than its sources, as it was, too: those are looked at before it.
  const byDepth = [...snapshots.values()].sort((a, b) => depthOf(a.record) - depthOf(b.record));
  for (const { record } of byDepth) {
    const derivation = record.derivation!;
    const deepest = Math.max(...sourcesWithin(record).map(depthAt));
    const isOverQuery = derivation.query !== undefined;
    const moved = isOverQuery ? Math.max(derivation.depth, 1 + deepest) : 1 + deepest;
    depths.set(record.id, moved);
    if (moved !== derivation.depth) {
      records.push({ ...record, derivation: { ...derivation, depth: moved } });
    }
  }
  return { records, expect: records.length === 0 ? [] : [...read.values()].map(unchanged) };

  /** Of one that derives by a query those that may have moved: it stays as deep as the others made it. */
  function sourcesWithin({ id, derivation }: StreamRecord): readonly StreamId[] {
    if (derivation!.query === undefined) return derivation!.sources.map((item) => item.streamId);
    const within = [...snapshots.values()].filter(({ record: { dependents } }) =>
      dependents.some((dependent) => dependent.streamId === id),
    );
    const ids = within.map(({ record }) => record.id);
    return via.get(id) === undefined ? ids : [...ids, via.get(id)!];
  }

  function depthAt(id: StreamId): number {
    const snapshot = read.get(id);
    return depths.get(id) ?? (snapshot === undefined ? 0 : depthOf(snapshot.record));
  }
}

function unchanged({ record, revision }: StreamSnapshot): Expectation {
  return { streamId: record.id, revision };
}

/** A source's record with the derived stream among its dependents, once for every level that it reads. */
export function withDependent(
  record: StreamRecord,
  streamId: StreamId,
  { op, args, sources }: Derivation,
): StreamRecord {
  const read = new Set(
    sources.filter((source) => source.streamId === record.id).map(({ granularity }) => granularity),
  );
  const own = Array.from(read, (granularity): Dependent => ({ streamId, op, args, granularity }));
  // Where it was, if it was among them.
  const known = record.dependents.findIndex((dependent) => dependent.streamId === streamId);
  const dependents = [...withoutDependent(record, streamId).dependents];
  dependents.splice(known < 0 ? dependents.length : known, 0, ...own);
  return { ...record, dependents };
}

export function withoutDependent(record: StreamRecord, streamId: StreamId): StreamRecord {
  return {
    ...record,
    dependents: record.dependents.filter((known) => known.streamId !== streamId),
  };
}
