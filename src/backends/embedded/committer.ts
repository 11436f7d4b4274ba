import { assert } from '../../model/assert.ts';
import { type Block, concatBlocks, rawBlock, VALUE_COLUMN } from '../../model/block.ts';
import { granularityIndex } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { matchesTags } from '../../model/tags.ts';
import type { Commit, CommitOutcome, Creation, ReplaceWrite, TickWrite } from '../backend.ts';
import type { BlockStore } from './block-store.ts';
import type { Journal } from './journal.ts';
import { JournalEntryWriter, type LevelPlace } from './journal-entry.ts';
import type { LeaseStore } from './lease-store.ts';
import { boundedLevel } from './level-bounds.ts';
import type { StreamStore } from './stream-store.ts';
import { type TickGroup, TickGroups } from './tick-groups.ts';
import type { StreamState, View } from './view.ts';

/** A tail of so many blocks is sealed without waiting for the rest of the journal. */
const TAIL_BLOCK_COUNT_MAX = 4;

export interface CommitterParts {
  readonly streams: StreamStore;
  readonly blocks: BlockStore;
  readonly leases: LeaseStore;
  readonly journal: Journal;
}

interface ResolvedTick {
  readonly write: TickWrite;
  /** By row; null where the commit itself creates the stream. */
  readonly streams: readonly (StreamState | null)[];
  readonly seq: number;
}

/**
 * Checks a commit against the view and carries it out: into the databases, into the view, and as
 * one entry into the journal. Called inside a write transaction, which must not be committed when
 * this throws.
 */
export class Committer {
  readonly #streams: StreamStore;
  readonly #blocks: BlockStore;
  readonly #leases: LeaseStore;
  readonly #journal: Journal;
  readonly #entry: JournalEntryWriter = new JournalEntryWriter();
  readonly #tickGroups: TickGroups = new TickGroups();

  constructor({ streams, blocks, leases, journal }: CommitterParts) {
    this.#streams = streams;
    this.#blocks = blocks;
    this.#leases = leases;
    this.#journal = journal;
  }

