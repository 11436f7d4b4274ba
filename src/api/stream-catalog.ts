import { randomUUID } from 'node:crypto';
import type { Backend, Expectation } from '../backends/backend.ts';
import { operatorOf } from '../derive/registry.ts';
import { commitOrRetry } from '../engine/commit-or-retry.ts';
import type { EngineContext } from '../engine/context.ts';
import { withKeptStarts } from '../engine/expiry.ts';
import { hiddenTags, userTags } from '../engine/hidden-tags.ts';
import { depthOf, isPendingBackprocess } from '../engine/live-stream.ts';
import { type Leaving, leavingOf, type Membership } from '../engine/membership.ts';
import { QUERYING_TAGS, readSources } from '../engine/source-query.ts';
import {
  InconsistentStreamConfiguration,
  MultipleStreamsReturned,
  OutstandingDependenciesError,
  StreamNotFound,
} from '../exceptions/errors.ts';
import { Granularity, type GranularityName } from '../model/granularity.ts';
import type {
  Dependent,
  Derivation,
  StreamId,
  StreamRecord,
  StreamSnapshot,
} from '../model/stream.ts';
import { isEqualJson, matchesTags, mergeTags, type Tags } from '../model/tags.ts';
import { ALL_TIME } from '../model/time-range.ts';
import {
  type CheckedDefinition,
  type CheckedDerivation,
  checkSupported,
  resolveDerivation,
} from './definition.ts';
import type { AskedGranularity } from './level-checks.ts';
import { checkStreamId } from './option-checks.ts';
import { checkRetained } from './retention.ts';
import { type StreamSelection, selectSnapshots } from './streams.ts';

/** Streams that one commit deletes, at most. */
const DELETE_STREAM_COUNT_MAX = 1000;

/** Creates, changes and deletes stream records. */
export class StreamCatalog {
  readonly #backend: Backend;
  readonly #nowMs: () => number;
  /** Told of streams whose records a commit has changed. */
  readonly #onChanged: (streamIds: readonly StreamId[]) => void;
  readonly #membership: Membership;

  constructor(
    { backend, nowMs }: Pick<EngineContext, 'backend' | 'nowMs'>,
    {
      membership,
      onChanged,
    }: {
      readonly membership: Membership;
      readonly onChanged: (streamIds: readonly StreamId[]) => void;
    },
  ) {
    this.#membership = membership;
    this.#backend = backend;
    this.#nowMs = nowMs;
    this.#onChanged = onChanged;
  }

  /** @throws {StreamNotFound} */
  async read(streamId: string): Promise<StreamSnapshot> {
    const [snapshot] = await this.#backend.readStreams([checkStreamId(streamId)]);
    if (snapshot === null || snapshot === undefined) throw new StreamNotFound(streamId);
    return snapshot;
  }

  /** Creates a stream with the query tags; null when there are streams that have them. */
  async create(queryTags: Tags, definition: CheckedDefinition): Promise<StreamId | null> {
    const tags = allTags(queryTags, definition);
    let streamId: StreamId | null = null;
    await commitOrRetry({
      what: 'the stream or its sources',
      attempt: async () => {
        const found = await this.#backend.queryStreams({ tags: queryTags, limit: 1 });
        if (found.length > 0) return 'done';
        streamId = await this.#create(queryTags, { ...definition, tags });
        return streamId === null ? 'conflict' : 'done';
      },
    });
    if (streamId !== null) await this.#settleMoved(streamId, definition);
    return streamId;
  }

