import { crc32 } from 'node:zlib';
import { BlockCorrupt } from '../../exceptions/errors.ts';
import type { Block } from '../../model/block.ts';
import { decodeBlock } from '../codec/block-codec.ts';
import { type EncodedRows, encodedRows } from './encoded-rows.ts';
import {
  ADVANCE,
  ADVANCE_SIZE_BYTES,
  BLOCKS,
  BLOCKS_HEADER_SIZE_BYTES,
  BUCKET,
  BUCKET_HEADER_SIZE_BYTES,
  CHECKSUM_OFFSET,
  DELETED,
  FLAGS_OFFSET,
  HEADER_SIZE_BYTES,
  JOURNAL_ENTRY_VERSION,
  MAGIC,
  OP_HEADER_SIZE_BYTES,
  PLACE_SIZE_BYTES,
  PLAIN_HEADER_SIZE_BYTES,
  PLAIN_ROWS,
  padded,
  RECORD,
  ROWS,
  RUN,
  RUN_HEADER_SIZE_BYTES,
  SEALED,
  TICK,
  TICK_HEADER_SIZE_BYTES,
  TOUCH,
  UNCHECKED,
} from './journal-entry-layout.ts';

/** The last kind of op that entries of each version can have. */
const KIND_MAX: readonly number[] = [0, 6, BUCKET, PLAIN_ROWS];

const textDecoder = new TextDecoder();

/** One level of one stream. */
export interface LevelPlace {
  readonly ordinal: number;
  readonly level: number;
}

/** One raw row for each of many streams. */
export interface TickRows {
  readonly timestampMs: number;
  readonly level: number;
  readonly ordinals: Uint32Array;
  /** NaN = null, `NO_ROW` = no row for the stream. */
  readonly values: Float64Array;
}

/** One bucket for each of many streams. */
export interface BucketRows {
  readonly startMs: number;
  /** The new watermark of the level. */
  readonly untilMs: number;
  readonly level: number;
  readonly ordinals: Uint32Array;
  /** By name; a number is the state of every stream. A stream whose count `c` is 0 has no row. */
  readonly columns: ReadonlyMap<string, Float64Array | number>;
}

/**
 * One thing that a commit did. What the journal's readers do about each:
 * docs/format/embedded-store.md.
 */
export type JournalOp =
  | ({ readonly kind: 'tick' } & TickRows)
  | ({ readonly kind: 'bucket' } & BucketRows)
  | {
      readonly kind: 'blocks';
      readonly place: LevelPlace;
      readonly blocks: readonly EncodedRows[];
    }
  | { readonly kind: 'advance'; readonly place: LevelPlace; readonly untilMs: number }
  | { readonly kind: 'rows'; readonly place: LevelPlace; readonly block: Block }
  | { readonly kind: 'sealed'; readonly places: readonly LevelPlace[] }
  | { readonly kind: 'touch'; readonly places: readonly LevelPlace[] }
  | { readonly kind: 'record'; readonly ordinals: readonly number[] }
  | { readonly kind: 'deleted'; readonly ordinals: readonly number[] };

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
  if (version < 1 || version > JOURNAL_ENTRY_VERSION) {
    throw corrupt(location, `unknown version ${version}`);
  }
  const isUnchecked = version > 2 && view.getUint8(FLAGS_OFFSET) === UNCHECKED;
  if (
    !isUnchecked &&
    view.getUint32(CHECKSUM_OFFSET, true) !== crc32(aligned.subarray(HEADER_SIZE_BYTES))
  ) {
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
    const kind = view.getUint32(payloadAt - OP_HEADER_SIZE_BYTES, true);
    if (kind > KIND_MAX[version]!) throw corrupt(location, `unknown kind ${kind}`);
    const payload = aligned.subarray(payloadAt, payloadAt + payloadSizeBytes);
    ops.push(decodeOp(kind, { payload, location }));
  }
  return ops;
}

