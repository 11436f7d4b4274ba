import { crc32 } from 'node:zlib';
import { assert } from '../../model/assert.ts';
import {
  type Block,
  type Column,
  concatBlocks,
  EMPTY_BLOCK,
  sliceBlock,
} from '../../model/block.ts';
import { parseLayout, writeStart } from './block-header.ts';
import {
  BLOCK_CELL_COUNT_MAX,
  BLOCK_COLUMN_COUNT_MAX,
  BLOCK_FORMAT_VERSION,
  BLOCK_ROW_COUNT_MAX,
  type BlockLayout,
  type ColumnEntry,
  CRC_SIZE_BYTES,
} from './block-layout.ts';
import { ByteCursor, ByteWriter, type Location } from './byte-cursor.ts';
import { writeNames } from './column-names.ts';
import { ColumnPool } from './column-pool.ts';
import { decodeFloatColumn, encodeFloatColumn, isInline } from './float-column.ts';
import { decodeFloatColumnV1 } from './float-column-v1.ts';
import { decodeJsonColumn, encodeJsonColumn, isJsonEncoding } from './json-column.ts';
import { decodeTimestamps, timestampEncoding, writeTimestamps } from './timestamp-column.ts';
import { decodeTimestampsV1 } from './timestamp-column-v1.ts';

export { BLOCK_FORMAT_VERSION } from './block-layout.ts';

/** What a stored block says about itself before any column is decoded. */
export interface BlockHeader {
  readonly rowCount: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** In the order of storage, without duplicates. */
  readonly columnNames: readonly string[];
}

const payload: ByteWriter = new ByteWriter(1 << 16);
const header: ByteWriter = new ByteWriter(1 << 10);

/**
 * Encodes the rows `[from, to)` of a block, at least one and at most 2^20 of them.
 * Timestamps lose the sign of a zero; JSON values come back as `JSON.stringify` sees them.
 * The result is a fresh array of exact size, and the caller's to keep. Format: docs/format/block.md.
 */
export function encodeBlock(
  block: Block,
  from: number = 0,
  to: number = block.timestamps.length,
): Uint8Array {
  const rowCount = to - from;
  assert(from >= 0 && to <= block.timestamps.length, 'encoded rows lie inside the block');
  assert(rowCount > 0 && rowCount <= BLOCK_ROW_COUNT_MAX, 'a stored block has 1 to 2^20 rows');
  const { timestamps, columns } = sliceBlock(block, from, to);
  const names = Object.keys(columns);
  assert(names.length <= BLOCK_COLUMN_COUNT_MAX, 'a stored block has 2^12 columns at most');
  assert(rowCount * names.length <= BLOCK_CELL_COUNT_MAX, 'a stored block has 2^24 cells at most');
  payload.position = 0;
  header.position = 0;
  const timeEncoding = timestampEncoding(timestamps);
  writeTimestamps(payload, timestamps, timeEncoding);
  writeStart(header, {
    rowCount,
    firstMs: timestamps[0]!,
    lastMs: timestamps[rowCount - 1]!,
    timeEncoding,
    timeSizeBytes: payload.position,
  });
  writeNames(header, names);
  for (const name of names) {
    const column = columns[name]!;
    assert(column.length === rowCount, 'columns are as long as the timestamps');
    encodeColumn(column);
  }
  return joinWithChecksum();
}

/** Appends the column's entry to the header and its section, if it has one, to the payload. */
function encodeColumn(column: Column): void {
  const offset = payload.position;
  const encoding =
    column instanceof Float64Array
      ? encodeFloatColumn(payload, column)
      : encodeJsonColumn(payload, column);
  header.u8(encoding);
  if (isInline(encoding)) {
    for (let i = offset; i < payload.position; i++) header.u8(payload.bytes[i]!);
    payload.position = offset;
  } else header.uvarint(payload.position - offset);
}

function joinWithChecksum(): Uint8Array {
  const endOffset = header.position + payload.position;
  const bytes = new Uint8Array(endOffset + CRC_SIZE_BYTES);
  bytes.set(header.written());
  bytes.set(payload.written(), header.position);
  const checksum = crc32(bytes.subarray(0, endOffset));
  for (let i = 0; i < CRC_SIZE_BYTES; i++) bytes[endOffset + i] = checksum >>> (8 * i);
  return bytes;
}

/**
 * Reads the header alone: cheap, and blind to damage that leaves magic, version and lengths in place.
 * `location` says in errors where the bytes were found.
 *
 * @throws {BlockCorrupt} when the bytes are no block, or cut short or too long.
 * @throws {StoreFormatUnsupported} when a newer version wrote them.
 */
export function readBlockHeader(bytes: Uint8Array, location: string): BlockHeader {
  const { rowCount, firstMs, lastMs, columns } = parseLayout(new ByteCursor(bytes, location));
  return { rowCount, firstMs, lastMs, columnNames: columns.map((column) => column.name) };
}

/**
 * Decodes a block after verifying its checksum. With `columns`, decodes only those, and skips the
 * ones that the block lacks. The result shares no memory with `bytes`.
 *
 * @throws {BlockCorrupt} when anything about the bytes is not as `encodeBlock` wrote it.
 * @throws {StoreFormatUnsupported} when a newer version wrote them.
 */
