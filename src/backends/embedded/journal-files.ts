import { BlockCorrupt } from '../../exceptions/errors.ts';
import { assert } from '../../model/assert.ts';
import {
  FRAME_HEADER_SIZE_BYTES,
  type FrameHeader,
  type FrameWriter,
  frameEntries,
  headerOffsets,
  isWhole,
  PUBLISHED,
  parseFrameHeader,
  STATE_OFFSET,
} from './journal-frame.ts';
import { EMPTY_INDEX, isOpen, type JournalIndex, type Segment } from './journal-index.ts';
import { SEGMENT_HEADER_SIZE_BYTES, SegmentFile, segmentSizeFor } from './journal-segment.ts';
import type { SegmentExtent } from './pinned-store.ts';

const NO_HEADER: Uint8Array = new Uint8Array(FRAME_HEADER_SIZE_BYTES);
/** What is read at once, at first and at most; a single frame may take more. */
const CHUNK_SIZE_MIN_BYTES = 1 << 14;
const CHUNK_SIZE_MAX_BYTES = 1 << 20;

/** A frame as it was found. */
interface Frame {
  readonly header: FrameHeader;
  readonly entries: readonly Uint8Array[];
}

/**
 * The files of the journal, and the place in them that this process has reached. Which files there
 * are, is said by the index of a snapshot; what they hold, by themselves.
 */