  apply(view: View, commit: Commit): CommitOutcome {
    const ticks: (readonly (StreamState | null)[])[] = [];
    const conflicts = this.#conflicts(view, commit, ticks);
    if (conflicts.length > 0) return { isCommitted: false, conflicts };
    const creations = commit.create ?? [];
    if (this.#isAnyMatched(view, creations)) return { isCommitted: false, conflicts: [] };
    const seq = view.seq + 1;
    this.#entry.reset();
    this.#writeRecords(view, commit, seq);
    for (const write of commit.writes ?? []) {
      if (write.kind === 'tick') {
        this.#tick(view, { write, streams: ticks.shift()!, seq });
        continue;
      }
      const stream = this.#stream(view, write.streamId);
      const place = { ordinal: stream.ordinal, level: granularityIndex(write.granularity.name) };
      if (write.kind === 'append') this.#append(view, place, { rows: write.block, seq });
      else this.#replace(view, place, { write, seq });
    }
    this.#delete(view, commit.delete ?? [], seq);
    return { isCommitted: true, version: this.#finish(view, seq) };
  }

  /** Moves tails into blocks, as a commit of its own. */
  seal(view: View, places: readonly LevelPlace[]): void {
    const seq = view.seq + 1;
    this.#entry.reset();
    this.#seal(view, places, seq);
    this.#finish(view, seq);
  }

  #finish(view: View, seq: number): number {
    if (this.#entry.isEmpty) return view.seq;
    view.noteEntry(seq, this.#journal.append(seq, this.#entry.finish()));
    return seq;
  }

  /**
   * Streams that are not as expected, or that are to be changed and are not there. Gathers the
   * streams of each tick on the way: looking up each id once more would take as long as storing its
   * row.
   */
  #conflicts(
    view: View,
    commit: Commit,
    ticks: (readonly (StreamState | null)[])[],
  ): readonly StreamId[] {
    const conflicts = new Set<StreamId>();
    for (const { streamId, revision, version } of commit.expect) {
      const stream = this.#streams.byId(view, streamId);
      if (
        stream === null ||
        (revision !== undefined && revision !== stream.revision) ||
        (version !== undefined && version !== stream.version)
      ) {
        conflicts.add(streamId);
      }
    }
    const created = new Set((commit.create ?? []).map(({ record }) => record.id));
    for (const id of created) if (this.#streams.byId(view, id) !== null) conflicts.add(id);
    const need = (id: StreamId): StreamState | null => {
      const stream = this.#streams.byId(view, id);
      if (stream === null && !created.has(id)) conflicts.add(id);
      return stream;
    };
    for (const { id } of commit.update ?? []) need(id);
    for (const write of commit.writes ?? []) {
      if (write.kind === 'tick') ticks.push(write.streamIds.map(need));
      else need(write.streamId);
    }
    for (const id of commit.delete ?? []) need(id);
    return [...conflicts];
  }

  #isAnyMatched(view: View, creations: readonly Creation[]): boolean {
    return creations.some(({ unlessTags }, i) => {
      if (unlessTags === undefined) return false;
      if (this.#streams.query(view, { tags: unlessTags, limit: 1 }).length > 0) return true;
      return creations.slice(0, i).some(({ record }) => matchesTags(record.tags, unlessTags));
    });
  }

  #writeRecords(view: View, { create = [], update = [] }: Commit, seq: number): void {
    const ordinals: number[] = [];
    for (const { record } of create) {
      const ordinal = this.#streams.create(record, seq);
      ordinals.push(ordinal);
      // Nothing was ever stored under a new ordinal.
      view.state(ordinal).level(granularityIndex(record.highestGranularity)).areBoundsKnown = true;
    }
    view.apply(seq, { kind: 'record', ordinals });
    for (const record of update) {
      const stream = this.#stream(view, record.id);
      this.#streams.update(stream, { before: this.#streams.record(view, stream), record, seq });
      ordinals.push(stream.ordinal);
      view.apply(seq, { kind: 'record', ordinals: [stream.ordinal] });
    }
    this.#entry.record(ordinals);
  }

  #tick(view: View, { write, streams, seq }: ResolvedTick): void {
    const { streamIds, values, timestampMs } = write;
    const groups = this.#tickGroups;
    const late: number[] = [];
    groups.reset(streamIds.length);
    for (let i = 0; i < streamIds.length; i++) {
      const stream = streams[i] ?? this.#stream(view, streamIds[i]!);
      const state = boundedLevel(this.#blocks, stream, stream.rawLevel);
      if (timestampMs < state.lastMs) late.push(i);
      else groups.add(stream, state, values[i]!);
    }
    for (const group of groups.filled()) this.#tickGroup(view, group, { timestampMs, seq });
    // Another process may have been faster with a newer row: the tick is late there, and as
    // welcome.
    for (const i of late) {
      const stream = this.#stream(view, streamIds[i]!);
      const rows = rawBlock(Float64Array.of(timestampMs), values.slice(i, i + 1));
      this.#append(view, { ordinal: stream.ordinal, level: stream.rawLevel }, { rows, seq });
    }
  }

  #tickGroup(
    view: View,
    { level, count, ordinals, values, streams, states }: TickGroup,
    { timestampMs, seq }: { timestampMs: number; seq: number },
  ): void {
    this.#entry.tick({ timestampMs, level, ordinals, values, count });
    const tailRowCountMax = this.#blocks.rawRowCountTarget * TAIL_BLOCK_COUNT_MAX;
    const long: LevelPlace[] = [];
    for (let i = 0; i < count; i++) {
      const rowCount = view.pushRow(states[i]!, timestampMs, values[i]!);
      streams[i]!.version = seq;
      if (rowCount >= tailRowCountMax) long.push({ ordinal: ordinals[i]!, level });
    }
    this.#seal(view, long, seq);
  }

  #append(view: View, place: LevelPlace, { rows, seq }: { rows: Block; seq: number }): void {
    const level = boundedLevel(this.#blocks, view.state(place.ordinal), place.level);
    const firstMs = rows.timestamps[0]!;
    const lastMs = rows.timestamps.at(-1)!;
    if (firstMs < level.lastMs) {
      this.#seal(view, [place], seq);
      this.#blocks.insert(place, rows);
      this.#touch(view, place, seq);
    } else if (this.#isBig(rows, level.tail?.rowCount ?? 0)) {
      const { tail } = level;
      this.#blocks.append(place, tail === null ? rows : concatBlocks([tail.block(), rows]));
      if (tail !== null) this.#noteSealed(view, [place], seq);
      this.#touch(view, place, seq);
    } else {
      this.#journalRows(view, place, { rows, seq });
    }
    // Rows only came to those that the bounds had.
    level.areBoundsKnown = true;
    level.noteRows(firstMs, lastMs);
  }

  #replace(
    view: View,
    place: LevelPlace,
    { write, seq }: { write: ReplaceWrite; seq: number },
  ): void {
    const { range, block } = write;
    const level = boundedLevel(this.#blocks, view.state(place.ordinal), place.level);
    if (range.startMs > level.lastMs) {
      if (block.timestamps.length > 0) this.#append(view, place, { rows: block, seq });
      else this.#touch(view, place, seq);
      return;
    }
    this.#seal(view, [place], seq);
    this.#blocks.replace(place, { range, rows: block });
    this.#touch(view, place, seq);
  }

  #isBig(rows: Block, tailRowCount: number): boolean {
    const rowCount = rows.timestamps.length;
    const target = this.#blocks.rowCountTarget(rows);
    return rowCount >= target || tailRowCount + rowCount > target * TAIL_BLOCK_COUNT_MAX;
  }

