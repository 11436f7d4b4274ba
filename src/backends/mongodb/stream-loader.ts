import { BlockCorrupt } from '../../exceptions/errors.ts';
import type { Block } from '../../model/block.ts';
import type { GranularityName } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import type { BlockDocuments, CountedRef } from './block-documents.ts';
import type { BlockRef, Entry } from './entry.ts';
import type { Follower } from './follower.ts';
import { groupBy } from './group-by.ts';
import type { Journal } from './journal.ts';
import type { AppliedState, StreamDocuments } from './stream-documents.ts';
import { applyChanges, changedDirectory, StreamState } from './stream-state.ts';
import type { View } from './view.ts';

const TRY_COUNT_MAX = 3;

export interface LoaderParts {
  readonly view: View;
  readonly follower: Follower;
  readonly journal: Journal;
  readonly streams: StreamDocuments;
  readonly blocks: BlockDocuments;
}

/** What a reader of a level needs, unchanged by what comes later. */
export interface LoadedLevel {
  readonly number: number;
  /** Ascending. */
  readonly directory: readonly BlockRef[];
  readonly tail: Block;
}

/** Documents that were read already, and the epoch in which they were. */
export interface Fetched {
  readonly epoch: number;
  readonly documents: ReadonlyMap<StreamId, AppliedState>;
}

/** Brings states of streams, and directories of their levels, from the documents up to the view. */
export class StreamLoader {
  readonly #parts: LoaderParts;
  /** Directories of all streams. Above the floor of their epoch the entries are right, and not they. */
  readonly #scans: Map<GranularityName, Scan> = new Map();

  constructor(parts: LoaderParts) {
    this.#parts = parts;
  }

  /**
   * The streams as they are in the view when this resolves; without those that do not exist. The states
   * move on with the view: take from them what is needed before anything else is awaited.
   */
  async load(
    streamIds: readonly StreamId[],
    fetched: Fetched | null = null,
  ): Promise<ReadonlyMap<StreamId, StreamState>> {
    const { view, streams } = this.#parts;
    let prepared = fetched;
    for (let tryCount = 1; ; tryCount++) {
      const { epoch, position } = view;
      const missing = [...new Set(streamIds)].filter((id) => view.stateOf(id) === null);
      if (missing.length === 0) return this.#present(streamIds);
      const isPrepared = prepared?.epoch === epoch;
      const documents = new Map(isPrepared ? prepared?.documents : []);
      prepared = null;
      const unread = missing.filter((id) => !documents.has(id));
      for (const [id, state] of await streams.read(unread)) documents.set(id, state);
      if (view.epoch !== epoch) continue;
      const result = await this.#adoptAll(missing, documents);
      if (result === 'adopted') return this.#present(streamIds);
      if (result === 'incomplete') await this.#lookAgain(missing, { position, tryCount });
    }
  }

