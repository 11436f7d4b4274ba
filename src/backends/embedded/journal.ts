import { readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { BlockCorrupt } from '../../exceptions/errors.ts';
import { JournalDatabase } from './journal-database.ts';
import { decodeJournalEntry, type JournalOp } from './journal-entry.ts';
import { checkEntry } from './journal-entry-writer.ts';
import { JournalFiles } from './journal-files.ts';
import { FrameWriter } from './journal-frame.ts';
import {
  EMPTY_INDEX,
  encodeJournalIndex,
  isOpen,
  type JournalIndex,
  parseJournalIndex,
  withoutSegments,
} from './journal-index.ts';
import { makeSegmentAtOnce, segmentIdOf, segmentName, segmentSizeFor } from './journal-segment.ts';
import { type NewSegment, SpareSegment } from './journal-spare.ts';
import type { SegmentExtent } from './pinned-store.ts';
import { isNoRoom, isSystemError, type StoreFiles } from './store-files.ts';
import { flushFolderAtOnce } from './store-folder.ts';
import { JOURNAL_KEY } from './store-format.ts';

/** An entry as it stands in the journal. */
export interface JournalEntry {
  readonly seq: number;
  /** With what an entry costs beside its bytes. */
  readonly sizeBytes: number;
  readonly ops: readonly JournalOp[];
}

/** Many tiny entries take as long to read back as few large ones of this size more for each. */
const ENTRY_OVERHEAD_BYTES = 128;
const NO_INDEX: Uint8Array = new Uint8Array(0);
/** Entries beyond this go into LMDB one by one: a frame is kept in memory, and read in one piece. */
const FRAME_SIZE_MAX_BYTES = 32 * 1024 * 1024;
/**
 * Frames from this size on never go into LMDB for want of a file, which is made at once instead: what
 * LMDB holds for a while leaves free pages in its file for good.
 */
const BULKY_FRAME_SIZE_BYTES = 4064;
/** A file made at once has room for so many such frames; frames of the second size get one of their own. */
const FRAME_COUNT_AT_ONCE = 16;
const LARGE_FRAME_SIZE_BYTES = 128 * 1024;
/** Transactions that a process makes without a file before it makes one: a short life needs none. */
const PATIENCE_COUNT = 8;

/**
 * The newest commits, one entry each, without gaps in their numbers. An entry stands in LMDB when
 * its transaction changed anything else there, and in a file when it did not: that takes a single
 * flush of a few blocks of disk. docs/format/embedded-store.md has the reasons why it may.
 */
export class Journal {
  readonly #files: StoreFiles;
  readonly #database: JournalDatabase;
  readonly #segments: JournalFiles;
  readonly #spare: SpareSegment;
  readonly #frame: FrameWriter = new FrameWriter();
  /** As of the last snapshot that was looked at, and its bytes. */
  #index: JournalIndex = EMPTY_INDEX;
  #stored: Uint8Array | null = null;
  /** Files that the transaction under way takes out of the index, or into it. */
  #dropped: string[] = [];
  #added: string | null = null;
  #isSpareWished = false;
  /** Of the last transaction that could have gone into a file. */
  #frameSizeBytes = 0;
  #missedCount = 0;

  constructor(files: StoreFiles) {
    this.#files = files;
    this.#database = new JournalDatabase(files);
    this.#segments = new JournalFiles(files.path);
    this.#spare = new SpareSegment(files.path);
  }

  /**
   * Whether there is nothing behind the entry `seq`, up to which this was read. Two look-ups in
   * LMDB and a small read.
   */
  isCurrent(seq: number, { isLocked }: { isLocked: boolean }): boolean {
    return (
      this.#isIndexKnown() &&
      !this.#database.has(seq + 1) &&
      !this.#segments.hasNext({ isPublished: !isLocked })
    );
  }

  /** The rows of all entries up to this one are in blocks; 0 before the first pass of sealing. */
  sealedSeq(): number {
    return this.#newestIndex().sealedSeq;
  }

  /**
   * Reads the entries from `seq` on, in order, in LMDB's present snapshot and in the files. Without
   * the write lock it may end early, but never before a commit that was acknowledged before the
   * snapshot.
   * @throws {BlockCorrupt} on reaching a broken entry, or a gap that is not the end. Without the
   * lock that may also mean that others have removed what was to be read.
   */
  *entries(seq: number, { isLocked }: { isLocked: boolean }): Generator<JournalEntry> {
    this.#segments.follow(this.#newestIndex(), seq);
    let next = seq;
    for (let reached = -1; reached !== next; ) {
      reached = next;
      if (this.#database.has(next)) {
        for (const { entry } of this.#database.entries(next)) yield this.#decoded(next++, entry);
      }
      const frame = this.#segments.next(next, { isLocked });
      for (const entry of frame ?? []) yield this.#decoded(next++, entry);
    }
    const isAhead = isLocked && this.#segments.isAhead;
    const lastSeq = this.#database.lastSeq();
    if (isAhead || lastSeq >= next) throw this.#gap(next, lastSeq);
  }

  /**
   * To be called by whoever has read all entries from the `sealed` one on, with the write lock.
   * @throws {BlockCorrupt} when entries from `seq` on stand behind damage.
   */
  assertEnd(seq: number): void {
    this.#segments.assertNothingBehind(seq);
  }

  /** How much of each file counts, for whoever has read all entries, with the write lock. */
  extents(): readonly SegmentExtent[] {
    return this.#segments.extents();
  }

  /** The next read finds its place anew, for a view that is not the one of the last read. */
  forget(): void {
    this.#stored = null;
    this.#segments.forget();
  }

  /** Removes the files of processes that were killed before they used them. With the write lock. */
  removeOrphans(): void {
    const { segments } = this.#newestIndex();
    for (const name of readdirSync(this.#files.path)) {
      const orphan = segmentIdOf(name);
      if (orphan === null || segments.some(({ id }) => id === orphan)) continue;
      this.#unlink(orphan);
    }
  }

  /** Whether the transaction under way may put its entries into a file, as far as it went. */
  get isForFile(): boolean {
    return !this.#files.isChanged;
  }

  /** Adds an entry, which is copied, to the transaction under way, and gives its size. */
  append(seq: number, entry: Uint8Array): number {
    if (this.#files.isChanged || this.#frame.sizeBytes > FRAME_SIZE_MAX_BYTES) {
      this.#moveToDatabase();
      checkEntry(entry);
      this.#database.put(seq, entry);
    } else {
      this.#frame.add(seq, entry);
    }
    return entrySizeBytes(entry);
  }

  /** Writes what was added, as the last step of a transaction. */
  finish(): void {
    if (this.#frame.isEmpty) return;
    if (this.#files.isChanged || !this.#isInFile()) this.#moveToDatabase();
    this.#frame.reset();
  }

  /** After the transaction: its files are no longer, or now, those of the index. */
  noteCommitted(): void {
    for (const id of this.#dropped) this.#unlink(id);
    this.#dropped = [];
    this.#added = null;
    if (this.#isSpareWished) {
      this.#spare.wish(Math.min(this.#frameSizeBytes, LARGE_FRAME_SIZE_BYTES));
    }
    this.#isSpareWished = false;
  }

  /** After a transaction that was given up. */
  noteFailed(): void {
    if (this.#added !== null) this.#unlink(this.#added);
    this.#added = null;
    this.#dropped = [];
    this.#frame.reset();
    this.forget();
  }

  /** The entry `seq` was the last one of its file: what follows goes into others. */
  endSegment(seq: number): void {
    const index = this.#newestIndex();
    if (isOpen(index)) this.#putIndex({ ...index, endSeq: seq + 1 });
  }

  /** Notes that the rows of all entries up to this one are in blocks. */
  noteSealed(throughSeq: number): void {
    const index = this.#newestIndex();
    if (throughSeq > index.sealedSeq) this.#putIndex({ ...index, sealedSeq: throughSeq });
  }

  /**
   * Removes the entries up to `throughSeq`, which must be sealed, but the newest one in LMDB; at
   * most `countMax` parts of them. Says whether more remain.
   */
  trim(throughSeq: number, countMax: number): boolean {
    const wantedSeq = Math.min(throughSeq, this.#database.lastSeq() - 1);
    if (this.#database.trim(wantedSeq, countMax)) return true;
    const index = this.#newestIndex();
    const shorter = withoutSegments(index, wantedSeq);
    if (shorter.segments.length === index.segments.length) return false;
    const kept = new Set(shorter.segments.map(({ id }) => id));
    this.#dropped.push(...index.segments.map(({ id }) => id).filter((id) => !kept.has(id)));
    this.#putIndex(shorter);
    return false;
  }

  /** Removes the file that waits for entries; the next one is made when it is needed again. */
  async removeSpare(): Promise<void> {
    this.#missedCount = 0;
    await this.#spare.remove();
  }

  async close(): Promise<void> {
    this.forget();
    await this.#spare.remove();
  }

  /** False when no file has room for the frame, or when it did not take it. @throws when the disk is full. */
  #isInFile(): boolean {
    const frame = this.#frame;
    this.#frameSizeBytes = frame.sizeBytes;
    this.#isSpareWished = this.#isFileWanted();
    try {
      if (this.#segments.append(frame)) {
        this.#isSpareWished = this.#segments.isHalfFull;
        return true;
      }
    } catch (error) {
      if (!isSystemError(error) || isNoRoom(error)) throw error;
      // What the file did not take, LMDB may: if the disk is broken, it says so.
      this.endSegment(frame.firstSeq - 1);
      this.forget();
      return false;
    }
    const added = this.#spare.take(frame.sizeBytes) ?? this.#madeFor(frame.sizeBytes);
    return added !== null && this.#isInNewFile(added);
  }

  /**
   * A segment made at once for a bulky frame, or for any where the disk had no room for a spare; null for
   * others, and when the folder does not take it. On a full disk nothing goes into LMDB instead: LMDB's own
   * account of a write that fails runs over its buffer, and may end the process.
   * @throws the system's error when there is no room.
   */
  #madeFor(frameSizeBytes: number): NewSegment | null {
    const { missingRoomBytes } = this.#spare;
    if (frameSizeBytes < BULKY_FRAME_SIZE_BYTES && missingRoomBytes === null) return null;
    const frameCount = frameSizeBytes < LARGE_FRAME_SIZE_BYTES ? FRAME_COUNT_AT_ONCE : 1;
    const sizeBytes = Math.max(segmentSizeFor(frameSizeBytes * frameCount), missingRoomBytes ?? 0);
    const { path } = this.#files;
    try {
      const id = makeSegmentAtOnce(path, sizeBytes);
      flushFolderAtOnce(path);
      this.#spare.noteRoom();
      return { id, sizeBytes };
    } catch (error) {
      if (!isSystemError(error) || isNoRoom(error)) throw error;
      return null;
    }
  }

  #isInNewFile({ id, sizeBytes }: NewSegment): boolean {
    const index = this.#newestIndex();
    const segment = { id, startSeq: this.#frame.firstSeq, sizeBytes };
    const longer = { ...index, endSeq: 0, segments: [...index.segments, segment] };
    try {
      this.#segments.appendToNew(longer, this.#frame);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.forget();
      this.#unlink(id);
      if (isNoRoom(error)) throw error;
      return false;
    }
    this.#added = id;
    this.#putIndex(longer);
    return true;
  }

  #isFileWanted(): boolean {
    if (this.#index.segments.length === 0) this.#missedCount++;
    return this.#index.segments.length > 0 || this.#missedCount >= PATIENCE_COUNT;
  }

  #moveToDatabase(): void {
    let seq = this.#frame.firstSeq;
    for (const entry of this.#frame.entries()) {
      checkEntry(entry);
      this.#database.put(seq++, entry);
    }
    this.#frame.reset();
  }

  #isIndexKnown(): boolean {
    const stored = this.#files.meta.getBinaryFast(JOURNAL_KEY) ?? NO_INDEX;
    return this.#stored !== null && isSame(stored, this.#stored);
  }

  #newestIndex(): JournalIndex {
    if (this.#isIndexKnown()) return this.#index;
    const stored = this.#files.meta.getBinary(JOURNAL_KEY) ?? NO_INDEX;
    const { path } = this.#files;
    this.#index = stored.length === 0 ? EMPTY_INDEX : parseJournalIndex(stored, path);
    this.#stored = Uint8Array.from(stored);
    return this.#index;
  }

  #putIndex(index: JournalIndex): void {
    const bytes = encodeJournalIndex(index);
    this.#files.meta.put(JOURNAL_KEY, bytes);
    this.#index = index;
    this.#stored = bytes;
    this.#segments.note(index);
  }

  #unlink(id: string): void {
    try {
      unlinkSync(join(this.#files.path, segmentName(id)));
    } catch {
      // It is in nobody's way, and gone when the store is next opened.
    }
  }

  #decoded(seq: number, entry: Uint8Array): JournalEntry {
    const location = `journal entry ${seq} of the store ${this.#files.path}`;
    return { seq, sizeBytes: entrySizeBytes(entry), ops: decodeJournalEntry(entry, location) };
  }

  #gap(seq: number, lastSeq: number): BlockCorrupt {
    const { sealedSeq, endSeq, segments } = this.#index;
    const files = segments.map(({ id, startSeq }) => `${segmentName(id)} from ${startSeq} on`);
    const place = this.#segments.place ?? 'none';
    return new BlockCorrupt(
      `The journal of the store ${this.#files.path} lacks entry ${seq}. Sealed until ${sealedSeq}; data.mdb has entries until ${lastSeq}; files: ${files.join(', ') || 'none'}, ended at ${endSeq}; read until ${place}.`,
    );
  }
}

/** LMDB's buffer for fast reads is longer than what its `length` says, so `Buffer.compare` is not for it. */
function isSame(stored: Uint8Array, known: Uint8Array): boolean {
  if (stored.length !== known.length) return false;
  for (let i = 0; i < known.length; i++) if (stored[i] !== known[i]) return false;
  return true;
}

function entrySizeBytes(entry: Uint8Array): number {
  return entry.length + ENTRY_OVERHEAD_BYTES;
}
