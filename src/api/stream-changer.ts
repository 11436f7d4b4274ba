import type { Backend, Expectation, Write } from '../backends/backend.ts';
import { operatorOf } from '../derive/registry.ts';
import { withExtraLevels } from '../engine/change-ladder.ts';
import { withDownsamplers, withHeartbeat } from '../engine/change-levels.ts';
import {
  type Downstream,
  loopOf,
  movedDownstream,
  readDownstream,
  withoutDependent,
} from '../engine/change-lineage.ts';
import { commitOrRetry } from '../engine/commit-or-retry.ts';
import type { EngineContext } from '../engine/context.ts';
import { withKeptStarts } from '../engine/expiry.ts';
import { userTags } from '../engine/hidden-tags.ts';
import { depthOf, isPendingBackprocess } from '../engine/live-stream.ts';
import { readMembers, withReader } from '../engine/membership.ts';
import { loadOperators } from '../engine/operator-run.ts';
import { inputRange } from '../engine/output-offset.ts';
import {
  granularityRead,
  granularityToRead,
  inputExtent,
  readSources,
  withQueryingTags,
} from '../engine/source-query.ts';
import {
  DatastreamException,
  InconsistentStreamConfiguration,
  InvalidOperatorArguments,
  OutstandingDependenciesError,
  StreamNotFound,
} from '../exceptions/errors.ts';
import { Granularity } from '../model/granularity.ts';
import { type Ladder, ladderOf } from '../model/ladder.ts';
import type { Retention } from '../model/retention.ts';
import type { RangeSet } from '../model/staleness.ts';
import type { Derivation, StreamId, StreamRecord, StreamSnapshot } from '../model/stream.ts';
import { canonicalJson } from '../model/tags.ts';
import { ALL_TIME, isEmptyRange, TIME_MIN_MS } from '../model/time-range.ts';
import {
  askedDerivation,
  type CheckedChanges,
  changedDerivation,
  changedDownsamplers,
} from './changes.ts';
import { checkHeartbeat, checkSupported, resolveDerivation } from './definition.ts';
import { changedLevels, type LevelChanges } from './level-changes.ts';
import { checkRetained } from './retention.ts';

type Snapshots = ReadonlyMap<StreamId, StreamSnapshot>;

/** What of one change goes into its commit. */
interface Draft {
  /** Null while the stream is to stay as it is. */
  record: StreamRecord | null;
  /** Of other streams. */
  readonly records: Map<StreamId, StreamRecord>;
  readonly expect: Expectation[];
  readonly writes: Write[];
}

/**
 * Changes the definitions of streams. What follows from another definition is stale, and stays readable as it
 * was until maintenance has computed it anew.
 */
export class StreamChanger {
  readonly #context: Pick<EngineContext, 'backend' | 'nowMs'>;
  readonly #backend: Backend;
  /** Told of streams whose records a commit has changed. */
  readonly #onChanged: (streamIds: readonly StreamId[]) => void;

  constructor(
    context: Pick<EngineContext, 'backend' | 'nowMs'>,
    onChanged: (streamIds: readonly StreamId[]) => void,
  ) {
    this.#context = context;
    this.#backend = context.backend;
    this.#onChanged = onChanged;
  }

  /** Changes a stream in one step, or not at all. */
  async change(streamId: StreamId, changes: CheckedChanges): Promise<void> {
    await commitOrRetry({
      what: `stream ${streamId}, or one tied to it by derivation`,
      attempt: async () => {
        const [snapshot] = await this.#backend.readStreams([streamId]);
        if (snapshot === null || snapshot === undefined) throw new StreamNotFound(streamId);
        const draft = await this.#draft(snapshot, changes);
        if (draft.record === null) return 'done';
        const update = [draft.record, ...draft.records.values()];
        const { expect, writes } = draft;
        const { isCommitted } = await this.#backend.commit({ expect, update, writes });
        if (!isCommitted) return 'conflict';
        this.#onChanged(update.map(({ id }) => id));
        return 'done';
      },
    });
  }

