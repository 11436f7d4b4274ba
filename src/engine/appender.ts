import type { Expectation, GroupExpectation } from '../backends/backend.ts';
import { InvalidTimestamp, StreamAppendContended } from '../exceptions/errors.ts';
import type { StreamId } from '../model/stream.ts';
import { AppendBatch } from './append-batch.ts';
import { type AppendRequest, type StoredDatapoint, streamIdsOf } from './append-request.ts';
import type { EngineContext } from './context.ts';
import { LiveDerivation } from './live-derivation.ts';
import { LiveLevels } from './live-levels.ts';
import type { LiveStream } from './live-stream.ts';
import { pause } from './pause.ts';
import { StreamCache } from './stream-cache.ts';
import { type TickPlan, TickPlans } from './tick-plan.ts';

/** Rows that one commit takes at most, so that a flood of appends does not become one huge commit. */
const BATCH_ROW_COUNT_MAX = 65_536;
/** How often a batch is built anew because other processes were quicker. */
const TRY_COUNT_MAX = 25;

interface Pending {
  readonly request: AppendRequest;
  readonly resolve: (datapoints: readonly StoredDatapoint[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Takes appends, gathers those asked for in the same turn into one batch, lets derived streams follow,
 * and commits. A promise resolves when its datapoints, and all that live derivation made of them, are
 * durable. Batches follow each other; while one is being committed, the next one gathers.
 */
export class Appender {
  readonly #context: EngineContext;
  readonly #cache: StreamCache;
  readonly #derivation: LiveDerivation;
  readonly #plans = new TickPlans();
  /** Null where levels do not follow appends. */
  readonly #levels: LiveLevels | null;
  #queue: Pending[] = [];
  #draining: Promise<void> | null = null;

  constructor(context: EngineContext) {
    this.#context = context;
    this.#cache = new StreamCache(context.backend, (stream) => this.#forget(stream));
    this.#derivation = new LiveDerivation(context, this.#cache);
    this.#levels = context.liveLevels === false ? null : new LiveLevels(context);
  }

  append(request: AppendRequest): Promise<readonly StoredDatapoint[]> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** The plan for ticks of these streams, if there was a tick of them not long ago. */
  recentPlan(streamIds: readonly string[]): TickPlan | undefined {
    return this.#plans.find(streamIds);
  }

  /** Takes over the array. */
  newPlan(streamIds: StreamId[]): TickPlan {
    return this.#plans.add(streamIds);
  }

  /** Says that somebody else in this process has committed changes to the streams. */
  noteChanged(streamIds: Iterable<StreamId>): void {
    this.#cache.markDirty(streamIds);
  }

  /** Resolves when nothing is waiting any more. */
  async idle(): Promise<void> {
    while (this.#draining !== null) await this.#draining;
  }

  async #drain(): Promise<void> {
    // Appends of the same turn of the event loop share a commit.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const pending = this.#takeBatch();
      try {
        await this.#commit(pending);
      } catch (error) {
        this.#rollBack();
        this.#cache.markAllDirty();
        for (const { reject } of pending) reject(error);
      }
    }
    this.#draining = null;
  }

  #takeBatch(): readonly Pending[] {
    let rowCount = 0;
    let count = 0;
    while (count < this.#queue.length && rowCount < BATCH_ROW_COUNT_MAX) {
      rowCount += rowCountOf(this.#queue[count]!.request);
      count++;
    }
    const pending = this.#queue;
    this.#queue = pending.slice(count);
    return count === pending.length ? pending : pending.slice(0, count);
  }

  async #commit(pending: readonly Pending[]): Promise<void> {
    let isLookedUp = false;
    for (let tryCount = 0; tryCount < TRY_COUNT_MAX; tryCount++) {
      const missing = this.#missing(pending);
      if (missing.size > 0) await this.#cache.loadClosure(missing);
      const batch = new AppendBatch(this.#context, { cache: this.#cache, plans: this.#plans });
      const accepted: { pending: Pending; datapoints: readonly StoredDatapoint[] }[] = [];
      const refused: { pending: Pending; error: unknown }[] = [];
      for (const item of pending) {
        try {
          accepted.push({ pending: item, datapoints: batch.add(item.request) });
        } catch (error) {
          refused.push({ pending: item, error });
        }
      }
      if (!isLookedUp && this.#dependsOnKnown(refused)) {
        isLookedUp = true;
        continue;
      }
      if (await this.#commitBatch(batch)) {
        for (const { pending: item, error } of refused) item.reject(error);
        for (const { pending: item, datapoints } of accepted) item.resolve(datapoints);
        return;
      }
      await pause(tryCount);
    }
    throw new StreamAppendContended(
      `Other writers changed the streams on each of ${TRY_COUNT_MAX} tries; nothing was stored.`,
    );
  }

  /**
   * Whether requests are refused for what this process knows of their streams, which may be old: the latest
   * datapoint, that somebody else may have deleted, or the version. These streams are to be read again.
   */
  #dependsOnKnown(refused: readonly { pending: Pending; error: unknown }[]): boolean {
    const unsure = refused.filter(
      ({ error }) => error instanceof InvalidTimestamp || error instanceof StreamAppendContended,
    );
    for (const { pending } of unsure) this.#cache.markDirty(streamIdsOf(pending.request));
    return unsure.length > 0;
  }

  /** Streams of the requests that must be read, or whose dependents must be. */
  #missing(pending: readonly Pending[]): ReadonlySet<StreamId> {
    this.#cache.trim();
    const missing = new Set<StreamId>();
    for (const { request } of pending) {
      if (request.kind === 'tick' && request.plan.isReady(this.#cache)) continue;
      let previous: StreamId | null = null;
      for (const id of streamIdsOf(request)) {
        if (id === previous) continue;
        previous = id;
        if (!this.#cache.isReady(id)) missing.add(id);
      }
    }
    return missing;
  }

  /** False when a stream has changed in the meantime: the batch must be built anew. */
  async #commitBatch(batch: AppendBatch): Promise<boolean> {
    if (batch.isEmpty) return true;
    if (batch.hasSources) await this.#derivation.propagate(batch);
    else batch.markStaleLevels();
    const levelWrites = this.#levels === null ? [] : await this.#levels.follow(batch);
    const updates = batch.updates();
    const outcome = await this.#context.backend.commit({
      ...this.#expectations(batch),
      update: updates,
      writes: [...batch.writes(), ...levelWrites],
    });
    if (!outcome.isCommitted) {
      this.#rollBack();
      this.#cache.markDirty(outcome.conflicts);
      return false;
    }
    this.#derivation.settle();
    this.#levels?.settle();
    for (const warning of batch.warnings) this.#context.warn(warning);
    adopt(batch, outcome.version);
    for (const record of updates) this.#cache.adoptUpdate(record, outcome.version);
    return true;
  }

