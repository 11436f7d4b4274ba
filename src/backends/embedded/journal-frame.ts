import { crc32 } from 'node:zlib';

/**
 * `[magic:u32][state:u32][crc32 of all that follows:u32][crc32 of the frame before:u32]
 * [first seq:u64][entries:u32][size of the body:u32]`, then the body; all little-endian, and the
 * whole padded to 8 bytes. docs/format/embedded-store.md.
 */
export const FRAME_HEADER_SIZE_BYTES = 32;
const MAGIC = 0x314c_4a44;
export const STATE_OFFSET = 4;
const CHECKSUM_OFFSET = 8;
const CHECKED_OFFSET = 12;
const FIRST_SEQ_OFFSET = 16;
const COUNT_OFFSET = 24;
const BODY_SIZE_OFFSET = 28;
/** `[size:u32][0:u32]`, then the entry, padded to 8 bytes. */
const ENTRY_HEADER_SIZE_BYTES = 8;
const TWO_POW_32 = 2 ** 32;
const BODY_SIZE_MAX_BYTES = 2 ** 31;
/** What the buffer of a writer may keep between groups. */
const KEPT_SIZE_MAX_BYTES = 1 << 22;

/** State of a frame that every process may take; 0 says that it may not be on disk yet. */
export const PUBLISHED: Uint8Array = Uint8Array.of(1, 0, 0, 0);

/** What the header of a frame says. It may be wrong as long as its checksum was not compared. */
export interface FrameHeader {
  readonly isPublished: boolean;
  readonly checksum: number;
  readonly previousChecksum: number;
  readonly firstSeq: number;
  readonly entryCount: number;
  /** With the header. */
  readonly sizeBytes: number;
}

/** Where headers may begin. */
export function* headerOffsets(bytes: Uint8Array): Generator<number> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(MAGIC);
  for (let at = buffer.indexOf(magic); at !== -1; at = buffer.indexOf(magic, at + 1)) {
    if (at % 8 === 0) yield at;
  }
}

/** Null when the bytes are not those of a header. */
export function parseFrameHeader(bytes: Uint8Array, at: number): FrameHeader | null {
  if (bytes.length < at + FRAME_HEADER_SIZE_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, FRAME_HEADER_SIZE_BYTES);
  const bodySizeBytes = view.getUint32(BODY_SIZE_OFFSET, true);
  const entryCount = view.getUint32(COUNT_OFFSET, true);
  const isHeader =
    view.getUint32(0, true) === MAGIC &&
    bodySizeBytes % 8 === 0 &&
    bodySizeBytes < BODY_SIZE_MAX_BYTES &&
    entryCount > 0 &&
    bodySizeBytes > entryCount * ENTRY_HEADER_SIZE_BYTES;
  if (!isHeader) return null;
  return {
    isPublished: view.getUint32(STATE_OFFSET, true) === 1,
    checksum: view.getUint32(CHECKSUM_OFFSET, true),
    previousChecksum: view.getUint32(CHECKED_OFFSET, true),
    firstSeq:
      view.getUint32(FIRST_SEQ_OFFSET, true) +
      view.getUint32(FIRST_SEQ_OFFSET + 4, true) * TWO_POW_32,
    entryCount,
    sizeBytes: FRAME_HEADER_SIZE_BYTES + bodySizeBytes,
  };
}

/** Whether the checksum of the frame is right; `seed` is that of its segment. */
export function isWhole(
  bytes: Uint8Array,
  { at, header, seed }: { at: number; header: FrameHeader; seed: number },
): boolean {
  const end = at + header.sizeBytes;
  if (end > bytes.length) return false;
  return crc32(bytes.subarray(at + CHECKED_OFFSET, end), seed) === header.checksum;
}

/** The entries of a whole frame, over its own bytes; null when they do not fill the body. */
export function frameEntries(
  bytes: Uint8Array,
  { at, header }: { at: number; header: FrameHeader },
): readonly Uint8Array[] | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = at + header.sizeBytes;
  const entries: Uint8Array[] = [];
  let entryAt = at + FRAME_HEADER_SIZE_BYTES;
  while (entryAt < end) {
    const from = entryAt + ENTRY_HEADER_SIZE_BYTES;
    const sizeBytes = view.getUint32(entryAt, true);
    entryAt = from + padded(sizeBytes);
    if (entryAt > end) return null;
    entries.push(bytes.subarray(from, from + sizeBytes));
  }
  return entries.length === header.entryCount ? entries : null;
}