function decodeOp(kind: number, { payload, location }: OpBytes): JournalOp {
  switch (kind) {
    case TICK:
      return decodeTick({ payload, location });
    case RUN:
      return decodeRun({ payload, location });
    case BUCKET:
      return decodeBucket({ payload, location });
    case ROWS:
      return decodeRows({ payload, location });
    case PLAIN_ROWS:
      return decodePlainRows({ payload, location });
    case BLOCKS:
      return decodeEncoded({ payload, location });
    case ADVANCE: {
      if (payload.length !== ADVANCE_SIZE_BYTES) throw corrupt(location, 'an odd advance');
      const untilMs = viewOf(payload).getFloat64(PLACE_SIZE_BYTES, true);
      return { kind: 'advance', place: placeAt(payload), untilMs };
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
  const count = payload.length < TICK_HEADER_SIZE_BYTES ? 0 : viewOf(payload).getUint32(8, true);
  if (count === 0 || payload.length !== TICK_HEADER_SIZE_BYTES + count * 12) {
    throw corrupt(location, 'a tick of the wrong size');
  }
  const valuesAt = payload.byteOffset + TICK_HEADER_SIZE_BYTES;
  return {
    kind: 'tick',
    timestampMs: viewOf(payload).getFloat64(0, true),
    level: viewOf(payload).getUint32(12, true),
    values: new Float64Array(payload.buffer, valuesAt, count),
    ordinals: new Uint32Array(payload.buffer, valuesAt + count * 8, count),
  };
}

function decodeRun({ payload, location }: OpBytes): JournalOp {
  const view = viewOf(payload);
  const count = payload.length < RUN_HEADER_SIZE_BYTES ? 0 : view.getUint32(8, true);
  if (count === 0 || payload.length !== RUN_HEADER_SIZE_BYTES + count * 8) {
    throw corrupt(location, 'a tick of the wrong size');
  }
  const valuesAt = payload.byteOffset + RUN_HEADER_SIZE_BYTES;
  return {
    kind: 'tick',
    timestampMs: view.getFloat64(0, true),
    level: view.getUint32(12, true),
    values: new Float64Array(payload.buffer, valuesAt, count),
    ordinals: consecutive(view.getUint32(16, true), count),
  };
}

function decodeBucket({ payload, location }: OpBytes): JournalOp {
  const wrongSize = (): BlockCorrupt => corrupt(location, 'a bucket of the wrong size');
  if (payload.length < BUCKET_HEADER_SIZE_BYTES) throw wrongSize();
  const view = viewOf(payload);
  const count = view.getUint32(16, true);
  const isRun = view.getUint16(22, true) === 1;
  const columnCount = view.getUint16(28, true);
  let at = BUCKET_HEADER_SIZE_BYTES + view.getUint16(30, true);
  if (count === 0 || at > payload.length || at % 8 !== 0) throw wrongSize();
  const entries = columnEntries(payload.subarray(BUCKET_HEADER_SIZE_BYTES, at), {
    columnCount,
    location,
  });
  const columns = new Map<string, Float64Array | number>();
  for (const { name, isConstant } of entries) {
    const sizeBytes = isConstant ? 8 : count * 8;
    if (at + sizeBytes > payload.length) throw wrongSize();
    columns.set(
      name,
      isConstant
        ? view.getFloat64(at, true)
        : new Float64Array(payload.buffer, payload.byteOffset + at, count),
    );
    at += sizeBytes;
  }
  if (payload.length !== at + (isRun ? 0 : count * 4) || !columns.has('c')) throw wrongSize();
  return {
    kind: 'bucket',
    startMs: view.getFloat64(0, true),
    untilMs: view.getFloat64(8, true),
    level: view.getUint16(20, true),
    ordinals: isRun
      ? consecutive(view.getUint32(24, true), count)
      : new Uint32Array(payload.buffer, payload.byteOffset + at, count),
    columns,
  };
}

function decodeRows({ payload, location }: OpBytes): JournalOp {
  if (payload.length <= PLACE_SIZE_BYTES) throw corrupt(location, 'rows without rows');
  const place = placeAt(payload);
  const block = decodeBlock(payload.subarray(PLACE_SIZE_BYTES), blockName(place, location));
  return { kind: 'rows', place, block };
}

function decodePlainRows({ payload, location }: OpBytes): JournalOp {
  const wrongSize = (): BlockCorrupt => corrupt(location, 'rows of the wrong size');
  if (payload.length < PLAIN_HEADER_SIZE_BYTES) throw wrongSize();
  const view = viewOf(payload);
  const rowCount = view.getUint32(8, true);
  const columnCount = view.getUint16(12, true);
  const isRegular = view.getUint32(16, true) === 1;
  let at = PLAIN_HEADER_SIZE_BYTES + view.getUint16(14, true);
  if (rowCount === 0 || at > payload.length || at % 8 !== 0) throw wrongSize();
  const entries = columnEntries(payload.subarray(PLAIN_HEADER_SIZE_BYTES, at), {
    columnCount,
    location,
  });
  let cellCount = isRegular ? 2 : rowCount;
  for (const { isConstant } of entries) cellCount += isConstant ? 1 : rowCount;
  if (payload.length !== at + cellCount * 8) throw wrongSize();
  const cells = (count: number): Float64Array => {
    const result = new Float64Array(payload.buffer, payload.byteOffset + at, count);
    at += count * 8;
    return result;
  };
  const timestamps = isRegular ? regularTimestamps(cells(2), rowCount) : cells(rowCount);
  const columns: Record<string, Float64Array> = {};
  for (const { name, isConstant } of entries) {
    columns[name] = isConstant ? new Float64Array(rowCount).fill(cells(1)[0]!) : cells(rowCount);
  }
  return { kind: 'rows', place: placeAt(payload), block: { timestamps, columns } };
}

function regularTimestamps([firstMs, stepMs]: Float64Array, rowCount: number): Float64Array {
  const timestamps = new Float64Array(rowCount);
  for (let row = 0; row < rowCount; row++) timestamps[row] = firstMs! + row * stepMs!;
  return timestamps;
}

function decodeEncoded({ payload, location }: OpBytes): JournalOp {
  if (payload.length < BLOCKS_HEADER_SIZE_BYTES) throw corrupt(location, 'blocks without blocks');
  const view = viewOf(payload);
  const place = placeAt(payload);
  const count = view.getUint32(8, true);
  let at = BLOCKS_HEADER_SIZE_BYTES + count * 4;
  if (count === 0 || at > payload.length) throw corrupt(location, 'blocks without blocks');
  const blocks: EncodedRows[] = [];
  for (let i = 0; i < count; i++) {
    const end = at + view.getUint32(BLOCKS_HEADER_SIZE_BYTES + i * 4, true);
    if (end > payload.length) throw corrupt(location, 'truncated blocks');
    // By copy: a block stays in memory for longer than the entry that it came with.
    blocks.push(encodedRows(payload.slice(at, end), blockName(place, location)));
    at = end;
  }
  if (at !== payload.length) throw corrupt(location, 'blocks of the wrong size');
  return { kind: 'blocks', place, blocks };
}

function blockName({ ordinal, level }: LevelPlace, location: string): string {
  return `stream #${ordinal}, level ${level}, in ${location}`;
}

function consecutive(first: number, count: number): Uint32Array {
  const ordinals = new Uint32Array(count);
  for (let i = 0; i < count; i++) ordinals[i] = first + i;
  return ordinals;
}

function columnEntries(
  directory: Uint8Array,
  { columnCount, location }: { columnCount: number; location: string },
): readonly { readonly name: string; readonly isConstant: boolean }[] {
  const entries: { name: string; isConstant: boolean }[] = [];
  let at = 0;
  for (let i = 0; i < columnCount; i++) {
    const end = at + 2 + (directory[at + 1] ?? 0);
    if (at + 2 > directory.length || end > directory.length) {
      throw corrupt(location, 'the columns of a bucket are cut short');
    }
    const name = textDecoder.decode(directory.subarray(at + 2, end));
    entries.push({ name, isConstant: directory[at] === 1 });
    at = end;
  }
  return entries;
}

function placeAt(payload: Uint8Array): LevelPlace {
  const view = viewOf(payload);
  return { ordinal: view.getUint32(0, true), level: view.getUint32(4, true) };
}

function viewOf(payload: Uint8Array): DataView {
  return new DataView(payload.buffer, payload.byteOffset, payload.length);
}

function places({ payload, location }: OpBytes): readonly LevelPlace[] {
  if (payload.length % PLACE_SIZE_BYTES !== 0) throw corrupt(location, 'a list of the wrong size');
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

function corrupt(location: string, reason: string): BlockCorrupt {
  return new BlockCorrupt(`Corrupt ${location}: ${reason}.`);
}
