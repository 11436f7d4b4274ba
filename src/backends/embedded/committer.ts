import { assert } from '../../model/assert.ts';
import { type Block, rawBlock, VALUE_COLUMN } from '../../model/block.ts';
import { levelNumber } from '../../model/level-number.ts';
import type { StreamId } from '../../model/stream.ts';
import { matchesTags } from '../../model/tags.ts';
import {
  type AdvanceWrite,
  type BucketWrite,
  type CommitOutcome,
  type Creation,
  type GroupedCommit,
  type LevelWrite,
  NO_ROW,
  type ReplaceWrite,
  type TickWrite,
  type Write,
} from '../backend.ts';
import { bucketColumns } from '../grouped-commit.ts';
import type { BlockStore } from './block-store.ts';
import type { Cohort } from './cohort.ts';
import { bucketRow, COUNT_COLUMN } from './cohort-keys.ts';
import type { Journal } from './journal.ts';
import type { BucketRows, LevelPlace } from './journal-entry.ts';
import { hasNumbersOnly, JournalEntryWriter } from './journal-entry-writer.ts';
import type { LeaseStore } from './lease-store.ts';
import { boundedLevel, boundLevels, type StreamLevel } from './level-bounds.ts';
import { insertIntoLevel, replaceInLevel } from './level-change.ts';
import type { LevelState } from './level-state.ts';
import { type PendingRows, pendingOf, pendingRows } from './pending-rows.ts';
import { type RawGroup, StreamGroups } from './stream-groups.ts';
import type { StreamState } from './stream-state.ts';
import type { StreamStore } from './stream-store.ts';
import { uniformCell } from './uniform-cell.ts';
import type { View } from './view.ts';

/**
 * Rows that are JSON take long to journal, whether they are encoded or not: so many of one level in
 * one write become blocks at once, which sealing need not encode again.
 */
const READY_MADE_ROW_COUNT_MIN = 64;
/**
 * So many rows of numbers at once are journaled as they are. More of them become drafts of blocks, in
 * a third of the time that blocks would take: they are an eighth of the bytes to write and to keep.
 */
const PLAIN_ROW_COUNT_MAX = 4096;
/** Of fewer writes, each looks for itself. */
const BOUNDED_WRITE_COUNT_MIN = 16;
/**
 * With so many rows that sealing has to encode, in some 50 ms, a level gets no more: what follows
 * becomes blocks at once.
 */
const LOOSE_ROW_COUNT_MAX = 2 ** 20;
/** A bucket takes about as long to encode as so many raw rows. */
const RAW_ROWS_PER_BUCKET = 4;

export interface CommitterParts {
  readonly streams: StreamStore;
  readonly blocks: BlockStore;
  readonly leases: LeaseStore;
  readonly journal: Journal;
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
  readonly #groups: StreamGroups;

  constructor({ streams, blocks, leases, journal }: CommitterParts) {
    this.#streams = streams;
    this.#blocks = blocks;
    this.#leases = leases;
    this.#journal = journal;
    this.#groups = new StreamGroups(streams);
  }