export class JournalFiles {
  readonly #folder: string;
  #index: JournalIndex = EMPTY_INDEX;
  /** The one with the place reached; null while there is none. */
  #file: SegmentFile | null = null;
  #offset = 0;
  /** Of the frame before, or of the segment before the first. */
  #checksum = 0;
  #isAhead = false;
  #chunk: Uint8Array = new Uint8Array(0);
  #chunkOffset = 0;
  #chunkSizeBytes = CHUNK_SIZE_MIN_BYTES;
  readonly #header: Uint8Array = new Uint8Array(FRAME_HEADER_SIZE_BYTES);

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Takes over the index of a snapshot, before frames from `seq` on are read in it. The place stays
   * unless its file is gone. @throws the operating system's errors.
   */
  follow(index: JournalIndex, seq: number): void {
    this.#index = index;
    this.#chunk = new Uint8Array(0);
    this.#chunkSizeBytes = CHUNK_SIZE_MIN_BYTES;
    if (this.#isListed()) return;
    const { segments } = index;
    const later = segments.findIndex(({ startSeq }) => startSeq > seq);
    const last = later === -1 ? segments.length - 1 : Math.max(0, later - 1);
    this.#enter(segments[last] ?? null);
  }

  /** Takes over the index that the transaction under way has made. */
  note(index: JournalIndex): void {
    this.#index = index;
    if (!this.#isListed()) this.#enter(null);
  }

  /** Forgets the place. */
  forget(): void {
    this.#index = EMPTY_INDEX;
    this.#enter(null);
  }

  /**
   * Whether there are bytes at the place, or with `isPublished` a frame for everybody. One small
   * read.
   */
  hasNext({ isPublished }: { isPublished: boolean }): boolean {
    if (this.#file === null || !isOpen(this.#index)) return false;
    const header = this.#header;
    if (this.#file.readInto(header, this.#offset) < header.length) return false;
    if (!isPublished) return Buffer.compare(header, NO_HEADER) !== 0;
    return parseFrameHeader(header, 0)?.isPublished === true;
  }

  /**
   * The entries of the frame that begins with the entry `seq`; null when the place has no such
   * frame. Frames that end before it are passed over. With the write lock, a frame that was written
   * but not published is published.
   */
  next(seq: number, { isLocked }: { isLocked: boolean }): readonly Uint8Array[] | null {
    this.#isAhead = false;
    while (this.#file !== null) {
      const frame = this.#peek(seq);
      if (frame === null || !isTakeable(frame, { seq, isLocked })) {
        if (!this.#enterNext()) return null;
        continue;
      }
      const { firstSeq, entryCount, isPublished } = frame.header;
      this.#isAhead = firstSeq > seq;
      if (this.#isAhead) return null;
      if (!isPublished) this.#publishFound(frame);
      this.#pass(frame.header);
      if (firstSeq === seq) return frame.entries;
      if (firstSeq + entryCount > seq) return null;
    }
    return null;
  }

  /**
   * Makes sure that no whole frame from the entry `seq` on stands behind the place: it would be cut
   * off from its predecessors by damage. What a killed writer or a refused write left behind is
   * never a whole frame. @throws {BlockCorrupt}
   */
  assertNothingBehind(seq: number): void {
    const file = this.#file;
    if (file === null) return;
    const bytes = file.read(this.#offset, file.segment.sizeBytes);
    for (const at of headerOffsets(bytes)) {
      const header = parseFrameHeader(bytes, at);
      if (header === null || header.firstSeq < seq) continue;
      if (isWhole(bytes, { at, header, seed: file.seed })) throw this.#damage(seq);
    }
  }

  /**
   * Writes a frame in one go, and publishes it when it is on disk. False when there is no room.
   * Only with the write lock, at the end of the last segment.
   * @throws the operating system's errors; then the frame is taken back as far as that is possible.
   */
  append(frame: FrameWriter): boolean {
    const file = this.#file;
    if (file === null || !isOpen(this.#index)) return false;
    assert(
      file.segment.id === this.#index.segments.at(-1)?.id,
      'whoever writes has read to the end of the journal',
    );
    const end = this.#offset + frame.sizeBytes;
    if (end + FRAME_HEADER_SIZE_BYTES > file.segment.sizeBytes) return false;
    this.#write(file, frame);
    return true;
  }

  /** Goes over to a segment that was never written to, and writes the frame there. */
  appendToNew(index: JournalIndex, frame: FrameWriter): void {
    const segment = index.segments.at(-1)!;
    assert(segmentSizeFor(frame.sizeBytes) <= segment.sizeBytes, 'the frame fits a new segment');
    this.#index = index;
    this.#enter(segment);
    this.#write(this.#file!, frame);
  }

  /** How much of each file counts. Only with the write lock, for whoever has read to the end. */
  extents(): readonly SegmentExtent[] {
    const { segments } = this.#index;
    return segments.map(({ id, sizeBytes }, i) => {
      if (i < segments.length - 1) return { id, sizeBytes, endBytes: sizeBytes };
      assert(this.#file?.segment.id === id, 'whoever has read to the end is in the last file');
      return { id, sizeBytes, endBytes: this.#offset };
    });
  }

  /** The file and the offset that were reached, to be told; null while there is none. */
  get place(): string | null {
    return this.#file === null ? null : `offset ${this.#offset} of the file ${this.#file.path}`;
  }

  /** Whether `next` met a frame with none but later entries. */
  get isAhead(): boolean {
    return this.#isAhead;
  }

  /** Whether it is time to make the next segment. */
  get isHalfFull(): boolean {
    const { segment } = this.#file ?? {};
    return !isOpen(this.#index) || segment === undefined || this.#offset * 2 > segment.sizeBytes;
  }

  #write(file: SegmentFile, frame: FrameWriter): void {
    const offset = this.#offset;
    const { seed } = file;
    const { bytes, checksum } = frame.finish({ seed, previousChecksum: this.#checksum });
    try {
      file.write(bytes, offset);
      file.flush();
      file.write(PUBLISHED, offset + STATE_OFFSET);
    } catch (error) {
      takeBack(file, offset);
      throw error;
    }
    this.#offset += frame.sizeBytes;
    this.#checksum = checksum;
  }

  /** The frame at the place; null at the end. @throws {BlockCorrupt} */
  #peek(seq: number): Frame | null {
    const file = this.#file!;
    const at = this.#loaded(file, FRAME_HEADER_SIZE_BYTES);
    const header = parseFrameHeader(this.#chunk, at);
    if (header === null) {
      if (this.#isPublishedAt(at)) throw this.#damage(seq);
      return null;
    }
    const frameAt = this.#loaded(file, header.sizeBytes);
    const isGood =
      header.previousChecksum === this.#checksum &&
      isWhole(this.#chunk, { at: frameAt, header, seed: file.seed });
    const entries = isGood ? frameEntries(this.#chunk, { at: frameAt, header }) : null;
    if (entries !== null) return { header, entries };
    // Only what was on disk is ever published.
    if (header.isPublished) throw this.#damage(seq);
    return null;
  }

  #isPublishedAt(at: number): boolean {
    const state = this.#chunk.subarray(at + STATE_OFFSET, at + STATE_OFFSET + PUBLISHED.length);
    return Buffer.compare(state, PUBLISHED) === 0;
  }

  /** Where the place is in the chunk, which has so many bytes from there on if the file has. */
  #loaded(file: SegmentFile, sizeBytes: number): number {
    const at = this.#offset - this.#chunkOffset;
    if (at >= 0 && at + sizeBytes <= this.#chunk.length) return at;
    // Never written to again: what is decoded from it may point into it.
    this.#chunk = file.read(this.#offset, Math.max(sizeBytes, this.#chunkSizeBytes));
    this.#chunkOffset = this.#offset;
    this.#chunkSizeBytes = Math.min(this.#chunkSizeBytes * 2, CHUNK_SIZE_MAX_BYTES);
    return 0;
  }

  /**
   * What killed its writer, or a loss of power, left on disk without the sign that it is there. The
   * bytes behind it may not be those that its writer wrote.
   */
  #publishFound({ header }: Frame): void {
    const file = this.#file!;
    const end = this.#offset + header.sizeBytes;
    const behind = file.read(end, FRAME_HEADER_SIZE_BYTES);
    const isEnd = Buffer.compare(behind, NO_HEADER.subarray(0, behind.length)) === 0;
    if (!isEnd && parseFrameHeader(behind, 0)?.previousChecksum !== header.checksum) {
      file.write(NO_HEADER.subarray(0, behind.length), end);
      this.#chunk = this.#chunk.subarray(0, end - this.#chunkOffset);
    }
    file.flush();
    file.write(PUBLISHED, this.#offset + STATE_OFFSET);
  }

  #isListed(): boolean {
    return this.#index.segments.some(({ id }) => id === this.#file?.segment.id);
  }

  #pass({ sizeBytes, checksum }: FrameHeader): void {
    this.#offset += sizeBytes;
    this.#checksum = checksum;
  }

  /** False when the place is in the last segment. */
  #enterNext(): boolean {
    const { segments } = this.#index;
    const reached = segments.findIndex(({ id }) => id === this.#file?.segment.id);
    const next = segments[reached + 1];
    if (next === undefined) return false;
    this.#enter(next);
    return true;
  }

  #enter(segment: Segment | null): void {
    this.#file?.close();
    this.#file = null;
    this.#chunk = new Uint8Array(0);
    if (segment === null) return;
    this.#file = new SegmentFile(this.#folder, segment);
    this.#offset = SEGMENT_HEADER_SIZE_BYTES;
    this.#checksum = this.#file.seed;
  }

  #damage(seq: number): BlockCorrupt {
    return new BlockCorrupt(`Corrupt journal entry ${seq}, at ${this.place}: bad checksum.`);
  }
}

function isTakeable(
  { header }: Frame,
  { seq, isLocked }: { seq: number; isLocked: boolean },
): boolean {
  // The entries of a frame that was refused stand elsewhere, or were given to others.
  return header.isPublished || (isLocked && header.firstSeq >= seq);
}

/** The bytes that were written become the end again. What cannot be undone was never published. */
function takeBack(file: SegmentFile, offset: number): void {
  try {
    file.write(NO_HEADER, offset);
    file.flush();
  } catch {
    // The frame keeps its state: it is published only by whoever misses its entries.
  }
}
