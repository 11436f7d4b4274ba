import type { GranularityName } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import type { BlockDocuments, CountedRef, PendingBlock } from './block-documents.ts';
import type { Connection, StoredDocument } from './connection.ts';
import { groupBy } from './group-by.ts';
import type { Journal } from './journal.ts';
import type { LeaseStore } from './lease-store.ts';
import { documentOf, type StreamDocuments } from './stream-documents.ts';
import type { StreamLoader } from './stream-loader.ts';
import type { View } from './view.ts';
import type { WriteQueue } from './write-queue.ts';

export interface ApplierParts {
  readonly connection: Connection;
  readonly view: View;
  readonly journal: Journal;
  readonly streams: StreamDocuments;
  readonly blocks: BlockDocuments;
  readonly leases: LeaseStore;
  readonly loader: StreamLoader;
  readonly queue: WriteQueue;
}

export interface ApplierLimits {
  /** So many entries above the floor, or so many bytes of them, are moved into the documents. */
  readonly entryCountMax: number;
  readonly entriesSizeMaxBytes: number;
  /** A journal that grew so long is applied whoever holds the lease. */
  readonly urgentEntryCount: number;
  /** How long entries stay after they have been applied. */
  readonly deletionDelayMs: number;
  /** A block that waits so long for its entry is taken for one that a dead writer left. */
  readonly orphanAgeMs: number;
}

/** Stream ids are UUIDs: no stream has this one. */
const LEASE_SUBJECT = '!apply';
const LEASE_DURATION_MS = 60_000;
/** Orphans are looked for so many times while one comes of age. */
const SWEEP_COUNT = 6;
/** Also where entries go at once, documents get this time to be written. */
const WRITE_DURATION_MIN_MS = 1000;

interface Capture {
  readonly position: number;
  readonly documents: readonly StoredDocument[];
  readonly stamps: ReadonlyMap<GranularityName, readonly CountedRef[]>;
}

/**
 * Moves what the journal holds into stream and block documents, and removes from the journal what has been
 * there long enough. The lease only saves work: everything here may be done twice, also at the same time.
 */
export class Applier {
  readonly #parts: ApplierParts;
  readonly #limits: ApplierLimits;
  readonly #owner: string;
  readonly #writeDurationMaxMs: number;
  #running: Promise<void> | null = null;
  #sweptMs = Number.NEGATIVE_INFINITY;

  constructor(parts: ApplierParts, limits: ApplierLimits, owner: string) {
    this.#parts = parts;
    this.#limits = limits;
    this.#owner = owner;
    this.#writeDurationMaxMs = Math.max(limits.deletionDelayMs / 2, WRITE_DURATION_MIN_MS);
  }

