import { crc32 } from 'node:zlib';
import { BlockCorrupt } from '../../exceptions/errors.ts';
import { assert } from '../../model/assert.ts';
import type { Block } from '../../model/block.ts';
import { decodeBlock, encodeBlock } from '../codec/block-codec.ts';

/** `[magic:u16][version:u8][0:u8][crc:u32]`, little-endian; docs/format/embedded-store.md. */
const MAGIC = 0x4a44;
/** The version of the entries that this code writes, and the only one it reads. */
const JOURNAL_ENTRY_VERSION = 1;
const HEADER_SIZE_BYTES = 8;
/** `[kind:u32][payload size:u32]`, then the payload, padded to 8 bytes. */
const OP_HEADER_SIZE_BYTES = 8;
const TICK_HEADER_SIZE_BYTES = 16;
const ROWS_HEADER_SIZE_BYTES = 8;

const TICK = 1;
const ROWS = 2;
const SEALED = 3;
const RECORD = 4;
const TOUCH = 5;
const DELETED = 6;

/** One level of one stream. */
export interface LevelPlace {
  readonly ordinal: number;
  readonly level: number;
}

/**
 * One thing that a commit did. What the journal's readers do about each:
 * docs/format/embedded-store.md.
 */
export type JournalOp =
  | {
      readonly kind: 'tick';
      readonly timestampMs: number;
      readonly level: number;
      readonly ordinals: Uint32Array;
      readonly values: Float64Array;
    }
  | { readonly kind: 'rows'; readonly place: LevelPlace; readonly block: Block }
  | { readonly kind: 'sealed'; readonly places: readonly LevelPlace[] }
  | { readonly kind: 'touch'; readonly places: readonly LevelPlace[] }
  | { readonly kind: 'record'; readonly ordinals: readonly number[] }
  | { readonly kind: 'deleted'; readonly ordinals: readonly number[] };

/** Gathers what one commit did into the bytes of its journal entry. */
export class JournalEntryWriter {
  #bytes: Uint8Array = new Uint8Array(1 << 14);
  #view: DataView = new DataView(this.#bytes.buffer);
  #sizeBytes = HEADER_SIZE_BYTES;

  get isEmpty(): boolean {
    return this.#sizeBytes === HEADER_SIZE_BYTES;
  }

  /** Forgets what was gathered. */
  reset(): void {
    this.#sizeBytes = HEADER_SIZE_BYTES;
  }

  /** The first `count` of the ordinals and values. */
  tick(tick: {
    timestampMs: number;
    level: number;
    ordinals: Uint32Array;
    values: Float64Array;
    count: number;
  }): void {
    const { count, values, ordinals } = tick;
    assert(count > 0, 'a journaled tick has rows');
    const at = this.#op(TICK, TICK_HEADER_SIZE_BYTES + count * 12);
    this.#view.setFloat64(at, tick.timestampMs, true);
    this.#view.setUint32(at + 8, count, true);
    this.#view.setUint32(at + 12, tick.level, true);
    const { buffer } = this.#bytes;
    const valuesAt = at + TICK_HEADER_SIZE_BYTES;
    new Float64Array(buffer, valuesAt, count).set(
      values.length === count ? values : values.subarray(0, count),
    );
    new Uint32Array(buffer, valuesAt + count * 8, count).set(
      ordinals.length === count ? ordinals : ordinals.subarray(0, count),
    );
  }

  rows(place: LevelPlace, block: Block): void {
    const bytes = encodeBlock(block);
    const at = this.#op(ROWS, ROWS_HEADER_SIZE_BYTES + bytes.length);
    this.#view.setUint32(at, place.ordinal, true);
    this.#view.setUint32(at + 4, place.level, true);
    this.#bytes.set(bytes, at + ROWS_HEADER_SIZE_BYTES);
  }

  sealed(places: readonly LevelPlace[]): void {
    this.#places(SEALED, places);
  }

  touch(places: readonly LevelPlace[]): void {
    this.#places(TOUCH, places);
  }

  record(ordinals: readonly number[]): void {
    this.#ordinals(RECORD, ordinals);
  }

  deleted(ordinals: readonly number[]): void {
    this.#ordinals(DELETED, ordinals);
  }

  /** The finished entry, valid until the next call of this writer. */
  finish(): Uint8Array {
    assert(!this.isEmpty, 'a journal entry says something');
    const { buffer } = this.#bytes;
    this.#view.setUint16(0, MAGIC, true);
    this.#view.setUint8(2, JOURNAL_ENTRY_VERSION);
    this.#view.setUint8(3, 0);
    const body = new Uint8Array(buffer, HEADER_SIZE_BYTES, this.#sizeBytes - HEADER_SIZE_BYTES);
    this.#view.setUint32(4, crc32(body), true);
    return new Uint8Array(buffer, 0, this.#sizeBytes);
  }

  #places(kind: number, places: readonly LevelPlace[]): void {
    if (places.length === 0) return;
    let at = this.#op(kind, places.length * 8);
    for (const { ordinal, level } of places) {
      this.#view.setUint32(at, ordinal, true);
      this.#view.setUint32(at + 4, level, true);
      at += 8;
    }
  }

  #ordinals(kind: number, ordinals: readonly number[]): void {
    if (ordinals.length === 0) return;
    let at = this.#op(kind, ordinals.length * 4);
    for (const ordinal of ordinals) {
      this.#view.setUint32(at, ordinal, true);
      at += 4;
    }
  }