  /**
   * Entries that are missing have been removed since the view was at the tip: there, the streams may be
   * gone, or their documents newer.
   * @throws {BlockCorrupt} when that is not so.
   */
  async #lookAgain(
    streamIds: readonly StreamId[],
    { position, tryCount }: { readonly position: number; readonly tryCount: number },
  ): Promise<void> {
    const { view, follower } = this.#parts;
    await follower.follow();
    if (view.position > position || tryCount < TRY_COUNT_MAX) return;
    const ids = streamIds.join(', ');
    throw new BlockCorrupt(`Corrupt store: of ${ids}, documents are behind what the journal has.`);
  }

  #present(streamIds: readonly StreamId[]): ReadonlyMap<StreamId, StreamState> {
    const found = new Map<StreamId, StreamState>();
    for (const id of streamIds) {
      const state = this.#parts.view.stateOf(id);
      if (state !== null) found.set(id, state);
    }
    return found;
  }

  async #adoptAll(
    missing: readonly StreamId[],
    documents: ReadonlyMap<StreamId, AppliedState>,
  ): Promise<'adopted' | 'changed' | 'incomplete'> {
    const { view, follower, journal } = this.#parts;
    const { epoch } = view;
    const bases = missing.flatMap((id) => this.#base(id, documents.get(id)) ?? []);
    if (bases.some(({ appliedSeq }) => appliedSeq > view.position)) {
      await follower.follow();
      return 'changed';
    }
    // A slow writer may have set a document back behind the floor. What it lost is still in the journal.
    const lagging = bases.filter(
      ({ state, appliedSeq }) => (view.touched.get(state.number) ?? 0) > appliedSeq,
    );
    const after = Math.min(view.last.floor, ...lagging.map(({ appliedSeq }) => appliedSeq));
    const older = await journal.readRange(after, view.last.floor);
    if (view.epoch !== epoch) return 'changed';
    if (older.length !== view.last.floor - after) return 'incomplete';
    for (const { state, appliedSeq } of bases) {
      if (view.byNumber(state.number) !== null || view.isDeleted(state.number)) continue;
      replay(state, appliedSeq, [...older, ...view.entries]);
      view.adopt(state);
    }
    return 'adopted';
  }

  /** What to build the state of a stream upon; null when there is no such stream. */
  #base(streamId: StreamId, document: AppliedState | undefined): AppliedState | null {
    const { view } = this.#parts;
    const createdNumber = view.createdNumber(streamId);
    const number = document?.state.number;
    if (document !== undefined && (createdNumber ?? number) === number) {
      return view.isDeleted(document.state.number) ? null : document;
    }
    if (createdNumber === undefined) return null;
    const createdSeq = view.recordTouches.get(createdNumber)?.createdSeq ?? null;
    if (createdSeq === null) return null;
    // The record comes with the entry that created the stream.
    const state = new StreamState(createdNumber, { id: streamId } as StreamState['record'], '');
    return { appliedSeq: createdSeq - 1, state };
  }

  /** A level as it is in the view when this resolves; null when there is no such stream or level. */
  async level(streamId: StreamId, granularity: GranularityName): Promise<LoadedLevel | null> {
    const { view, follower } = this.#parts;
    for (;;) {
      const state = (await this.load([streamId])).get(streamId);
      const level = state?.levels.get(granularity);
      if (state === undefined || level === undefined) return null;
      const { directory, tail } = level;
      if (directory !== null) return { number: state.number, directory, tail: tail.block() };
      const { epoch } = view;
      const counted = await this.#counted(granularity, state.number);
      if (!(await follower.isIntact())) {
        await follower.follow();
        continue;
      }
      if (view.epoch !== epoch || view.stateOf(streamId) !== state) continue;
      level.directory ??= this.#directory(granularity, state.number, counted);
    }
  }

  /** Blocks that count as of the view, ascending. */
  #directory(
    granularity: GranularityName,
    number: number,
    counted: readonly CountedRef[],
  ): readonly BlockRef[] {
    const { view } = this.#parts;
    const { floor } = view.last;
    // Blocks above the floor come from the entries: a stamp may be from ahead of the view.
    const applied = counted.filter(({ seq, ref }) => seq <= floor && !view.dropped.has(ref.id));
    let directory = changedDirectory(
      applied.map(({ ref }) => ref),
      { drop: [], add: [] },
    );
    for (const { levels } of view.entries) {
      for (const change of levels) {
        if (change.number !== number || change.granularity !== granularity) continue;
        directory = changedDirectory(directory, change);
      }
    }
    return directory;
  }

  async #counted(granularity: GranularityName, number: number): Promise<readonly CountedRef[]> {
    const { view, blocks } = this.#parts;
    if (!blocks.readsAllAtOnce) return blocks.directory(granularity, number);
    const { epoch } = view;
    let scan = this.#scans.get(granularity);
    if (scan === undefined || scan.epoch !== epoch) {
      const all = blocks.directory(granularity, 'all');
      scan = { epoch, byNumber: all.then((refs) => groupBy(refs, (ref) => ref.number)) };
      this.#scans.set(granularity, scan);
    }
    try {
      return (await scan.byNumber).get(number) ?? [];
    } catch (error) {
      this.#scans.delete(granularity);
      throw error;
    }
  }
}

interface Scan {
  readonly epoch: number;
  readonly byNumber: Promise<ReadonlyMap<number, readonly CountedRef[]>>;
}

function replay(state: StreamState, appliedSeq: number, entries: readonly Entry[]): void {
  for (const entry of entries) {
    if (entry.seq <= appliedSeq || !entry.touched.has(state.number)) continue;
    applyChanges(entry, (number) => (number === state.number ? state : null));
  }
}