  /** What the batch changes and what derived outputs were computed from. Equal versions mean equal records. */
  #expectations(batch: AppendBatch): {
    readonly expect: readonly Expectation[];
    readonly expectGroups: readonly GroupExpectation[];
  } {
    const expect: Expectation[] = [];
    const expectGroups: GroupExpectation[] = [];
    for (const group of batch.touchedGroups()) group.expectVersions(expect, expectGroups);
    const sources: LiveStream[] = [];
    for (const { stream } of batch.stagedStreams) {
      expect.push({ streamId: stream.streamId, version: stream.version });
      if (stream.rawDependents.length > 0) sources.push(stream);
    }
    if (sources.length > 0) {
      for (const { streamId, version } of this.#readStreams(sources)) {
        expect.push({ streamId, version });
      }
    }
    return { expect, expectGroups };
  }

  /** Streams that derive from the sources, and all that they derive from. */
  #readStreams(sources: readonly LiveStream[]): Iterable<LiveStream> {
    const dependentIds = new Set(sources.flatMap(({ rawDependents }) => rawDependents));
    const read = new Set<LiveStream>();
    for (const dependent of this.#known(dependentIds)) {
      read.add(dependent);
      const ids = dependent.sources.map(({ streamId }) => streamId);
      for (const source of this.#known(ids)) read.add(source);
    }
    return read;
  }

  #known(streamIds: Iterable<StreamId>): readonly LiveStream[] {
    return [...streamIds].flatMap((id) => this.#cache.get(id) ?? []);
  }

  #rollBack(): void {
    this.#derivation.rollBack();
    if (this.#levels !== null) this.#cache.markDirty(this.#levels.rollBack());
  }

  #forget(stream: LiveStream): void {
    this.#levels?.forget(stream);
    this.#derivation.forget(stream.streamId);
    for (const dependent of stream.rawDependents) this.#derivation.forget(dependent);
  }
}

/** Takes over that the batch is stored. */
function adopt(batch: AppendBatch, version: number | string): void {
  for (const { plan, timestampMs, values } of batch.ticks) plan.adopt(timestampMs, values, version);
  for (const { stream, extentMs } of batch.stagedStreams) {
    stream.isInUse = true;
    const { latestMs } = stream;
    stream.moveTo(
      version,
      extentMs === null ? latestMs : Math.max(latestMs ?? -Infinity, extentMs.latestMs),
    );
    if (extentMs === null) continue;
    stream.earliestMs = Math.min(stream.earliestMs ?? extentMs.earliestMs, extentMs.earliestMs);
  }
}

function rowCountOf(request: AppendRequest): number {
  switch (request.kind) {
    case 'items':
      return request.items.length;
    case 'grid':
      return request.grid.values.length;
    case 'columns':
      return request.timestamps.cutMs.length;
    case 'tick':
      return request.plan.streamIds.length;
  }
}