  #journalRows(view: View, place: LevelPlace, { rows, seq }: { rows: Block; seq: number }): void {
    const { timestamps, columns } = rows;
    const values = columns[VALUE_COLUMN];
    const isValue =
      timestamps.length === 1 &&
      values instanceof Float64Array &&
      Object.keys(columns).length === 1;
    if (!isValue) {
      this.#entry.rows(place, rows);
      view.apply(seq, { kind: 'rows', place, block: rows });
      return;
    }
    // A tick of one stream says the same in fewer bytes.
    const { ordinal, level } = place;
    const timestampMs = timestamps[0]!;
    const ordinals = Uint32Array.of(ordinal);
    this.#entry.tick({ timestampMs, level, ordinals, values, count: 1 });
    const stream = view.state(ordinal);
    view.pushRow(stream.level(level), timestampMs, values[0]!);
    stream.version = seq;
  }

  #seal(view: View, places: readonly LevelPlace[], seq: number): void {
    const sealed = places.filter(({ ordinal, level }) => {
      const tail = view.tail(ordinal, level);
      if (tail === null) return false;
      this.#blocks.append({ ordinal, level }, tail.block());
      return true;
    });
    this.#noteSealed(view, sealed, seq);
  }

  #noteSealed(view: View, places: readonly LevelPlace[], seq: number): void {
    this.#entry.sealed(places);
    view.apply(seq, { kind: 'sealed', places });
  }

  #touch(view: View, place: LevelPlace, seq: number): void {
    this.#entry.touch([place]);
    view.apply(seq, { kind: 'touch', places: [place] });
  }

  #delete(view: View, streamIds: readonly StreamId[], seq: number): void {
    const ordinals: number[] = [];
    for (const streamId of new Set(streamIds)) {
      const stream = this.#stream(view, streamId);
      this.#streams.remove(stream, this.#streams.record(view, stream));
      this.#blocks.removeStream(stream.ordinal);
      this.#leases.remove(streamId);
      ordinals.push(stream.ordinal);
    }
    this.#entry.deleted(ordinals);
    view.apply(seq, { kind: 'deleted', ordinals });
  }

  #stream(view: View, streamId: StreamId): StreamState {
    const stream = this.#streams.byId(view, streamId);
    assert(stream !== null, 'a commit without conflicts changes streams that exist');
    return stream;
  }
}
