import { createHash } from 'node:crypto';
import { assert } from '../../model/assert.ts';

const TWO_POW_31 = 2 ** 31;
const TWO_POW_32 = 2 ** 32;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Bytes of a block's key. */
const BLOCK_KEY_SIZE_BYTES = 15;
/** Bytes of a journal key before the number of the part. */
export const SEQ_KEY_SIZE_BYTES = 8;
const ORDINAL_MAX = 0xffffffff;
/** The largest tie-breaker of a block's key. */
export const TIE_MAX = 0xffff;
/** Bytes of a tag term's hash. */
const TERM_SIZE_BYTES = 16;

/** Where the level stands in a block's key of layout 2. */
export const BLOCK_KEY_LEVEL_OFFSET_V2 = 4;

/** Where a block stands: of one stream and level, blocks ascend by `(startMs, tie)`. */
export interface BlockPlace {
  readonly ordinal: number;
  /** As `levelNumber` gives it. */
  readonly level: number;
  /** Timestamp of the first row. */
  readonly startMs: number;
  /** Tells blocks apart that start with the same timestamp, in the order of their rows. */
  readonly tie: number;
}

/**
 * `[level:u8][ordinal:u32][startMs high:u32][startMs low:u32][tie:u16]`, big-endian: byte order is
 * order.
 */
export function blockKey({ ordinal, level, startMs, tie }: BlockPlace): Uint8Array {
  assert(
    tie >= 0 && tie <= TIE_MAX,
    'the blocks that start with one timestamp fit their tie-breaker',
  );
  const key = new Uint8Array(BLOCK_KEY_SIZE_BYTES);
  const high = Math.floor(startMs / TWO_POW_32);
  key[0] = level;
  writeUint32(key, 1, ordinal);
  // Splitting before adding the offset keeps every instant of a Date exact.
  writeUint32(key, 5, high + TWO_POW_31);
  writeUint32(key, 9, startMs - high * TWO_POW_32);
  key[13] = tie >>> 8;
  key[14] = tie & 0xff;
  return key;
}

/** The key of a block that layout 2 has under `[ordinal:u32][level:u8]…`. */
export function blockKeyOfV2(key: Uint8Array): Uint8Array {
  const result = Uint8Array.from(key);
  result[0] = key[BLOCK_KEY_LEVEL_OFFSET_V2]!;
  result.set(key.subarray(0, BLOCK_KEY_LEVEL_OFFSET_V2), 1);
  return result;
}

export function parseBlockKey(key: Uint8Array): BlockPlace {
  assert(key.length === BLOCK_KEY_SIZE_BYTES, 'a block key has its size');
  return {
    ordinal: readUint32(key, 1),
    level: key[0]!,
    startMs: (readUint32(key, 5) - TWO_POW_31) * TWO_POW_32 + readUint32(key, 9),
    tie: key[13]! * 256 + key[14]!,
  };
}

/** Before the key of every block of the stream's level, and behind those of every one before. */
export function levelStartKey(ordinal: number, level: number): Uint8Array {
  const key = new Uint8Array(5);
  key[0] = level;
  writeUint32(key, 1, ordinal);
  return key;
}

/** After the key of every block of the stream's level. */
export function levelEndKey(ordinal: number, level: number): Uint8Array {
  return ordinal < ORDINAL_MAX ? levelStartKey(ordinal + 1, level) : levelStartKey(0, level + 1);
}

export function ordinalKey(ordinal: number): Uint8Array {
  const key = new Uint8Array(4);
  writeUint32(key, 0, ordinal);
  return key;
}

/**
 * `[seq:u64]`, big-endian: before the parts of that journal entry, which are `[seq:u64][part:u16]`.
 */
export function seqKey(seq: number): Uint8Array {
  const key = new Uint8Array(SEQ_KEY_SIZE_BYTES);
  writeUint32(key, 0, Math.floor(seq / TWO_POW_32));
  writeUint32(key, 4, seq % TWO_POW_32);
  return key;
}

export function parseSeqKey(key: Uint8Array): number {
  return readUint32(key, 0) * TWO_POW_32 + readUint32(key, 4);
}

/**
 * The 16 bytes of a UUID; of any other text its SHA-256, so that every text has a key of bounded
 * size.
 */
export function idKey(id: string): Uint8Array {
  if (UUID.test(id)) {
    const key = Buffer.allocUnsafeSlow(16);
    key.write(id.replaceAll('-', ''), 'hex');
    return key;
  }
  return Uint8Array.from(createHash('sha256').update(id).digest());
}

/** The first 16 bytes of the SHA-256 of a term's text. */
export function termHash(text: string): Uint8Array {
  return createHash('sha256').update(text).digest().subarray(0, TERM_SIZE_BYTES);
}

/** `[term:16][ordinal:u32]`: the streams of a term stand together, in creation order. */
export function tagKey(term: Uint8Array, ordinal: number): Uint8Array {
  const key = new Uint8Array(TERM_SIZE_BYTES + 4);
  key.set(term);
  setTagKeyOrdinal(key, ordinal);
  return key;
}

export function setTagKeyOrdinal(key: Uint8Array, ordinal: number): void {
  writeUint32(key, TERM_SIZE_BYTES, ordinal);
}

export function parseTagKeyOrdinal(key: Uint8Array): number {
  return readUint32(key, TERM_SIZE_BYTES);
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 0x1000000 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!);
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = (value >>> 16) & 0xff;
  bytes[at + 2] = (value >>> 8) & 0xff;
  bytes[at + 3] = value & 0xff;
}