  /** Finds the one stream that has the query tags, or creates it. */
  async ensure(queryTags: Tags, definition: CheckedDefinition): Promise<StreamId> {
    const tags = allTags(queryTags, definition);
    let streamId: StreamId | null = null;
    // Whether it has other tags than before: what derives by a query may have it as a source now.
    let isMoved = false;
    await commitOrRetry({
      what: 'the stream or its sources',
      attempt: async () => {
        const found = await this.#backend.queryStreams({ tags: queryTags, limit: 2 });
        if (found.length > 1) {
          throw new MultipleStreamsReturned(
            `More than one stream has the tags ${JSON.stringify(queryTags)}.`,
          );
        }
        const existing = found[0];
        if (existing === undefined) {
          streamId = await this.#create(queryTags, { ...definition, tags });
          isMoved = true;
          return streamId === null ? 'conflict' : 'done';
        }
        checkConsistent(existing.record, definition);
        streamId = existing.record.id;
        isMoved = !isEqualJson(userTags(existing.record.tags), tags);
        return (await this.#putTags(existing, tags)) ? 'done' : 'conflict';
      },
    });
    if (isMoved) await this.#settleMoved(streamId!, definition);
    return streamId!;
  }

  /** Sees to what derives by tags, after a stream has got other ones. */
  async #settleMoved(streamId: StreamId, { derive }: CheckedDefinition): Promise<void> {
    // What is there already becomes a source of it, rather than the other way round.
    if (derive?.query != null) await this.#membership.settleAll(streamId);
    await this.#membership.settle(streamId);
  }

