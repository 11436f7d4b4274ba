import { StreamAppendContended } from '../exceptions/errors.ts';
import type { StreamId } from '../model/stream.ts';
import { AppendBatch } from './append-batch.ts';
import { type AppendRequest, type StoredDatapoint, streamIdsOf } from './append-request.ts';
import type { EngineContext } from './context.ts';
import { LiveDerivation } from './live-derivation.ts';
import type { LiveStream } from './live-stream.ts';
import { pause } from './pause.ts';
import { StreamCache } from './stream-cache.ts';

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
  #queue: Pending[] = [];
  #draining: Promise<void> | null = null;

  constructor(context: EngineContext) {
    this.#context = context;
    this.#cache = new StreamCache(context.backend, (stream) => this.#forgetDerived(stream));
    this.#derivation = new LiveDerivation(context, this.#cache);
  }

  append(request: AppendRequest): Promise<readonly StoredDatapoint[]> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, resolve, reject });
      this.#draining ??= this.#drain();
    });
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
        this.#derivation.rollBack();
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
    for (let tryCount = 0; tryCount < TRY_COUNT_MAX; tryCount++) {
      await this.#load(pending);
      const batch = new AppendBatch(this.#context, this.#cache);
      const accepted: { pending: Pending; datapoints: readonly StoredDatapoint[] }[] = [];
      const refused: { pending: Pending; error: unknown }[] = [];
      for (const item of pending) {
        try {
          accepted.push({ pending: item, datapoints: batch.add(item.request) });
        } catch (error) {
          refused.push({ pending: item, error });
        }
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

  /** Loads what the requests touch. Streams that nothing derives from are known after the first time. */
  async #load(pending: readonly Pending[]): Promise<void> {
    const ids = new Set<StreamId>();
    for (const { request } of pending) {
      for (const id of streamIdsOf(request)) if (!this.#cache.isPlain(id)) ids.add(id);
    }
    if (ids.size > 0) await this.#cache.loadClosure(ids);
  }

  /** False when a stream has changed in the meantime: the batch must be built anew. */
  async #commitBatch(batch: AppendBatch): Promise<boolean> {
    if (batch.isEmpty) return true;
    await this.#derivation.propagate(batch);
    const touched = touchedStreams(batch);
    const updates = batch.updates();
    const outcome = await this.#context.backend.commit({
      // Equal versions mean equal records, too.
      expect: [...touched, ...this.#readStreams(batch)],
      update: updates,
      writes: batch.writes(),
    });
    if (!outcome.isCommitted) {
      this.#derivation.rollBack();
      this.#cache.markDirty(outcome.conflicts);
      return false;
    }
    this.#derivation.settle();
    for (const warning of batch.warnings) this.#context.warn(warning);
    this.#adopt(batch, touched, outcome.version);
    for (const record of updates) this.#cache.adoptUpdate(record, outcome.version);
    return true;
  }

  #adopt(batch: AppendBatch, touched: readonly LiveStream[], version: number | string): void {
    for (const stream of touched) stream.version = version;
    for (const stream of batch.tickStreams) {
      extend(stream, { earliestMs: stream.stagedEarliestMs, latestMs: stream.stagedLatestMs });
    }
    for (const staged of batch.stagedStreams) {
      if (staged.extentMs !== null) extend(staged.stream, staged.extentMs);
    }
  }

  /** What derived outputs were computed from, beside the streams that the batch changes. */
  #readStreams(batch: AppendBatch): Iterable<LiveStream> {
    const staged = [...batch.stagedStreams].map(({ stream }) => stream);
    const dependentIds = new Set(staged.flatMap(({ rawDependents }) => rawDependents));
    const read = new Set<LiveStream>();
    for (const dependent of this.#known(dependentIds)) {
      const sources = dependent.record.derivation?.sources ?? [];
      read.add(dependent);
      for (const source of this.#known(sources.map(({ streamId }) => streamId))) read.add(source);
    }
    for (const stream of staged) read.delete(stream);
    return read;
  }

  #known(streamIds: Iterable<StreamId>): readonly LiveStream[] {
    return [...streamIds].flatMap((id) => this.#cache.get(id) ?? []);
  }

  #forgetDerived(stream: LiveStream): void {
    this.#derivation.forget(stream.streamId);
    for (const dependent of stream.rawDependents) this.#derivation.forget(dependent);
  }
}

/** Streams that the batch changes; one may be there twice. */
function touchedStreams(batch: AppendBatch): readonly LiveStream[] {
  const staged = [...batch.stagedStreams].map(({ stream }) => stream);
  return staged.length === 0 ? batch.tickStreams : [...batch.tickStreams, ...staged];
}

function extend(
  stream: LiveStream,
  { earliestMs, latestMs }: { earliestMs: number; latestMs: number },
): void {
  stream.earliestMs = Math.min(stream.earliestMs ?? earliestMs, earliestMs);
  stream.latestMs = Math.max(stream.latestMs ?? latestMs, latestMs);
}

function rowCountOf(request: AppendRequest): number {
  switch (request.kind) {
    case 'items':
      return request.items.length;
    case 'columns':
      return request.timestamps.cutMs.length;
    case 'tick':
      return request.streamIds.length;
  }
}