  /** Writes the header of an op and gives the offset of its payload, on a multiple of 8. */
  #op(kind: number, payloadSizeBytes: number): number {
    const at = this.#sizeBytes;
    const payloadAt = at + OP_HEADER_SIZE_BYTES;
    const end = payloadAt + padded(payloadSizeBytes);
    this.#reserve(end);
    this.#view.setUint32(at, kind, true);
    this.#view.setUint32(at + 4, payloadSizeBytes, true);
    this.#bytes.fill(0, payloadAt + payloadSizeBytes, end);
    this.#sizeBytes = end;
    return payloadAt;
  }

  #reserve(sizeBytes: number): void {
    if (sizeBytes <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(sizeBytes, this.#bytes.length * 2));
    bytes.set(this.#bytes.subarray(0, this.#sizeBytes));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

/**
 * Decodes a journal entry: its ops in the order in which they happened.
 * @throws {BlockCorrupt} when the bytes are not a whole entry of a known version; `location` says
 * which, such as "journal entry 3 of the store /data".
 */
export function decodeJournalEntry(bytes: Uint8Array, location: string): readonly JournalOp[] {
  const size = bytes.length;
  if (size < HEADER_SIZE_BYTES + OP_HEADER_SIZE_BYTES) throw corrupt(location, 'truncated');
  // Typed arrays over the entry need it to start on a multiple of 8.
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : Uint8Array.from(bytes);
  const view = new DataView(aligned.buffer, aligned.byteOffset, size);
  if (view.getUint16(0, true) !== MAGIC) throw corrupt(location, 'bad magic');
  const version = view.getUint8(2);
  if (version !== JOURNAL_ENTRY_VERSION) throw corrupt(location, `unknown version ${version}`);
  if (view.getUint32(4, true) !== crc32(aligned.subarray(HEADER_SIZE_BYTES))) {
    throw corrupt(location, 'bad checksum');
  }
  const ops: JournalOp[] = [];
  let at = HEADER_SIZE_BYTES;
  while (at < size) {
    const payloadAt = at + OP_HEADER_SIZE_BYTES;
    if (payloadAt > size) throw corrupt(location, 'truncated');
    const payloadSizeBytes = view.getUint32(at + 4, true);
    at = payloadAt + padded(payloadSizeBytes);
    if (at > size) throw corrupt(location, 'truncated');
    ops.push(
      decodeOp(view.getUint32(payloadAt - OP_HEADER_SIZE_BYTES, true), {
        payload: aligned.subarray(payloadAt, payloadAt + payloadSizeBytes),
        location,
      }),
    );
  }
  return ops;
}

function decodeOp(kind: number, { payload, location }: OpBytes): JournalOp {
  switch (kind) {
    case TICK:
      return decodeTick({ payload, location });
    case ROWS: {
      if (payload.length <= ROWS_HEADER_SIZE_BYTES) throw corrupt(location, 'rows without rows');
      const [ordinal, level] = uint32s(payload.subarray(0, ROWS_HEADER_SIZE_BYTES));
      const block = decodeBlock(
        payload.subarray(ROWS_HEADER_SIZE_BYTES),
        `stream #${ordinal}, level ${level}, in ${location}`,
      );
      return { kind: 'rows', place: { ordinal: ordinal!, level: level! }, block };
    }
    case SEALED:
      return { kind: 'sealed', places: places({ payload, location }) };
    case TOUCH:
      return { kind: 'touch', places: places({ payload, location }) };
    case RECORD:
      return { kind: 'record', ordinals: Array.from(uint32s(payload)) };
    case DELETED:
      return { kind: 'deleted', ordinals: Array.from(uint32s(payload)) };
    default:
      throw corrupt(location, `unknown kind ${kind}`);
  }
}

interface OpBytes {
  readonly payload: Uint8Array;
  readonly location: string;
}

function decodeTick({ payload, location }: OpBytes): JournalOp {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const count = payload.length < TICK_HEADER_SIZE_BYTES ? 0 : view.getUint32(8, true);
  if (count === 0 || payload.length !== TICK_HEADER_SIZE_BYTES + count * 12) {
    throw corrupt(location, 'a tick of the wrong size');
  }
  const valuesAt = payload.byteOffset + TICK_HEADER_SIZE_BYTES;
  return {
    kind: 'tick',
    timestampMs: view.getFloat64(0, true),
    level: view.getUint32(12, true),
    values: new Float64Array(payload.buffer, valuesAt, count),
    ordinals: new Uint32Array(payload.buffer, valuesAt + count * 8, count),
  };
}

function places({ payload, location }: OpBytes): readonly LevelPlace[] {
  if (payload.length % 8 !== 0) throw corrupt(location, 'a list of the wrong size');
  const numbers = uint32s(payload);
  const result: LevelPlace[] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    result.push({ ordinal: numbers[i]!, level: numbers[i + 1]! });
  }
  return result;
}

function uint32s(payload: Uint8Array): Uint32Array {
  return new Uint32Array(payload.buffer, payload.byteOffset, payload.length >>> 2);
}

function padded(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 8) * 8;
}

function corrupt(location: string, reason: string): BlockCorrupt {
  return new BlockCorrupt(`Corrupt ${location}: ${reason}.`);
}