/** Gathers the journal entries of one transaction into a frame. */
export class FrameWriter {
  #bytes: Uint8Array = new Uint8Array(1 << 14);
  #view: DataView = new DataView(this.#bytes.buffer);
  #firstSeq = 0;
  readonly #sizes: number[] = [];
  #sizeBytes = FRAME_HEADER_SIZE_BYTES;

  get isEmpty(): boolean {
    return this.#sizes.length === 0;
  }

  /** Number of the first entry. */
  get firstSeq(): number {
    return this.#firstSeq;
  }

  /** Size of the frame, with its header. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Forgets what was gathered. */
  reset(): void {
    this.#sizes.length = 0;
    this.#sizeBytes = FRAME_HEADER_SIZE_BYTES;
    if (this.#bytes.length > KEPT_SIZE_MAX_BYTES) this.#resize(KEPT_SIZE_MAX_BYTES);
  }

  /** Copies an entry behind those that are there; its number is the next one. */
  add(seq: number, entry: Uint8Array): void {
    if (this.isEmpty) this.#firstSeq = seq;
    const at = this.#sizeBytes;
    const from = at + ENTRY_HEADER_SIZE_BYTES;
    const end = from + padded(entry.length);
    // Behind the frame stands the terminator.
    const neededBytes = end + FRAME_HEADER_SIZE_BYTES;
    if (neededBytes > this.#bytes.length) {
      this.#resize(Math.max(neededBytes, this.#bytes.length * 2));
    }
    this.#view.setUint32(at, entry.length, true);
    this.#view.setUint32(at + 4, 0, true);
    this.#bytes.set(entry, from);
    this.#bytes.fill(0, from + entry.length, end);
    this.#sizes.push(entry.length);
    this.#sizeBytes = end;
  }

  /** The entries, valid until the next call that changes something. */
  *entries(): Generator<Uint8Array> {
    let at = FRAME_HEADER_SIZE_BYTES;
    for (const sizeBytes of this.#sizes) {
      const from = at + ENTRY_HEADER_SIZE_BYTES;
      yield this.#bytes.subarray(from, from + sizeBytes);
      at = from + padded(sizeBytes);
    }
  }

  /**
   * The frame in state 0 and the header of zeros behind it, valid until the next call that changes
   * something, with the frame's checksum.
   */
  finish({ seed, previousChecksum }: { seed: number; previousChecksum: number }): {
    bytes: Uint8Array;
    checksum: number;
  } {
    const view = this.#view;
    const end = this.#sizeBytes;
    this.#bytes.fill(0, end, end + FRAME_HEADER_SIZE_BYTES);
    view.setUint32(0, MAGIC, true);
    view.setUint32(STATE_OFFSET, 0, true);
    view.setUint32(CHECKED_OFFSET, previousChecksum, true);
    view.setUint32(FIRST_SEQ_OFFSET, this.#firstSeq % TWO_POW_32, true);
    view.setUint32(FIRST_SEQ_OFFSET + 4, Math.floor(this.#firstSeq / TWO_POW_32), true);
    view.setUint32(COUNT_OFFSET, this.#sizes.length, true);
    view.setUint32(BODY_SIZE_OFFSET, end - FRAME_HEADER_SIZE_BYTES, true);
    const checksum = crc32(this.#bytes.subarray(CHECKED_OFFSET, end), seed);
    view.setUint32(CHECKSUM_OFFSET, checksum, true);
    return { bytes: this.#bytes.subarray(0, end + FRAME_HEADER_SIZE_BYTES), checksum };
  }

  #resize(sizeBytes: number): void {
    const bytes = new Uint8Array(sizeBytes);
    bytes.set(this.#bytes.subarray(0, this.#sizeBytes));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

function padded(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 8) * 8;
}