  /** Null when somebody else has created it, or changed a source, in the meantime. */
  async #create(queryTags: Tags, definition: CheckedDefinition): Promise<StreamId | null> {
    checkSupported(definition, this.#backend.supports);
    const { derive, highestGranularity: highest } = definition;
    if (derive !== null) await operatorOf(derive.op).load?.();
    const sources = await this.#backend.readStreams(
      derive?.sources.map(({ streamId }) => streamId) ?? [],
    );
    const resolved =
      derive &&
      resolveDerivation(derive, {
        own: highest,
        isHighAccuracy: definition.valueTypeOptions.highAccuracy === true,
        nowMs: this.#nowMs(),
        snapshots: sources,
      });
    const derivation =
      resolved &&
      withKeptStarts(
        resolved,
        null,
        sources.map((source) => source!.record),
      );
    const hasHistory =
      derive?.isBackprocessed === true &&
      derivation!.sources.some((source, i) => holdsData(sources[i]!, source.granularity));
    const record: StreamRecord = {
      id: randomUUID() as StreamId,
      tags:
        derivation?.query === undefined
          ? definition.tags
          : { ...definition.tags, ...QUERYING_TAGS },
      valueType: definition.valueType,
      valueTypeOptions: definition.valueTypeOptions,
      valueDownsamplers: definition.valueDownsamplers,
      highestGranularity: highest.name,
      ...definition.extraLevels,
      derivation,
      dependents: [],
      stale: hasHistory ? [ALL_TIME] : [],
      levels: {},
      ...(definition.retention && { retention: definition.retention }),
    };
    const { retention } = record;
    if (retention) checkRetained({ ...record, retention }, this.#backend.supports);
    const outcome = await this.#backend.commit({
      // The version too: a datapoint that arrives now would neither be history nor be propagated.
      expect: sources.map((source) => ({ streamId: source!.record.id, version: source!.version })),
      create: [{ record, unlessTags: queryTags }],
      update: derivation === null ? [] : withDependents(sources, record.id, derivation),
    });
    if (!outcome.isCommitted) return null;
    this.#onChanged(sources.map((source) => source!.record.id));
    return record.id;
  }

  /** Changes the tags of a stream. @throws {StreamNotFound} */
  async changeTags(streamId: string, change: (tags: Tags) => Tags): Promise<void> {
    await commitOrRetry({
      what: `stream ${streamId}`,
      attempt: async () => {
        const snapshot = await this.read(streamId);
        const tags = change(userTags(snapshot.record.tags));
        return (await this.#putTags(snapshot, tags)) ? 'done' : 'conflict';
      },
    });
    await this.#membership.settle(checkStreamId(streamId));
  }

  /** Gives a stream these tags of users: streams whose queries do not match any more lose it as a source. */
  async #putTags(snapshot: StreamSnapshot, asked: Tags): Promise<boolean> {
    const { record, revision } = snapshot;
    const tags = { ...asked, ...hiddenTags(record.tags) };
    if (isEqualJson(record.tags, tags)) return true;
    const leaving = await leavingOf(this.#backend, [snapshot], () => tags);
    const update = [{ ...withoutLost(record, leaving), tags }, ...leaving.records];
    const outcome = await this.#backend.commit({
      expect: joinExpectations([{ streamId: record.id, revision }], leaving.expect),
      update,
    });
    if (outcome.isCommitted) this.#onChanged(update.map(({ id }) => id));
    return outcome.isCommitted;
  }

  /**
   * Deletes the selected streams with all of their data, those that derive from others first.
   * @throws {OutstandingDependenciesError} when a stream that is not selected derives from one that is;
   * nothing is deleted then.
   */
  async delete(selection: StreamSelection): Promise<void> {
    let remaining: readonly StreamSnapshot[] | null = null;
    await commitOrRetry({
      what: 'the selected streams',
      attempt: async () => {
        remaining ??= await this.#selectDeepestFirst(selection);
        const chunk = remaining.slice(0, DELETE_STREAM_COUNT_MAX);
        if (chunk.length === 0) return 'done';
        const isDeleted = await this.#deleteChunk(chunk);
        remaining = isDeleted ? remaining.slice(chunk.length) : null;
        return isDeleted ? 'more' : 'conflict';
      },
    });
  }

  async #selectDeepestFirst(selection: StreamSelection): Promise<readonly StreamSnapshot[]> {
    const selected = new Map<StreamId, StreamSnapshot>();
    for await (const page of selectSnapshots(this.#backend, selection)) {
      for (const snapshot of page) selected.set(snapshot.record.id, snapshot);
    }
    await this.#checkIndependent(selected);
    return [...selected.values()].sort((a, b) => depthOf(b.record) - depthOf(a.record));
  }

  async #deleteChunk(chunk: readonly StreamSnapshot[]): Promise<boolean> {
    const ids = new Set(chunk.map(({ record }) => record.id));
    const leaving = await leavingOf(this.#backend, chunk, () => null);
    const kept = new Map<StreamId, StreamRecord>();
    for (const record of leaving.records) if (!ids.has(record.id)) kept.set(record.id, record);
    const sources = (await this.#sourcesOf(chunk)).filter(({ record }) => !ids.has(record.id));
    for (const { record } of sources) {
      const known = kept.get(record.id) ?? record;
      const dependents = known.dependents.filter(({ streamId }) => !ids.has(streamId));
      kept.set(known.id, { ...known, dependents });
    }
    const read = [...chunk, ...sources].map(({ record, revision }) => ({
      streamId: record.id,
      revision,
    }));
    const outcome = await this.#backend.commit({
      expect: joinExpectations(read, leaving.expect),
      update: [...kept.values()],
      delete: [...ids],
    });
    if (outcome.isCommitted) this.#onChanged([...ids, ...kept.keys()]);
    return outcome.isCommitted;
  }

  async #sourcesOf(streams: readonly StreamSnapshot[]): Promise<readonly StreamSnapshot[]> {
    const derivations = streams.flatMap(({ record }) => record.derivation ?? []);
    const named = derivations.flatMap(({ sources }) => sources.map(({ streamId }) => streamId));
    const found = [...(await this.#backend.readStreams([...new Set(named)]))];
    for (const { record } of streams) {
      if (record.derivation?.query === undefined) continue;
      found.push(...(await readSources(this.#backend, record)).streams);
    }
    return found.filter((source) => source !== null);
  }

  /** Streams that derive by a query lose what is deleted; others keep it. */
  async #checkIndependent(selected: ReadonlyMap<StreamId, StreamSnapshot>): Promise<void> {
    const derivers = new Map<StreamId, StreamId>();
    for (const { record } of selected.values()) {
      for (const { streamId } of record.dependents) {
        if (!selected.has(streamId)) derivers.set(streamId, record.id);
      }
    }
    if (derivers.size === 0) return;
    for (const outside of await this.#backend.readStreams([...derivers.keys()])) {
      if (outside === null || outside.record.derivation?.query !== undefined) continue;
      const { id } = outside.record;
      throw new OutstandingDependenciesError(
        `Stream ${derivers.get(id)} cannot be deleted: stream ${id} derives from it.`,
      );
    }
  }
}

/** @throws {TypeError} when a stream that has them would not be found by the query tags. */
function allTags(queryTags: Tags, definition: CheckedDefinition): Tags {
  const tags = mergeTags(queryTags, definition.tags);
  if (matchesTags(tags, queryTags)) return tags;
  throw new TypeError('The tags contradict the query tags: the stream would not be found again.');
}

/** Whether there is, or may soon be, something to process before the derived stream can go live. */
function holdsData({ record, latestMs }: StreamSnapshot, granularity: GranularityName): boolean {
  if (isPendingBackprocess(record)) return true;
  if (granularity === record.highestGranularity) return latestMs !== null;
  return (record.levels[granularity]?.untilMs ?? null) !== null;
}

/** The records of the sources, each with the new dependent once for every level that it reads. */
function withDependents(
  snapshots: readonly (StreamSnapshot | null)[],
  streamId: StreamId,
  { op, args, sources }: Derivation,
): readonly StreamRecord[] {
  const records = new Map<StreamId, StreamRecord>();
  for (const [index, { granularity }] of sources.entries()) {
    const snapshot = snapshots[index]!;
    const record = records.get(snapshot.record.id) ?? snapshot.record;
    const dependent: Dependent = { streamId, op, args, granularity };
    const isKnown = record.dependents.some(
      (known) => known.streamId === streamId && known.granularity === granularity,
    );
    const dependents = isKnown ? record.dependents : [...record.dependents, dependent];
    records.set(record.id, { ...record, dependents });
  }
  return [...records.values()];
}

function checkConsistent(record: StreamRecord, definition: CheckedDefinition): void {
  const differs = (what: string): InconsistentStreamConfiguration =>
    new InconsistentStreamConfiguration(
      `Stream ${record.id} exists with ${what}; that cannot change.`,
    );
  if (record.valueType !== definition.valueType) throw differs(`value type ${record.valueType}`);
  if (!isEqualJson({ ...record.valueTypeOptions }, { ...definition.valueTypeOptions })) {
    throw differs(`value type options ${JSON.stringify(record.valueTypeOptions)}`);
  }
  const { derivation } = record;
  if (derivation === null) {
    if (definition.derive !== null) throw differs('datapoints of its own');
    return;
  }
  if (definition.derive === null) throw differs(`a derivation by ${derivation.op}`);
  if (derivation.op !== definition.derive.op) throw differs(`the derive operator ${derivation.op}`);
  if (!isSameSources(definition.derive, derivation)) throw differs('other derive sources');
}

/** Whether the sources are the same set; a granularity that is not asked for is no difference. */
function isSameSources(
  { sources: asked, query: askedQuery }: CheckedDerivation,
  { sources, query }: Derivation,
): boolean {
  if (!isEqualJson(askedQuery, query?.tags ?? null)) return false;
  const rest = [...sources];
  for (const { name, streamId, granularity } of asked) {
    const index = rest.findIndex(
      (source) =>
        source.name === name &&
        source.streamId === streamId &&
        (granularity === null || isAsked(granularity, source.granularity)),
    );
    if (index < 0) return false;
    rest.splice(index, 1);
  }
  return rest.length === 0;
}

/** Whether a level is what was asked for, in whatever time zone the source is. */
function isAsked({ granularity, isLocal }: AskedGranularity, name: GranularityName): boolean {
  const { every, unit } = Granularity.byName(name);
  return isLocal
    ? every === granularity.every && unit === granularity.unit
    : name === granularity.name;
}

/** The record without the dependents that lose it. */
function withoutLost(record: StreamRecord, { lost }: Leaving): StreamRecord {
  const losers = lost.get(record.id);
  if (losers === undefined) return record;
  return {
    ...record,
    dependents: record.dependents.filter(({ streamId }) => !losers.has(streamId)),
  };
}

/** One for each stream: the later ones say more. */
function joinExpectations(...lists: readonly (readonly Expectation[])[]): readonly Expectation[] {
  return [...new Map(lists.flat().map((item) => [item.streamId, item])).values()];
}