  /** Starts in the background when there is enough to do. What fails is done another time, by anybody. */
  note(): void {
    const { entries, entriesSizeBytes } = this.#parts.view;
    const { entryCountMax, entriesSizeMaxBytes } = this.#limits;
    if (entries.length < entryCountMax && entriesSizeBytes < entriesSizeMaxBytes) return;
    this.#running ??= this.#runOnce().finally(() => {
      this.#running = null;
    });
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #runOnce(): Promise<void> {
    try {
      const { leases, view } = this.#parts;
      const lease = { owner: this.#owner, durationMs: LEASE_DURATION_MS };
      const isUrgent = view.entries.length >= this.#limits.urgentEntryCount;
      if (!(await leases.acquire(LEASE_SUBJECT, lease)) && !isUrgent) return;
      await this.run();
      await leases.release(LEASE_SUBJECT, this.#owner);
    } catch {
      // Nothing depends on it: readers go by the entries that are still there.
    }
  }

  /** Applies everything up to the view, and removes what may go. */
  async run(): Promise<void> {
    const { connection, view, streams, blocks, queue } = this.#parts;
    const cleared = view.last.trimmed;
    await this.#clear(cleared);
    const trimmed = this.#trimmable(await connection.serverMs());
    const lagging = trimmed > view.last.trimmed ? await this.#lagging() : [];
    const capture = await this.#capture(lagging);
    const deadlineMs = performance.now() + this.#writeDurationMaxMs;
    await streams.write(capture.documents, {
      appliedSeq: capture.position,
      isInTime: () => performance.now() <= deadlineMs,
    });
    for (const [granularity, refs] of capture.stamps) await blocks.stamp(granularity, refs);
    const pending = await this.#pending();
    const checkpointMs = await connection.serverMs();
    await queue.addCheckpoint({ floor: capture.position, trimmed, cleared, checkpointMs });
    await this.#sweep(pending);
    await this.#clear(trimmed);
  }

  async #pending(): Promise<readonly PendingBlock[]> {
    const { orphanAgeMs } = this.#limits;
    const nowMs = performance.now();
    if (nowMs - this.#sweptMs < orphanAgeMs / SWEEP_COUNT) return [];
    const writtenBefore = new Date(Date.now() - orphanAgeMs);
    const found: PendingBlock[] = [];
    const { blocks } = this.#parts;
    for (const collection of await blocks.collections()) {
      found.push(...(await blocks.pending(collection, writtenBefore)));
    }
    this.#sweptMs = nowMs;
    return found;
  }

  /**
   * Removes blocks that writers left who died before their commit. They have been found before an entry
   * went in: a writer that wrote one and still lives will find its number taken, and write others.
   */
  async #sweep(pending: readonly PendingBlock[]): Promise<void> {
    if (pending.length === 0) return;
    const { view, blocks } = this.#parts;
    const added = view.entries.flatMap(({ levels }) => levels.flatMap(({ add }) => add));
    const referred = new Set([...added.map(({ id }) => id), ...view.dropped.keys()]);
    const orphans = pending.filter(
      ({ id, number }) => !referred.has(id) && !view.isDeleted(number),
    );
    for (const [collection, group] of groupBy(orphans, (block) => block.collection)) {
      await blocks.removePending(
        collection,
        group.map(({ id }) => id),
      );
    }
  }

  /** The floor of the newest checkpoint that is old enough for its entries to go. */
  #trimmable(nowMs: number): number {
    const { view } = this.#parts;
    return view.checkpoints
      .filter(({ checkpointMs }) => checkpointMs <= nowMs - this.#limits.deletionDelayMs)
      .reduce((max, { floor }) => Math.max(max, floor), view.last.trimmed);
  }

  /**
   * Streams whose documents have been set back by somebody slow, or are missing: as long as the entries are
   * there, that can be mended.
   */
  async #lagging(): Promise<readonly StreamId[]> {
    const { view, streams } = this.#parts;
    const ids = new Set<StreamId>();
    const seen = new Set<number>();
    for (const { streamId, number, appliedSeq } of await streams.heads([...view.touched.keys()])) {
      seen.add(number);
      if (appliedSeq < (view.touched.get(number) ?? 0)) ids.add(streamId);
    }
    for (const [number, { streamId }] of view.recordTouches)
      if (!seen.has(number)) ids.add(streamId);
    return [...ids];
  }

  /** What the documents have to say as of one position, with some streams besides those of the entries. */
  async #capture(others: readonly StreamId[]): Promise<Capture> {
    const { view, loader } = this.#parts;
    for (;;) {
      const numbers = this.#touchedNumbers();
      const ids = await this.#idsOf(numbers);
      const states = await loader.load([...ids, ...others]);
      const isComplete = this.#touchedNumbers().every((number) => view.byNumber(number) !== null);
      if (!isComplete) continue;
      const { position } = view;
      const captured = new Set([...states.values()].map(({ number }) => number));
      for (const number of this.#touchedNumbers()) captured.add(number);
      const documents = [...captured]
        .flatMap((number) => view.byNumber(number) ?? [])
        .map((state) => documentOf(state, position));
      return { position, documents, stamps: this.#stamps() };
    }
  }

  #touchedNumbers(): readonly number[] {
    const { view } = this.#parts;
    const numbers = new Set(view.entries.flatMap(({ touched }) => [...touched.keys()]));
    return [...numbers].filter((number) => !view.isDeleted(number));
  }

  async #idsOf(numbers: readonly number[]): Promise<readonly StreamId[]> {
    const { view, streams } = this.#parts;
    const ids: StreamId[] = [];
    const unknown: number[] = [];
    for (const number of numbers) {
      const id = view.byNumber(number)?.record.id ?? view.recordTouches.get(number)?.streamId;
      if (id === undefined) unknown.push(number);
      else ids.push(id);
    }
    if (unknown.length === 0) return ids;
    const heads = await streams.heads(unknown);
    return [...ids, ...heads.map(({ streamId }) => streamId)];
  }

  #stamps(): ReadonlyMap<GranularityName, readonly CountedRef[]> {
    const { view } = this.#parts;
    const counted = view.entries.flatMap(({ seq, levels }) =>
      levels.flatMap(({ number, granularity, add }) =>
        view.isDeleted(number) ? [] : add.map((ref) => ({ granularity, number, ref, seq })),
      ),
    );
    const live = counted.filter(({ ref }) => !view.dropped.has(ref.id));
    return groupBy(live, ({ granularity }) => granularity);
  }

  /** Removes what entries up to a number superseded, and then the entries. May be cut short and repeated. */
  async #clear(trimmed: number): Promise<void> {
    const { view, journal, streams, blocks, leases } = this.#parts;
    if (trimmed <= view.last.cleared) return;
    const dropped = [...view.dropped].filter(([, { seq }]) => seq <= trimmed);
    const byLevel = groupBy(dropped, ([, { granularity }]) => granularity);
    for (const [granularity, group] of byLevel) {
      await blocks.remove(
        granularity,
        group.map(([id]) => id),
      );
    }
    const deleted = [...view.deleted].filter(([, { seq }]) => seq <= trimmed);
    const numbers = deleted.map(([number]) => number);
    const collections = numbers.length === 0 ? [] : await blocks.collections();
    for (const collection of collections) await blocks.removeStreams(collection, numbers);
    // The document of a stream that has the same id goes when that one is applied, or has gone then.
    const ids = deleted
      .map(([, { streamId }]) => streamId)
      .filter((id) => view.createdNumber(id) === undefined);
    await streams.remove(ids, numbers);
    await leases.remove(ids);
    await journal.removeUntil(trimmed);
  }
}
