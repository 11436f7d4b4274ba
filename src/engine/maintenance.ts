import PQueue from 'p-queue';
import {
  BackendClosed,
  BackendUnavailable,
  LockExpiredMidMaintenance,
  StreamNotFound,
} from '../exceptions/errors.ts';
import { DatastreamWarning } from '../exceptions/warnings.ts';
import type { StreamId, StreamSnapshot } from '../model/stream.ts';
import type { EngineContext } from './context.ts';
import { firstStaleRange, maintainDerived } from './derived-maintenance.ts';
import { Lease, type LeaseHolder } from './lease.ts';
import type { ComputedRange } from './level-draft.ts';
import { hasLevelWork, maintainLevels } from './level-maintenance.ts';
import { shuffled } from './sharing.ts';

/** How often somebody who needs what another worker is computing looks whether it is there. */
const POLL_INTERVAL_MIN_MS = 20;
const POLL_INTERVAL_MAX_MS = 500;

export interface MaintenanceTask {
  /** Streams to maintain, with their depth in the dependency graph. */
  readonly streams: readonly { readonly streamId: StreamId; readonly depth: number }[];
  /** `levels`: downsampling, with corrections of derived streams; `history`: backprocessing. */
  readonly kind: 'levels' | 'history';
  readonly untilMs: number;
  readonly concurrency: number;
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
 * takes the streams of a depth in an order of its own, so that many of them do not meet at every stream.
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
      if (!Number.isFinite(depth)) return;
      const streams = this.#byDepth.get(depth)!;
      this.#byDepth.delete(depth);
      await this.#runDepth(streams);
    }
  }

  /** History is awaited where another worker processes it: what derives from it comes next. */
  async #runDepth(streams: ReadonlySet<StreamId>): Promise<void> {
    let open = await this.#runStreams(shuffled(streams));
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
    const queue = new PQueue({ concurrency: this.#task.concurrency });
    let failure: { readonly reason: unknown } | null = null;
    for (const streamId of streams) {
      // Bounded, so that a store of a million streams does not become a million waiting promises.
      await queue.onSizeLessThan(this.#task.concurrency * 4);
      if (failure !== null) break;
      void queue.add(async () => {
        try {
          if (!(await this.#maintain(streamId))) held.push(streamId);
        } catch (error) {
          if (this.#task.signal?.aborted) failure ??= { reason: this.#task.signal.reason };
          else if (isAboutStore(error)) failure ??= { reason: error };
          else this.#warn(streamId, error);
        }
      });
    }
    await queue.onIdle();
    if (failure !== null) throw (failure as { reason: unknown }).reason;
    return held;
  }

  /** False when somebody else is at it, and the run has to see what becomes of it. */
  async #maintain(streamId: StreamId): Promise<boolean> {
    const { signal, kind } = this.#task;
    signal?.throwIfAborted();
    if (await this.#hasWork(streamId)) {
      const lease = await Lease.acquire(this.#context, streamId, this.#task.lease);
      if (lease !== null) await this.#maintainLeased(streamId, lease);
      else if (kind === 'history') return false;
    }
    this.#finished.add(streamId);
    this.#report();
    return true;
  }

  /** A lease costs two durable writes: most streams of a regular run need none. */
  async #hasWork(streamId: StreamId): Promise<boolean> {
    const [snapshot] = await this.#context.backend.readStreams([streamId]);
    if (snapshot === null || snapshot === undefined) return false;
    const isStale =
      firstStaleRange(snapshot.record, { includesPending: this.#includesPending }) !== undefined;
    if (isStale) return true;
    const { untilMs } = this.#task;
    return this.#doesLevels(streamId) && hasLevelWork(this.#context, snapshot, untilMs);
  }

  get #includesPending(): boolean {
    return this.#task.kind === 'history';
  }

  #doesLevels(streamId: StreamId): boolean {
    return this.#task.kind === 'levels' && this.#asked.has(streamId);
  }

  async #maintainLeased(streamId: StreamId, lease: Lease): Promise<void> {
    try {
      await this.#maintainDerived(streamId, lease);
      if (this.#doesLevels(streamId)) await this.#maintainLevels(streamId, lease);
    } finally {
      await lease.release();
    }
  }

  async #maintainDerived(streamId: StreamId, lease: Lease): Promise<void> {
    await maintainDerived(this.#context, {
      streamId,
      lease,
      includesPending: this.#includesPending,
      signal: this.#task.signal,
      onCommit: ({ rowCount, marked }) => {
        this.#rowCount += rowCount;
        this.#noteMarked(streamId, marked);
      },
    });
  }

  async #maintainLevels(streamId: StreamId, lease: Lease): Promise<void> {
    await maintainLevels(this.#context, {
      streamId,
      lease,
      untilMs: this.#task.untilMs,
      signal: this.#task.signal,
      needsRows: this.#task.onComputed !== null,
      onCommit: ({ snapshot, computed, marked }) => {
        for (const { block } of computed) this.#rowCount += block.timestamps.length;
        this.#task.onComputed?.(snapshot, computed);
        this.#noteMarked(streamId, marked);
      },
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

  #warn(streamId: StreamId, error: unknown): void {
    // Deleted while the run was under way: nothing is left to do for it.
    if (error instanceof StreamNotFound) return;
    const reason = error instanceof Error ? error.message : String(error);
    const what = error instanceof LockExpiredMidMaintenance ? 'was given up' : 'failed';
    const message = `Maintenance of stream ${streamId} ${what}: ${reason}`;
    this.#context.warn(new DatastreamWarning(message, { cause: error }));
  }
}

/** Whether every other stream would fail alike. */
function isAboutStore(error: unknown): boolean {
  return error instanceof BackendClosed || error instanceof BackendUnavailable;
}
