import { randomUUID } from 'node:crypto';
import type { Backend } from '../backends/backend.ts';
import { operatorOf } from '../derive/registry.ts';
import { commitOrRetry } from '../engine/commit-or-retry.ts';
import type { EngineContext } from '../engine/context.ts';
import { depthOf, isPendingBackprocess } from '../engine/live-stream.ts';
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
import { type StreamSelection, selectSnapshots } from './streams.ts';

/** Streams that one commit deletes, at most. */
const DELETE_STREAM_COUNT_MAX = 1000;

/** Creates, changes and deletes stream records. */
export class StreamCatalog {
  readonly #backend: Backend;
  readonly #nowMs: () => number;
  /** Told of streams whose records a commit has changed. */
  readonly #onChanged: (streamIds: readonly StreamId[]) => void;

  constructor(
    { backend, nowMs }: Pick<EngineContext, 'backend' | 'nowMs'>,
    onChanged: (streamIds: readonly StreamId[]) => void,
  ) {
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

  /** Finds the one stream that has the query tags, or creates it. */
  async ensure(queryTags: Tags, definition: CheckedDefinition): Promise<StreamId> {
    const tags = mergeTags(queryTags, definition.tags);
    if (!matchesTags(tags, queryTags)) {
      throw new TypeError(
        'The tags contradict the query tags: the stream would not be found again.',
      );
    }
    let streamId: StreamId | null = null;
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
          return streamId === null ? 'conflict' : 'done';
        }
        checkConsistent(existing.record, definition);
        streamId = existing.record.id;
        if (isEqualJson(existing.record.tags, tags)) return 'done';
        return (await this.#put(existing, { ...existing.record, tags })) ? 'done' : 'conflict';
      },
    });
    return streamId!;
  }

  /** Null when somebody else has created it, or changed a source, in the meantime. */
  async #create(queryTags: Tags, definition: CheckedDefinition): Promise<StreamId | null> {
    checkSupported(definition, this.#backend.supports);
    const { derive, highestGranularity: highest } = definition;
    if (derive !== null) await operatorOf(derive.op).load?.();
    const sources = await this.#backend.readStreams(
      derive?.sources.map(({ streamId }) => streamId) ?? [],
    );
    const derivation =
      derive &&
      resolveDerivation(derive, {
        own: highest,
        isHighAccuracy: definition.valueTypeOptions.highAccuracy === true,
        nowMs: this.#nowMs(),
        snapshots: sources,
      });
    const hasHistory =
      derive?.isBackprocessed === true &&
      derivation!.sources.some((source, i) => holdsData(sources[i]!, source.granularity));
    const record: StreamRecord = {
      id: randomUUID() as StreamId,
      tags: definition.tags,
      valueType: definition.valueType,
      valueTypeOptions: definition.valueTypeOptions,
      valueDownsamplers: definition.valueDownsamplers,
      highestGranularity: highest.name,
      ...definition.extraLevels,
      derivation,
      dependents: [],
      stale: hasHistory ? [ALL_TIME] : [],
      levels: {},
    };
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
        const tags = change(snapshot.record.tags);
        if (isEqualJson(snapshot.record.tags, tags)) return 'done';
        return (await this.#put(snapshot, { ...snapshot.record, tags })) ? 'done' : 'conflict';
      },
    });
  }

  async #put({ revision }: StreamSnapshot, record: StreamRecord): Promise<boolean> {
    const expect = [{ streamId: record.id, revision }];
    const outcome = await this.#backend.commit({ expect, update: [record] });
    if (outcome.isCommitted) this.#onChanged([record.id]);
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
    checkIndependent(selected);
    return [...selected.values()].sort((a, b) => depthOf(b.record) - depthOf(a.record));
  }

  async #deleteChunk(chunk: readonly StreamSnapshot[]): Promise<boolean> {
    const ids = new Set(chunk.map(({ record }) => record.id));
    const sourceIds = new Set(
      chunk.flatMap(
        ({ record }) => record.derivation?.sources.map(({ streamId }) => streamId) ?? [],
      ),
    );
    const kept = (
      await this.#backend.readStreams([...sourceIds].filter((id) => !ids.has(id)))
    ).filter((source) => source !== null);
    const outcome = await this.#backend.commit({
      expect: [...chunk, ...kept].map(({ record, revision }) => ({
        streamId: record.id,
        revision,
      })),
      update: kept.map(({ record }) => ({
        ...record,
        dependents: record.dependents.filter(({ streamId }) => !ids.has(streamId)),
      })),
      delete: [...ids],
    });
    if (outcome.isCommitted) this.#onChanged([...ids, ...kept.map(({ record }) => record.id)]);
    return outcome.isCommitted;
  }
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
function isSameSources({ sources: asked }: CheckedDerivation, { sources }: Derivation): boolean {
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

function checkIndependent(selected: ReadonlyMap<StreamId, StreamSnapshot>): void {
  for (const { record } of selected.values()) {
    const outside = record.dependents.find(({ streamId }) => !selected.has(streamId));
    if (outside !== undefined) {
      throw new OutstandingDependenciesError(
        `Stream ${record.id} cannot be deleted: stream ${outside.streamId} derives from it.`,
      );
    }
  }
}
