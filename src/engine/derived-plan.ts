import { bucketStartMs } from '../model/granularity.ts';
import type { StreamId } from '../model/stream.ts';
import { TIME_MIN_MS } from '../model/time-range.ts';
import { DerivedNode, isBucketStream, NO_SLOT } from './derived-node.ts';
import { depthOf, isPendingBackprocess, type LiveStream } from './live-stream.ts';
import { outputOffsetMs } from './output-offset.ts';
import type { StreamCache } from './stream-cache.ts';
import { TickGroup } from './tick-group.ts';

/** Numeric streams of one depth: slot `from + i` holds the output of stream i. */
export interface OutputGroup {
  readonly group: TickGroup;
  readonly from: number;
}

/**
 * Everything that derives, directly or not, from the streams of a tick. Each of them has a slot for its
 * value at the instant of a tick: first the streams of the tick, then what derives from them by depth.
 */
export class DerivedPlan {
  /** Sources before what derives from them. */
  readonly nodes: readonly DerivedNode[];
  readonly slotCount: number;
  readonly outputGroups: readonly OutputGroup[];
  /** Streams that the outputs rest on and that get no rows in ticks. */
  readonly read: TickGroup;
  /** Streams whose datapoints must all be older than a tick. */
  readonly older: readonly LiveStream[];
  /** Ticks before it concern history that is still to be processed, or does not count. */
  readonly startMs: number;
  /** When all nodes were given their states; these hold until one is dropped. */
  preparedEpoch = -1;
  /** Streams with buckets of which every one was that of a single tick so far. */
  readonly #closing: readonly LiveStream[];

  constructor(draft: DerivedDraft) {
    this.nodes = draft.nodes;
    this.slotCount = draft.slotCount;
    this.outputGroups = draft.outputGroups;
    this.read = TickGroup.of([...draft.read]);
    this.older = [...draft.older];
    this.startMs = draft.startMs;
    this.#closing = draft.nodes
      .filter(({ isBucket, isOpen }) => isBucket && !isOpen)
      .map(({ stream }) => stream);
  }

  /**
   * Null when nothing derives from the streams; `'special'` when something does in a way that ticks alone
   * cannot follow. The closure of the streams is loaded.
   * @param openIds streams with buckets that stay open after a tick.
   */
  static of(
    streams: readonly LiveStream[],
    { cache, openIds }: { readonly cache: StreamCache; readonly openIds: ReadonlySet<StreamId> },
  ): DerivedPlan | 'special' | null {
    if (streams.every(({ rawDependents }) => rawDependents.length === 0)) return null;
    const draft = new DerivedDraft(streams, { cache, openIds });
    return draft.fill() ? new DerivedPlan(draft) : 'special';
  }

  /** Streams whose buckets a tick at the instant does not begin, and that can be followed all the same. */
  meetsOpen(timestampMs: number): readonly LiveStream[] {
    return this.#closing.filter(
      (stream) => bucketStartMs(timestampMs, stream.highest) !== timestampMs && canStayOpen(stream),
    );
  }
}

/** Whether ticks can follow its outputs where they replace older ones, of which dependents must be told. */
function canStayOpen(stream: LiveStream): boolean {
  return stream.isPlainNumeric && stream.rawDependents.length === 0;
}

class DerivedDraft {
  readonly nodes: DerivedNode[] = [];
  readonly outputGroups: OutputGroup[] = [];
  readonly read: Set<LiveStream> = new Set();
  readonly older: Set<LiveStream> = new Set();
  slotCount: number;
  startMs: number = TIME_MIN_MS;
  readonly #cache: StreamCache;
  readonly #openIds: ReadonlySet<StreamId>;
  readonly #slots = new Map<StreamId, number>();
  readonly #byDepth: Set<LiveStream>[] = [];

