import PQueue from 'p-queue';
import {
  BackendClosed,
  BackendUnavailable,
  LockExpiredMidMaintenance,
  StreamNotFound,
} from '../exceptions/errors.ts';
import { DatastreamWarning } from '../exceptions/warnings.ts';
import type { StreamId, StreamRecord, StreamSnapshot } from '../model/stream.ts';
import type { EngineContext } from './context.ts';
import { firstStaleRange } from './derived-maintenance.ts';
import { type FailureHandler, LeaseGroup, type LeaseHolder } from './lease.ts';
import type { ComputedRange } from './level-draft.ts';
import { hasLevelWork } from './level-maintenance.ts';
import { depthOf } from './live-stream.ts';
import { MaintenanceGroup } from './maintenance-group.ts';
import { applyRetention, mayExpire } from './retention.ts';
import { shuffled } from './sharing.ts';

/** How often somebody who needs what another worker is computing looks whether it is there. */
const POLL_INTERVAL_MIN_MS = 20;
const POLL_INTERVAL_MAX_MS = 500;

/** Streams that are looked at together for what they have kept long enough. */
const RETAINED_COUNT = 256;

export interface MaintenanceTask {
  /** Streams to maintain, with their depth in the dependency graph. */
  readonly streams: readonly { readonly streamId: StreamId; readonly depth: number }[];
  /** `levels`: downsampling, with corrections of derived streams; `history`: backprocessing. */
  readonly kind: 'levels' | 'history';
  readonly untilMs: number;
  /** Streams of which rows are not kept for ever: what has been kept long enough is deleted in the end. */
  readonly retained: readonly StreamId[];
  /** Streams that are leased together, and share commits. */
  readonly groupSize: number;
  /** Groups that are worked on at once. */
  readonly groupCount: number;
  /** Streams that it refuses are left alone, also when they become stale during the run. */
  readonly isOwn: (streamId: StreamId) => boolean;
  readonly lease: LeaseHolder;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: MaintenanceCount) => void;
  /** Gets the buckets; null when nobody wants them, and those that a server computes need not be read. */
  readonly onComputed:
    | ((snapshot: StreamSnapshot, computed: readonly ComputedRange[]) => void)
    | null;
  /** Streams whose records or data a commit has changed. */
  readonly onChanged: (streamIds: readonly StreamId[]) => void;
}

interface MaintenanceCount {
  readonly streamCount: number;
  readonly streamCountTotal: number;
  readonly rowCount: number;
}

/**
 * Recomputes what is stale, in dependency order: sources before what derives from them. Streams that
 * somebody else is maintaining are left to him; one that fails is a warning, and the rest go on. Each run
 * takes the groups of a depth in an order of its own, so that many of them do not meet at every stream. The
 * streams of a group are neighbours: stores keep the rows of those that tick together side by side.
 */
export class Maintenance {
  readonly #context: EngineContext;
  readonly #task: MaintenanceTask;
  /** By depth; levels that were written add the streams that derive from them. */
  readonly #byDepth = new Map<number, Set<StreamId>>();
  readonly #asked: ReadonlySet<StreamId>;
  readonly #depths = new Map<StreamId, number>();
  readonly #finished = new Set<StreamId>();
  #rowCount = 0;
  /** Settles when the leases that are not needed any more have been given back. */
  #released: Promise<unknown> = Promise.resolve();

  constructor(context: EngineContext, task: MaintenanceTask) {
    this.#context = context;
    this.#task = task;
    this.#asked = new Set(task.streams.map(({ streamId }) => streamId));
    for (const { streamId, depth } of task.streams) this.#enqueue(streamId, depth);
  }