export function decodeBlock(
  bytes: Uint8Array,
  location: string,
  columns?: readonly string[],
): Block {
  return decodePart(openPart(bytes, location), columns);
}

interface Part {
  readonly cursor: ByteCursor;
  readonly layout: BlockLayout;
}

function openPart(bytes: Uint8Array, location: Location): Part {
  const cursor = new ByteCursor(bytes, location);
  const layout = parseLayout(cursor);
  const endOffset = bytes.length - CRC_SIZE_BYTES;
  cursor.open(endOffset, CRC_SIZE_BYTES);
  if (cursor.u32() !== crc32(bytes.subarray(0, endOffset))) {
    throw cursor.corrupt('the checksum does not match', endOffset);
  }
  return { cursor, layout };
}

function decodePart({ cursor, layout }: Part, names: readonly string[] | undefined): Block {
  let asked: readonly ColumnEntry[] = layout.columns;
  if (names !== undefined) asked = asked.filter((entry) => isAsked(entry, names));
  let floatCount = 0;
  for (const { encoding } of asked) if (!isJsonEncoding(encoding)) floatCount++;
  const pool = new ColumnPool(1 + floatCount, layout.rowCount);
  const timestamps = pool.take();
  decodeTimes({ cursor, layout }, timestamps, 0);
  const columns: [string, Column][] = [];
  for (const entry of asked) {
    columns.push([entry.name, decodeColumn({ cursor, layout }, entry, pool)]);
  }
  // fromEntries defines own properties, so that no name can reach the prototype.
  return { timestamps, columns: Object.fromEntries(columns) };
}

function isAsked({ name }: ColumnEntry, names: readonly string[] | undefined): boolean {
  return names === undefined || names.includes(name);
}

function decodeTimes({ cursor, layout }: Part, out: Float64Array, at: number): void {
  cursor.open(layout.timestamps.offset, layout.timestamps.sizeBytes);
  const decode = layout.version === BLOCK_FORMAT_VERSION ? decodeTimestamps : decodeTimestampsV1;
  decode(cursor, layout, out, at);
  cursor.expectEnd();
}

function decodeColumn({ cursor, layout }: Part, entry: ColumnEntry, pool: ColumnPool): Column {
  if (!isJsonEncoding(entry.encoding)) {
    const values = pool.take();
    decodeFloats({ cursor, layout }, entry, values, 0);
    return values;
  }
  cursor.open(entry.offset, entry.sizeBytes);
  return decodeJsonColumn(cursor, entry.encoding, layout.rowCount);
}

function decodeFloats(
  { cursor, layout: { version, rowCount } }: Part,
  { encoding, offset, sizeBytes }: ColumnEntry,
  out: Float64Array,
  at: number,
): void {
  cursor.open(offset, sizeBytes);
  if (version === BLOCK_FORMAT_VERSION) decodeFloatColumn(cursor, encoding, out, { at, rowCount });
  else decodeFloatColumnV1(cursor, encoding, out, at, rowCount);
  cursor.expectEnd();
}

/**
 * Decodes stored blocks one after the other into one, with one allocation per column. The blocks
 * must be in ascending order of time. A column that a part lacks is null in its rows.
 * `location` is called for a part only to name it in errors.
 *
 * @throws {BlockCorrupt} and {StoreFormatUnsupported} as `decodeBlock` does.
 */
export function decodeBlocks(
  parts: readonly Uint8Array[],
  location: (index: number) => string,
  columns?: readonly string[],
): Block {
  if (parts.length === 0) return EMPTY_BLOCK;
  const opened = parts.map((bytes, index) => openPart(bytes, () => location(index)));
  const isPlain = opened.every(({ layout }) =>
    layout.columns.every((entry) => !isAsked(entry, columns) || !isJsonEncoding(entry.encoding)),
  );
  if (!isPlain || opened.length === 1)
    return concatBlocks(opened.map((part) => decodePart(part, columns)));
  return decodeFloatParts(opened, columns);
}

function decodeFloatParts(parts: readonly Part[], names: readonly string[] | undefined): Block {
  let rowCount = 0;
  const askedNames = new Set<string>();
  for (const { layout } of parts) {
    rowCount += layout.rowCount;
    for (const entry of layout.columns) if (isAsked(entry, names)) askedNames.add(entry.name);
  }
  const pool = new ColumnPool(1 + askedNames.size, rowCount);
  const timestamps = pool.take();
  const columns = new Map<string, Float64Array>();
  /** Row up to which each column is filled. */
  const filledTo = new Map<string, number>();
  let row = 0;
  for (const { cursor, layout } of parts) {
    decodeTimes({ cursor, layout }, timestamps, row);
    for (const entry of layout.columns) {
      if (!isAsked(entry, names)) continue;
      let values = columns.get(entry.name);
      if (values === undefined) {
        values = pool.take();
        columns.set(entry.name, values);
      }
      values.fill(Number.NaN, filledTo.get(entry.name) ?? 0, row);
      decodeFloats({ cursor, layout }, entry, values, row);
      filledTo.set(entry.name, row + layout.rowCount);
    }
    row += layout.rowCount;
  }
  for (const [name, values] of columns) values.fill(Number.NaN, filledTo.get(name));
  return { timestamps, columns: Object.fromEntries(columns) };
}