  constructor(
    streams: readonly LiveStream[],
    { cache, openIds }: { readonly cache: StreamCache; readonly openIds: ReadonlySet<StreamId> },
  ) {
    this.#cache = cache;
    this.#openIds = openIds;
    this.slotCount = streams.length;
    for (const [slot, stream] of streams.entries()) {
      this.#slots.set(stream.streamId, slot);
      this.#enqueue(stream);
    }
  }

  /** False when a derived stream is none that ticks alone can follow. */
  fill(): boolean {
    // What derives from a stream lies deeper than the stream itself, so the list grows ahead of the loop.
    for (let depth = 0; depth < this.#byDepth.length; depth++) {
      const outputs: LiveStream[] = [];
      const from = this.slotCount;
      for (const stream of this.#byDepth[depth] ?? []) {
        if (isPendingBackprocess(stream.record)) this.#addPending(stream);
        else if (stream.isPlainNumeric && !this.#isOpen(stream)) outputs.push(stream);
      }
      // Stores keep rows of streams that were created one after the other side by side.
      outputs.sort((a, b) => a.ordinal - b.ordinal);
      for (const stream of outputs) if (!this.#addNode(stream)) return false;
      if (outputs.length > 0) this.outputGroups.push({ group: TickGroup.of(outputs), from });
      for (const stream of this.#byDepth[depth] ?? []) {
        if (this.#slots.has(stream.streamId) || isPendingBackprocess(stream.record)) continue;
        // A rare output of another type, or one that replaces another, does not spoil the ticks of all others.
        const isApart = stream.record.valueType === 'nominal' || this.#isOpen(stream);
        if (!isApart || !this.#addNode(stream)) return false;
        this.read.add(stream);
      }
    }
    return true;
  }

  #isOpen(stream: LiveStream): boolean {
    return this.#openIds.has(stream.streamId) && canStayOpen(stream) && isBucketStream(stream);
  }

  #enqueue(source: LiveStream): void {
    for (const id of source.rawDependents) {
      const dependent = this.#cache.get(id);
      if (dependent === undefined) continue;
      const depth = depthOf(dependent.record);
      this.#byDepth[depth] ??= new Set();
      this.#byDepth[depth].add(dependent);
    }
  }

  /** Gets no outputs until its history has been processed. */
  #addPending(stream: LiveStream): void {
    this.read.add(stream);
    this.startMs = Math.max(this.startMs, stream.record.stale.at(-1)!.startMs);
    for (const { streamId } of stream.sources) this.#addSource(streamId);
  }

  #addSource(streamId: StreamId): LiveStream | undefined {
    const source = this.#cache.get(streamId);
    if (source !== undefined && !this.#slots.has(streamId)) this.read.add(source);
    return source;
  }

  #addNode(stream: LiveStream): boolean {
    // Its outputs stand at other instants than the tick.
    if (outputOffsetMs(stream.record.derivation!) !== 0) return false;
    const { sources } = stream;
    const sourceSlots = new Int32Array(sources.length).fill(NO_SLOT);
    const found: LiveStream[] = [];
    const isOpen = this.#isOpen(stream);
    const node = new DerivedNode({
      stream,
      sources: found,
      sourceSlots,
      slot: this.slotCount,
      isOpen,
    });
    for (const [index, { streamId, granularity, afterMs }] of sources.entries()) {
      const source = this.#addSource(streamId);
      if (source === undefined) return false;
      found.push(source);
      const isRaw = source.record.highestGranularity === granularity;
      if (isRaw) sourceSlots[index] = this.#slots.get(streamId) ?? NO_SLOT;
      if (afterMs !== null) this.startMs = Math.max(this.startMs, afterMs + 1);
      if (!node.isBucket) continue;
      if (!isRaw) return false;
      this.older.add(source);
    }
    if (!isOpen) this.older.add(stream);
    this.nodes.push(node);
    this.#slots.set(stream.streamId, this.slotCount++);
    this.#enqueue(stream);
    return true;
  }
}