  /** @throws the signal's reason when it aborts; what was committed until then stays. */
  async run(): Promise<void> {
    for (;;) {
      const depth = Math.min(...this.#byDepth.keys());
      if (!Number.isFinite(depth)) break;
      const streams = this.#byDepth.get(depth)!;
      this.#byDepth.delete(depth);
      await this.#runDepth(streams);
    }
    for (const streamIds of groupsOf(this.#task.retained, RETAINED_COUNT)) {
      const snapshots = await this.#context.backend.readStreams(streamIds);
      for (const snapshot of snapshots) {
        if (snapshot === null || !mayExpire(this.#context, snapshot)) continue;
        await this.#retain(snapshot.record.id);
      }
    }
  }

  async #retain(streamId: StreamId): Promise<void> {
    const { signal, onChanged } = this.#task;
    try {
      const onCommit = (): void => onChanged([streamId]);
      await applyRetention(this.#context, streamId, { signal, onCommit });
    } catch (error) {
      this.#fail(streamId, error);
    }
  }

  /** History is awaited where another worker processes it: what derives from it comes next. */
  async #runDepth(streams: ReadonlySet<StreamId>): Promise<void> {
    let open = await this.#runStreams([...streams]);
    if (this.#task.kind !== 'history') return;
    for (let pauseMs = POLL_INTERVAL_MIN_MS; open.length > 0; ) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      pauseMs = Math.min(pauseMs * 2, POLL_INTERVAL_MAX_MS);
      open = await this.#runStreams(open);
    }
  }

  /** Gives the streams that others hold. */
  async #runStreams(streams: readonly StreamId[]): Promise<readonly StreamId[]> {
    const held: StreamId[] = [];
    const { groupSize, groupCount } = this.#task;
    const queue = new PQueue({ concurrency: groupCount });
    let failure: { readonly reason: unknown } | null = null;
    for (const group of shuffled(groupsOf(streams, groupSize))) {
      // Bounded, so that a store of a million streams does not become a million waiting promises.
      await queue.onSizeLessThan(groupCount * 4);
      if (failure !== null) break;
      void queue.add(async () => {
        try {
          held.push(...(await this.#maintain(group)));
        } catch (error) {
          failure ??= { reason: error };
        }
      });
    }
    await queue.onIdle();
    await this.#released.catch((error: unknown) => {
      failure ??= { reason: error };
    });
    if (failure !== null) throw (failure as { reason: unknown }).reason;
    return held;
  }

  /** Gives those that somebody else is at, as far as the run has to see what becomes of them. */
  async #maintain(streams: readonly StreamId[]): Promise<readonly StreamId[]> {
    const { signal, kind, lease: holder } = this.#task;
    signal?.throwIfAborted();
    const busy = await this.#withWork(streams);
    let held: ReadonlySet<StreamId> = new Set();
    if (busy.length > 0) {
      const onFailed = this.#fail;
      const group = await LeaseGroup.acquire(this.#context, busy, { holder, onFailed });
      if (kind === 'history') held = new Set(group.refused);
      try {
        await this.#group().maintain(group.leases);
      } finally {
        this.#release(group);
      }
    }
    for (const streamId of streams) {
      if (held.has(streamId)) continue;
      this.#finished.add(streamId);
      this.#report();
    }
    return [...held];
  }

  /**
   * Gives leases back while the next group begins: a store in this process takes its leases in the same
   * commit.
   */
  #release(group: LeaseGroup): void {
    this.#released = Promise.all([this.#released, group.release(this.#fail)]);
    // It is awaited when the groups are done.
    this.#released.catch(() => {});
  }

  /** A lease costs two durable writes: most streams of a regular run need none. */
  async #withWork(streams: readonly StreamId[]): Promise<readonly StreamId[]> {
    try {
      const snapshots = await this.#context.backend.readStreams(streams);
      return streams.filter((_streamId, index) => {
        const snapshot = snapshots[index] ?? null;
        return this.#hasWork(snapshot) && !this.#isPutOff(snapshot!.record);
      });
    } catch (error) {
      if (streams.length === 1) {
        this.#fail(streams[0]!, error);
        return [];
      }
      // One stream that cannot be read is enough.
      const each = await Promise.all(streams.map((streamId) => this.#withWork([streamId])));
      return each.flat();
    }
  }

  #hasWork(snapshot: StreamSnapshot | null): boolean {
    if (snapshot === null) return false;
    const { record } = snapshot;
    if (firstStaleRange(record, { includesPending: this.#includesPending }) !== undefined) {
      return true;
    }
    return this.#doesLevels(record.id) && hasLevelWork(this.#context, snapshot, this.#task.untilMs);
  }

  /**
   * Puts off a stream that lies deeper than it was known to, when it became stale during the run: other sources of
   * it may lie between.
   */
  #isPutOff(record: StreamRecord): boolean {
    const depth = depthOf(record);
    if (depth <= this.#depths.get(record.id)!) return false;
    this.#depths.set(record.id, depth);
    this.#enqueue(record.id, depth);
    return true;
  }

  get #includesPending(): boolean {
    return this.#task.kind === 'history';
  }

  #doesLevels(streamId: StreamId): boolean {
    return this.#task.kind === 'levels' && this.#asked.has(streamId);
  }

  #group(): MaintenanceGroup {
    const { untilMs, signal, onComputed } = this.#task;
    return new MaintenanceGroup(this.#context, {
      derived: (streamId) => ({
        includesPending: this.#includesPending,
        signal,
        onCommit: ({ rowCount, marked }) => {
          this.#rowCount += rowCount;
          this.#noteMarked(streamId, marked);
        },
      }),
      levels: (streamId) =>
        !this.#doesLevels(streamId)
          ? null
          : {
              untilMs,
              signal,
              needsRows: onComputed !== null,
              onCommit: ({ snapshot, computed, marked }) => {
                for (const { block } of computed) this.#rowCount += block.timestamps.length;
                onComputed?.(snapshot, computed);
                this.#noteMarked(streamId, marked);
              },
            },
      onFailed: this.#fail,
    });
  }

  /** What has just become stale follows in this run; it always lies deeper. */
  #noteMarked(streamId: StreamId, marked: readonly StreamId[]): void {
    this.#task.onChanged([streamId, ...marked]);
    const depth = (this.#depths.get(streamId) ?? 0) + 1;
    for (const id of marked) this.#enqueue(id, depth);
    this.#report();
  }

  #enqueue(streamId: StreamId, atLeast: number): void {
    if (!this.#task.isOwn(streamId)) return;
    const depth = this.#depths.get(streamId) ?? atLeast;
    this.#depths.set(streamId, depth);
    const streams = this.#byDepth.get(depth) ?? new Set();
    streams.add(streamId);
    this.#byDepth.set(depth, streams);
  }

  #report(): void {
    this.#task.onProgress({
      streamCount: this.#finished.size,
      streamCountTotal: this.#depths.size,
      rowCount: this.#rowCount,
    });
  }

  /** A stream that fails is a warning. @throws what ends the run: an abort, or what is about the store. */
  readonly #fail: FailureHandler = (streamId, error) => {
    if (this.#task.signal?.aborted) throw this.#task.signal.reason;
    if (isAboutStore(error)) throw error;
    this.#warn(streamId, error);
  };

  #warn(streamId: StreamId, error: unknown): void {
    // Deleted while the run was under way: nothing is left to do for it.
    if (error instanceof StreamNotFound) return;
    const reason = error instanceof Error ? error.message : String(error);
    const what = error instanceof LockExpiredMidMaintenance ? 'was given up' : 'failed';
    const message = `Maintenance of stream ${streamId} ${what}: ${reason}`;
    this.#context.warn(new DatastreamWarning(message, { cause: error }));
  }
}

function groupsOf<Item>(items: readonly Item[], groupSize: number): Item[][] {
  const groups: Item[][] = [];
  for (let from = 0; from < items.length; from += groupSize) {
    groups.push(items.slice(from, from + groupSize));
  }
  return groups;
}

/** Whether every other stream would fail alike. */
function isAboutStore(error: unknown): boolean {
  return error instanceof BackendClosed || error instanceof BackendUnavailable;
}
