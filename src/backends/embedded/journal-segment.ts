import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { BlockCorrupt } from '../../exceptions/errors.ts';
import { FRAME_HEADER_SIZE_BYTES } from './journal-frame.ts';
import type { Segment } from './journal-index.ts';

/** `[magic:u32][version:u8][0:24 bits][id:8]` and zeros; the frames follow. */
export const SEGMENT_HEADER_SIZE_BYTES = 32;
const MAGIC = 0x464c_4a44;
const SEGMENT_VERSION = 1;
const ID_OFFSET = 8;
const NAME = /^journal-([0-9a-f]{16})\.log$/;
/**
 * Zeros are written page by page: a kernel that caches what one call wrote in one large piece
 * (folio) flushes and accounts for all of it whenever a frame changes a part of it.
 */
const PAGE_SIZE_BYTES = 4096;
const PAGE_OF_ZEROS: Uint8Array = new Uint8Array(PAGE_SIZE_BYTES);
/** Pages written between two turns of the event loop; a page takes about a microsecond. */
const STRETCH_PAGE_COUNT = 64;

export function segmentName(id: string): string {
  return `journal-${id}.log`;
}

/** The id of the segment with that name; null when no segment has such a name. */
export function segmentIdOf(name: string): string | null {
  return NAME.exec(name)?.[1] ?? null;
}

/** The size of a segment that a frame of that size fills, with the terminator behind it. */
export function segmentSizeFor(frameSizeBytes: number): number {
  return SEGMENT_HEADER_SIZE_BYTES + frameSizeBytes + FRAME_HEADER_SIZE_BYTES;
}

/** Where the checksums of a segment's frames start, so that those of no other one are right. */
function seedOf(id: string): number {
  return crc32(Buffer.from(id, 'hex'));
}

function headerOf(id: string): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_SIZE_BYTES);
  new DataView(bytes.buffer).setUint32(0, MAGIC, true);
  bytes[4] = SEGMENT_VERSION;
  bytes.set(Buffer.from(id, 'hex'), ID_OFFSET);
  return bytes;
}

/** Makes a segment of zeros, all of which are on disk when this resolves; gives its id. */
export async function makeSegment(folder: string, sizeBytes: number): Promise<string> {
  const id = randomBytes(8).toString('hex');
  const path = join(folder, segmentName(id));
  const file = await open(path, 'wx');
  try {
    writeSync(file.fd, PAGE_OF_ZEROS);
    writeSync(file.fd, headerOf(id), 0, SEGMENT_HEADER_SIZE_BYTES, 0);
    for (let page = 1; page * PAGE_SIZE_BYTES < sizeBytes; page++) {
      if (page % STRETCH_PAGE_COUNT === 0) await nextTurn();
      const at = page * PAGE_SIZE_BYTES;
      writeSync(file.fd, PAGE_OF_ZEROS, 0, Math.min(PAGE_SIZE_BYTES, sizeBytes - at), at);
    }
    await file.sync();
  } catch (error) {
    await unlink(path).catch(() => {});
    throw error;
  } finally {
    await file.close();
  }
  return id;
}

/**
 * Makes a segment for a single frame, at once; gives its id. Nothing of it need be on disk before the
 * frame is. @throws the operating system's errors.
 */
export function makeSegmentAtOnce(folder: string, sizeBytes: number): string {
  const id = randomBytes(8).toString('hex');
  const path = join(folder, segmentName(id));
  const descriptor = openSync(path, 'wx');
  try {
    writeSync(descriptor, headerOf(id), 0, SEGMENT_HEADER_SIZE_BYTES, 0);
    ftruncateSync(descriptor, sizeBytes);
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(descriptor);
  }
  return id;
}

function opened(path: string): number {
  try {
    return openSync(path, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new BlockCorrupt(`The journal lacks its file ${path}.`);
  }
}

/** An open segment. */
export class SegmentFile {
  readonly segment: Segment;
  readonly seed: number;
  readonly path: string;
  readonly #descriptor: number;

  /**
   * @throws {BlockCorrupt} when the file is not that segment, and the operating system's errors.
   */
  constructor(folder: string, segment: Segment) {
    this.segment = segment;
    this.seed = seedOf(segment.id);
    this.path = join(folder, segmentName(segment.id));
    this.#descriptor = opened(this.path);
    const header = this.read(0, SEGMENT_HEADER_SIZE_BYTES);
    const isWhole = fstatSync(this.#descriptor).size >= segment.sizeBytes;
    if (isWhole && Buffer.compare(header, headerOf(segment.id)) === 0) return;
    this.close();
    const reason = isWhole ? 'does not begin as a segment of the journal' : 'was cut off';
    throw new BlockCorrupt(`The file ${this.path} ${reason}.`);
  }

  /** Up to so many bytes, fewer at the end of the file, in memory of their own. */
  read(offset: number, sizeBytes: number): Uint8Array {
    const end = Math.min(offset + sizeBytes, this.segment.sizeBytes);
    const bytes = new Uint8Array(Math.max(0, end - offset));
    return bytes.subarray(0, this.readInto(bytes, offset));
  }

  /** Fills the bytes and says how many the file had. */
  readInto(bytes: Uint8Array, offset: number): number {
    let count = 0;
    while (count < bytes.length) {
      const read = readSync(this.#descriptor, bytes, count, bytes.length - count, offset + count);
      if (read === 0) break;
      count += read;
    }
    return count;
  }

  write(bytes: Uint8Array, offset: number): void {
    let count = 0;
    while (count < bytes.length) {
      const left = bytes.length - count;
      count += writeSync(this.#descriptor, bytes, count, left, offset + count);
    }
  }

  flush(): void {
    fdatasyncSync(this.#descriptor);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