  apply(view: View, commit: GroupedCommit): CommitOutcome {
    const conflicts = this.#conflicts(view, commit);
    if (conflicts.length > 0) return { isCommitted: false, conflicts };
    const creations = commit.create ?? [];
    if (this.#isAnyMatched(view, creations)) return { isCommitted: false, conflicts: [] };
    const seq = view.seq + 1;
    this.#entry.reset();
    this.#writeRecords(view, commit, seq);
    this.#boundLevels(view, commit.writes ?? []);
    this.#writeAll(view, commit.writes ?? [], seq);
    this.#delete(view, commit.delete ?? [], seq);
    return { isCommitted: true, version: this.#finish(view, seq) };
  }

  /**
   * Moves the rows of the levels into blocks, and the watermarks of their streams into records, as a
   * commit of its own.
   */
  seal(view: View, places: readonly LevelPlace[]): void {
    const seq = view.seq + 1;
    this.#entry.reset();
    this.#seal(view, places, seq);
    for (const ordinal of new Set(places.map((place) => place.ordinal))) {
      const stream = view.known(ordinal);
      if (stream?.hasOverlay) this.#streams.storeWatermarks(view, stream);
    }
    this.#finish(view, seq);
  }

  #finish(view: View, seq: number): number {
    if (this.#entry.isEmpty) return view.seq;
    view.noteEntry(seq, this.#journal.append(seq, this.#entry.finish()));
    return seq;
  }

  /** Streams that are not as expected, or that are to be changed and are not there. */
  #conflicts(view: View, commit: GroupedCommit): readonly StreamId[] {
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
    for (const { streamIds, version } of commit.expectGroups ?? []) {
      this.#noteOthers(view, { streamIds, version, conflicts });
    }
    const created = new Set((commit.create ?? []).map(({ record }) => record.id));
    for (const id of created) if (this.#streams.byId(view, id) !== null) conflicts.add(id);
    const need = (id: StreamId): void => {
      if (!created.has(id) && this.#streams.byId(view, id) === null) conflicts.add(id);
    };
    for (const { id } of commit.update ?? []) need(id);
    for (const write of commit.writes ?? []) {
      if ('streamId' in write) need(write.streamId);
      else if (this.#groups.resolve(view, write.streamIds) === null) write.streamIds.forEach(need);
    }
    for (const id of commit.delete ?? []) need(id);
    return [...conflicts];
  }

  /** Notes the streams of a group that have another version, or are not there. */
  #noteOthers(
    view: View,
    group: {
      streamIds: readonly StreamId[];
      version: number | string;
      conflicts: Set<StreamId>;
    },
  ): void {
    const { streamIds, version, conflicts } = group;
    const resolved = this.#groups.resolve(view, streamIds);
    if (resolved === null) {
      for (const id of streamIds) {
        if (this.#streams.byId(view, id)?.version !== version) conflicts.add(id);
      }
      return;
    }
    const { ordinals } = resolved;
    const { versions } = view.numbers;
    for (let i = 0; i < ordinals.length; i++) {
      if (versions[ordinals[i]!] !== version) conflicts.add(streamIds[i]!);
    }
  }

  #isAnyMatched(view: View, creations: readonly Creation[]): boolean {
    return creations.some(({ unlessTags }, i) => {
      if (unlessTags === undefined) return false;
      if (this.#streams.query(view, { tags: unlessTags, limit: 1 }).length > 0) return true;
      return creations.slice(0, i).some(({ record }) => matchesTags(record.tags, unlessTags));
    });
  }

  #writeRecords(view: View, { create = [], update = [] }: GroupedCommit, seq: number): void {
    const ordinals: number[] = [];
    for (const { record } of create) {
      const ordinal = this.#streams.create(record, seq);
      ordinals.push(ordinal);
      view.state(ordinal).isNew = true;
    }
    view.apply(seq, { kind: 'record', ordinals });
    for (const [i, { record }] of create.entries()) {
      // Who makes a stream writes to it soon. The record itself stays the caller's.
      const state = view.state(ordinals[i]!);
      state.noteRecord(record, seq);
      state.dropRecord();
      view.noteId(state);
    }
    for (const record of update) {
      const stream = this.#stream(view, record.id);
      this.#streams.update(stream, { before: this.#streams.record(view, stream), record, seq });
      ordinals.push(stream.ordinal);
      view.apply(seq, { kind: 'record', ordinals: [stream.ordinal] });
    }
    this.#entry.record(ordinals);
  }

  /** Looks up at once where the levels of many streams end; a tick looks up those of its own. */
  #boundLevels(view: View, writes: readonly (Write | LevelWrite)[]): void {
    if (writes.length < BOUNDED_WRITE_COUNT_MIN) return;
    const levels: StreamLevel[] = [];
    for (const write of writes) {
      if (!('streamId' in write)) continue;
      const stream = this.#stream(view, write.streamId);
      levels.push({ stream, level: levelNumber(write.granularity.name) });
    }
    boundLevels(this.#blocks, levels);
  }

  /** Ranges of one level that are replaced one after the other are replaced together. */
  #writeAll(view: View, writes: readonly (Write | LevelWrite)[], seq: number): void {
    for (let i = 0; i < writes.length; ) {
      const replaced = replacedTogether(writes, i);
      if (replaced.length > 1) this.#replace(view, replaced, seq);
      else this.#write(view, writes[i]!, seq);
      i += Math.max(replaced.length, 1);
    }
  }

  #write(view: View, write: Write | LevelWrite, seq: number): void {
    if (write.kind === 'tick') {
      this.#tick(view, write, seq);
      return;
    }
    if (write.kind === 'bucket') {
      this.#bucket(view, write, seq);
      return;
    }
    const stream = this.#stream(view, write.streamId);
    const place = { ordinal: stream.ordinal, level: levelNumber(write.granularity.name) };
    if (write.kind === 'append') this.#append(view, place, { rows: write.block, seq });
    else if (write.kind === 'advance') this.#advance(view, place, { write, seq });
    else this.#replace(view, [write], seq);
  }

  #tick(view: View, { streamIds, values, timestampMs }: TickWrite, seq: number): void {
    const group = this.#groups.resolve(view, streamIds);
    assert(group !== null, 'a commit without conflicts changes streams that exist');
    for (const raw of group.rawGroups) {
      const { positions } = raw;
      this.#tickGroup(view, seq, {
        raw,
        timestampMs,
        values: positions === null ? values : Float64Array.from(positions, (i) => values[i]!),
      });
    }
  }

  #tickGroup(
    view: View,
    seq: number,
    { raw, timestampMs, values }: { raw: RawGroup; timestampMs: number; values: Float64Array },
  ): void {
    const { level } = raw;
    if (raw.cohort === null || raw.cohort.isDisbanded) raw.cohort = view.tickCohort(raw);
    // A cohort knows its own list at a glance.
    const ordinals = raw.cohort?.ordinals ?? raw.ordinals;
    const late = this.#late(view, { cohort: raw.cohort, ordinals, level, timestampMs }).filter(
      (i) => values[i] !== NO_ROW,
    );
    const inOrder = late.length === 0 ? values : values.slice();
    for (const i of late) inOrder[i] = NO_ROW;
    if (inOrder.some((value) => value !== NO_ROW)) {
      const tick = { level, timestampMs, ordinals, values: inOrder };
      this.#entry.tick(tick);
      view.tick(seq, tick);
    }
    // Another process may have been faster with a newer row: the tick is late there, and as
    // welcome.
    for (const i of late) {
      const rows = rawBlock(Float64Array.of(timestampMs), values.slice(i, i + 1));
      this.#append(view, { ordinal: ordinals[i]!, level }, { rows, seq });
    }
  }

  #bucket(view: View, write: BucketWrite, seq: number): void {
    const { startMs, untilMs, streamIds } = write;
    const group = this.#groups.resolve(view, streamIds);
    assert(group !== null, 'a commit without conflicts changes streams that exist');
    if (group.ordinals.length === 0) return;
    const level = levelNumber(write.granularity.name);
    const columns = new Map<string, Float64Array | number>();
    for (const [name, cells] of Object.entries(write.columns)) {
      columns.set(name, typeof cells === 'number' ? cells : (uniformCell(cells) ?? cells));
    }
    const cohort = view.bucketCohort({ level, ordinals: group.ordinals, columns });
    const ordinals = cohort?.ordinals ?? group.ordinals;
    const bucket: BucketRows = { startMs, untilMs, level, ordinals, columns };
    const late = this.#late(view, { cohort, ordinals, level, timestampMs: startMs });
    if (late.length > 0) columns.set(COUNT_COLUMN, withoutCounts(write, late));
    this.#entry.bucket(bucket);
    view.bucket(seq, bucket);
    for (const i of late) {
      const rows = bucketRow({ startMs, columns: new Map(Object.entries(write.columns)) }, i);
      if (rows !== null) this.#append(view, { ordinal: ordinals[i]!, level }, { rows, seq });
    }
  }

  /**
   * Positions of the streams that have a newer row than the given timestamp. Of a cohort's members
   * it is known together.
   */
  #late(
    view: View,
    rows: {
      cohort: Cohort | null;
      ordinals: Uint32Array;
      level: number;
      timestampMs: number;
    },
  ): readonly number[] {
    const { cohort, ordinals, level, timestampMs } = rows;
    const areMembersKnown = cohort !== null && timestampMs >= cohort.boundMs;
    const late: number[] = [];
    let newestMs = timestampMs;
    for (const i of areMembersKnown ? cohort.strays : ordinals.keys()) {
      const { lastMs } = boundedLevel(this.#blocks, view.state(ordinals[i]!), level);
      if (timestampMs < lastMs) late.push(i);
      newestMs = Math.max(newestMs, lastMs);
    }
    if (cohort !== null) cohort.boundMs = newestMs;
    return late;
  }

  #append(view: View, place: LevelPlace, { rows, seq }: { rows: Block; seq: number }): void {
    const level = boundedLevel(this.#blocks, view.state(place.ordinal), place.level);
    const firstMs = rows.timestamps[0]!;
    const lastMs = rows.timestamps.at(-1)!;
    if (firstMs < level.lastMs) {
      const pending = pendingOf(view, place);
      insertIntoLevel(this.#blocks, pending, rows);
      this.#noteSealed(view, pending, seq);
      const bounds = [Math.min(firstMs, level.firstMs), Math.max(lastMs, level.lastMs)] as const;
      this.#touch(view, place, seq);
      // Rows only came to those that the bounds had.
      level.areBoundsKnown = true;
      level.noteRows(...bounds);
    } else if (this.#isEncoded(level, rows)) {
      const isDraft = this.#isLoose(level, rows);
      const blocks = isDraft ? this.#blocks.encodeDrafts(rows) : this.#blocks.encode(rows);
      this.#entry.blocks(place, blocks);
      view.apply(seq, { kind: 'blocks', place, blocks });
    } else {
      this.#journalRows(view, place, { rows, seq });
    }
  }

  #advance(
    view: View,
    place: LevelPlace,
    { write, seq }: { write: AdvanceWrite; seq: number },
  ): void {
    const { block: rows, untilMs } = write;
    if (rows.timestamps.length > 0) this.#append(view, place, { rows, seq });
    this.#entry.advance(place, untilMs);
    view.apply(seq, { kind: 'advance', place, untilMs });
  }

  /** @param writes of one level, ascending; their ranges do not overlap. */
  #replace(view: View, writes: readonly ReplaceWrite[], seq: number): void {
    const [{ streamId, granularity }] = writes as [ReplaceWrite];
    const stream = this.#stream(view, streamId);
    const place = { ordinal: stream.ordinal, level: levelNumber(granularity.name) };
    const { lastMs } = boundedLevel(this.#blocks, stream, place.level);
    const within = writes.filter(({ range }) => range.startMs <= lastMs);
    if (within.length > 0) {
      const changes = within.map(({ range, block }) => ({ range, rows: block }));
      const pending = pendingOf(view, place);
      replaceInLevel(this.#blocks, pending, changes);
      this.#noteSealed(view, pending, seq);
      this.#touch(view, place, seq);
    }
    for (const { block } of writes.slice(within.length)) {
      if (block.timestamps.length > 0) this.#append(view, place, { rows: block, seq });
      else this.#touch(view, place, seq);
    }
  }

  /** Whether rows are journaled as blocks, or drafts of blocks. */
  #isEncoded(level: LevelState, rows: Block): boolean {
    const rowCount = rows.timestamps.length;
    const target = this.#blocks.rowCountTarget(rows);
    if (rowCount < Math.min(READY_MADE_ROW_COUNT_MIN, target)) return false;
    return rowCount > PLAIN_ROW_COUNT_MAX || !this.#isLoose(level, rows);
  }

  /** Whether sealing is to encode the rows. */
  #isLoose(level: LevelState, rows: Block): boolean {
    const isRaw = Object.keys(rows.columns).length === 1;
    const countMax = isRaw ? LOOSE_ROW_COUNT_MAX : LOOSE_ROW_COUNT_MAX / RAW_ROWS_PER_BUCKET;
    return (
      level.looseRowCount + rows.timestamps.length <= countMax &&
      // In LMDB, what a long entry took stays with the store when it is gone.
      this.#journal.isForFile &&
      hasNumbersOnly(rows)
    );
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
    const tick = { timestampMs: timestamps[0]!, level, ordinals: Uint32Array.of(ordinal), values };
    this.#entry.tick(tick);
    view.tick(seq, tick);
  }

  #seal(view: View, places: readonly LevelPlace[], seq: number): void {
    const pending = places.filter((place) => view.level(place)?.isPending);
    const ends = this.#blocks.ends(pending);
    let index = 0;
    for (const { place, pieces } of pendingRows(view, pending)) {
      this.#blocks.append(place, { pieces, end: ends[index++]! });
    }
    this.#noteAllSealed(view, pending, seq);
  }

  #noteSealed(view: View, { place, pieces }: PendingRows, seq: number): void {
    if (pieces.length > 0) this.#noteAllSealed(view, [place], seq);
  }

  #noteAllSealed(view: View, places: readonly LevelPlace[], seq: number): void {
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
      this.#leases.remove(streamId);
      ordinals.push(stream.ordinal);
    }
    this.#blocks.removeStreams(ordinals);
    this.#entry.deleted(ordinals);
    view.apply(seq, { kind: 'deleted', ordinals });
  }

  #stream(view: View, streamId: StreamId): StreamState {
    const stream = this.#streams.byId(view, streamId);
    assert(stream !== null, 'a commit without conflicts changes streams that exist');
    return stream;
  }
}

/** The counts of a bucket, 0 where the stream is to have no row in it. */
function withoutCounts(write: BucketWrite, positions: readonly number[]): Float64Array {
  const counts = bucketColumns(write)[COUNT_COLUMN]!.slice();
  for (const i of positions) counts[i] = 0;
  return counts;
}

/** The replaced ranges of one level that ascend from the index on. */
function replacedTogether(
  writes: readonly (Write | LevelWrite)[],
  index: number,
): readonly ReplaceWrite[] {
  const replaced: ReplaceWrite[] = [];
  for (let i = index; i < writes.length; i++) {
    const write = writes[i]!;
    if (write.kind !== 'replace') break;
    const last = replaced.at(-1) ?? write;
    const isSameLevel =
      write.streamId === last.streamId && write.granularity.name === last.granularity.name;
    if (!isSameLevel || (last !== write && write.range.startMs < last.range.endMs)) break;
    replaced.push(write);
  }
  return replaced;
}