  async #draft(snapshot: StreamSnapshot, changes: CheckedChanges): Promise<Draft> {
    const { record, revision, version } = snapshot;
    const draft: Draft = {
      record: null,
      records: new Map(),
      // The version too: a datapoint that arrives now would follow the old definition.
      expect: [{ streamId: record.id, revision, version }],
      writes: [],
    };
    if (changes.levels !== null) this.#changeLevels(draft, snapshot, changes.levels);
    if (changes.downsamplers !== null) {
      const names = changedDownsamplers(record, changes.downsamplers);
      await this.#changeDownsamplers(draft, { ...snapshot, record: draft.record ?? record }, names);
    }
    if (changes.heartbeat !== undefined) {
      this.#changeHeartbeat(draft, snapshot, changes.heartbeat);
    }
    if (changes.derivation !== null) {
      const asked = changedDerivation(record, changes.derivation);
      const keepsSources = changes.derivation.sources === null;
      await this.#changeDerivation(draft, snapshot, { asked, keepsSources });
    }
    if (changes.retention !== undefined) this.#changeRetention(draft, record, changes.retention);
    else if (changes.levels !== null) checkStillKept(record, draft.record ?? record);
    return draft;
  }

  #changeLevels(draft: Draft, snapshot: StreamSnapshot, changes: LevelChanges): void {
    const { record } = snapshot;
    const { timeZone, extraLevels } = record;
    const wanted = changedLevels(record, changes);
    if (canonicalJson({ timeZone, extraLevels }) === canonicalJson(wanted)) return;
    const { valueDownsamplers, valueTypeOptions } = record;
    const definition = { valueDownsamplers, valueTypeOptions, extraLevels: wanted };
    checkSupported(definition, this.#backend.supports);
    const { highestGranularity } = record;
    checkUnread(record, ladderOf({ highestGranularity, ...wanted }));
    const changed = withExtraLevels(snapshot, wanted);
    draft.record = changed.record;
    draft.writes.push(...changed.writes);
  }

  #changeHeartbeat(draft: Draft, snapshot: StreamSnapshot, heartbeat: number | null): void {
    const record = draft.record ?? snapshot.record;
    const { valueType, valueTypeOptions } = record;
    if (heartbeat !== null) {
      checkHeartbeat(heartbeat, { valueType, isExact: valueTypeOptions.highAccuracy === true });
    }
    if ((valueTypeOptions.heartbeat ?? null) === heartbeat) return;
    draft.record = withHeartbeat({ ...snapshot, record }, heartbeat, this.#backend.supports);
  }

  #changeRetention(draft: Draft, before: StreamRecord, retention: Retention | null): void {
    if (canonicalJson(before.retention ?? null) === canonicalJson(retention)) return;
    const { retention: _before, ...rest } = draft.record ?? before;
    draft.record = rest;
    if (retention === null) return;
    checkRetained({ ...rest, retention }, this.#backend.supports);
    draft.record = { ...rest, retention };
  }

  async #changeDownsamplers(
    draft: Draft,
    snapshot: StreamSnapshot,
    valueDownsamplers: readonly string[],
  ): Promise<void> {
    const { record } = snapshot;
    if (canonicalJson(record.valueDownsamplers) === canonicalJson(valueDownsamplers)) return;
    const { supports } = this.#backend;
    const { valueTypeOptions } = record;
    checkSupported({ valueDownsamplers, valueTypeOptions, extraLevels: {} }, supports);
    const changed = withDownsamplers(snapshot, valueDownsamplers, supports);
    await this.#checkDependents({ ...snapshot, record: changed.record });
    draft.record = changed.record;
    draft.writes.push(...changed.writes);
  }

  /**
   * Whether what derives from a stream could do so from the changed one.
   * @throws {OutstandingDependenciesError} naming the stream that could not.
   */
  async #checkDependents(changed: StreamSnapshot): Promise<void> {
    const ids = [...new Set(changed.record.dependents.map(({ streamId }) => streamId))];
    const dependents = await this.#read(ids);
    await loadOperators([...dependents.values()].map(({ record }) => record));
    const sourceIds = [...dependents.values()].flatMap(({ record }) => sourceIdsOf(record));
    const read = new Map(await this.#read(sourceIds)).set(changed.record.id, changed);
    for (const { record } of dependents.values()) {
      checkStillRead(record, changed.record);
      try {
        this.#resolve(record, askedDerivation(record.derivation!), read);
      } catch (error) {
        if (!(error instanceof DatastreamException)) throw error;
        throw new OutstandingDependenciesError(
          `Stream ${record.id} derives from stream ${changed.record.id}, and could not any more: ` +
            error.message,
          { cause: error },
        );
      }
    }
  }

  async #changeDerivation(
    draft: Draft,
    snapshot: StreamSnapshot,
    {
      asked,
      keepsSources,
    }: {
      readonly asked: Parameters<typeof resolveDerivation>[0];
      readonly keepsSources: boolean;
    },
  ): Promise<void> {
    const { record } = snapshot;
    if (record.derivation === null && snapshot.latestMs !== null) {
      throw new InconsistentStreamConfiguration(
        `Stream ${record.id} has datapoints of its own, and cannot derive from others.`,
      );
    }
    await operatorOf(asked.op).load?.();
    const before = await readSources(this.#backend, record);
    const sources = new Map(await this.#read(asked.sources.map((source) => source.streamId)));
    for (const source of before.streams) if (source !== null) sources.set(source.record.id, source);
    const downstream = await readDownstream(this.#backend, record);
    checkLoop(record, asked.sources, downstream);
    const resolved = this.#resolve(record, asked, sources);
    let derivation = keepsSources ? withStarts(resolved, record.derivation!) : resolved;
    const members = await readMembers(this.#backend, { ...record, derivation }, downstream);
    for (const member of members) sources.set(member.record.id, member);
    const deepest = members.map((member) => 1 + depthOf(member.record));
    derivation = { ...derivation, depth: Math.max(derivation.depth, ...deepest) };
    if (isSameDerivation(derivation, record.derivation)) return;
    const named = derivation.sources.map(({ streamId }) => sources.get(streamId)!.record);
    derivation = withKeptStarts(derivation, record, named);
    const read = [...members, ...derivation.sources.map(({ streamId }) => sources.get(streamId)!)];
    const stale = staleBy(derivation, snapshot, read);
    draft.record = withQueryingTags({ ...(draft.record ?? record), derivation, stale });
    const readIds = new Set(read.map((source) => source.record.id));
    for (const { record: source, revision, version } of sources.values()) {
      draft.expect.push({ streamId: source.id, revision, version });
      const isRead = readIds.has(source.id);
      const changed = isRead
        ? withReader(source, draft.record)
        : withoutDependent(source, record.id);
      draft.records.set(source.id, changed);
    }
    const { depth } = derivation;
    const place = { streamId: record.id, depth };
    const moved = await movedDownstream(this.#backend, place, downstream);
    for (const other of moved.records) draft.records.set(other.id, other);
    draft.expect.push(
      ...moved.expect.filter(({ streamId }) => streamId !== record.id && !sources.has(streamId)),
    );
  }

  #resolve(
    { highestGranularity, valueTypeOptions }: StreamRecord,
    asked: Parameters<typeof resolveDerivation>[0],
    sources: Snapshots,
  ): Derivation {
    return resolveDerivation(asked, {
      own: Granularity.byName(highestGranularity),
      isHighAccuracy: valueTypeOptions.highAccuracy === true,
      nowMs: this.#context.nowMs(),
      snapshots: asked.sources.map(({ streamId }) => sources.get(streamId) ?? null),
    });
  }

  /** Without those that do not exist. */
  async #read(streamIds: readonly StreamId[]): Promise<Snapshots> {
    const snapshots = await this.#backend.readStreams([...new Set(streamIds)]);
    return new Map(snapshots.flatMap((item) => (item === null ? [] : [[item.record.id, item]])));
  }
}

/**
 * @throws {OutstandingDependenciesError} when a stream that derives by a query reads a level of the changed one, and
 * could not any more.
 */
function checkStillRead(derived: StreamRecord, source: StreamRecord): void {
  if (derived.derivation?.query === undefined) return;
  if (granularityToRead(derived, source) === granularityRead(source, derived.id)) return;
  throw new OutstandingDependenciesError(
    `Stream ${derived.id} derives from the ${derived.highestGranularity} of stream ${source.id} by its tags, and ` +
      'could not any more.',
  );
}

/** @throws {OutstandingDependenciesError} when a stream reads a level that goes. */
function checkUnread({ id, highestGranularity, dependents }: StreamRecord, after: Ladder): void {
  const reader = dependents.find(
    ({ granularity }) =>
      granularity !== highestGranularity && !after.has(Granularity.byName(granularity)),
  );
  if (reader === undefined) return;
  throw new OutstandingDependenciesError(
    `Stream ${reader.streamId} derives from the ${reader.granularity} of stream ${id}, and could not any more.`,
  );
}

/** @throws {InconsistentStreamConfiguration} when retention is said of a level that goes. */
function checkStillKept({ id, retention }: StreamRecord, after: StreamRecord): void {
  const levels = ladderOf(after).levels.map(({ name }) => name);
  const gone = Object.keys(retention ?? {}).find((name) => ![...levels, 'raw'].includes(name));
  if (gone === undefined) return;
  throw new InconsistentStreamConfiguration(
    `The retention of stream ${id} says for how long ${gone} are kept: say retention anew with the change.`,
  );
}

/** @throws {InvalidOperatorArguments} when the stream would derive from itself. */
function checkLoop(
  { id: streamId, tags }: StreamRecord,
  sources: readonly { readonly streamId: StreamId }[],
  downstream: Downstream,
): void {
  const ids = sources.map((source) => source.streamId);
  const loop = loopOf(streamId, ids, downstream);
  if (loop === null) return;
  const named = loop.map((id) => {
    const found = id === streamId ? tags : (downstream.snapshots.get(id)?.record.tags ?? {});
    return `${id} ${JSON.stringify(userTags(found))}`;
  });
  throw new InvalidOperatorArguments(
    `Stream ${streamId} would derive from itself: ${named.join(' → ')}.`,
  );
}

/** As they are, whatever lies below a query: that is as deep as it has come to be. */
function isSameDerivation(after: Derivation, before: Derivation | null): boolean {
  if (before?.query === undefined) return canonicalJson(after) === canonicalJson(before);
  return canonicalJson({ ...after, depth: 0 }) === canonicalJson({ ...before, depth: 0 });
}

/** Sources that stay count from the instant from which they did. */
function withStarts(resolved: Derivation, { sources, query }: Derivation): Derivation {
  return {
    ...resolved,
    sources: resolved.sources.map((source, index) => ({
      ...source,
      afterMs: sources[index]!.afterMs,
    })),
    ...(query !== undefined && { query }),
  };
}

/**
 * What of a stream is stale once it is defined otherwise: all that it has, or will have of what its sources
 * have. It follows them from now on, unless history of theirs or its own has still to be processed.
 */
function staleBy(
  derivation: Derivation,
  derived: StreamSnapshot,
  sources: readonly StreamSnapshot[],
): RangeSet {
  if ([derived, ...sources].some(({ record }) => isPendingBackprocess(record))) return [ALL_TIME];
  const { highestGranularity: own } = derived.record;
  const read = sources.flatMap((source) => {
    const named = derivation.sources.filter(({ streamId }) => streamId === source.record.id);
    const levels = named.length === 0 ? [own] : named.map(({ granularity }) => granularity);
    return levels.map((granularity) => inputExtent(source, granularity));
  });
  const there = [inputExtent(derived, own), ...read].filter((extent) => !isEmptyRange(extent));
  if (there.length === 0) return [];
  const range = { startMs: TIME_MIN_MS, endMs: Math.max(...there.map(({ endMs }) => endMs)) };
  // What is stale are inputs: of outputs that are moved to earlier times, those that lie further on.
  return [{ ...range, endMs: Math.max(range.endMs, inputRange(derivation, range).endMs) }];
}

function sourceIdsOf({ derivation }: StreamRecord): readonly StreamId[] {
  return derivation?.sources.map(({ streamId }) => streamId) ?? [];
}
