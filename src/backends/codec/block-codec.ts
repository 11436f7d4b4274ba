import { crc32 } from 'node:zlib';
import { assert } from '../../model/assert.ts';
import {
  type Block,
  type Column,
  concatBlocks,
  EMPTY_BLOCK,
  sliceBlock,
} from '../../model/block.ts';
import { BlockDecoder, isFloatEntry } from './block-decoder.ts';
import { parseLayout, writeStart } from './block-header.ts';
import {
  BLOCK_CELL_COUNT_MAX,
  BLOCK_COLUMN_COUNT_MAX,
  BLOCK_ROW_COUNT_MAX,
  type ColumnEntry,
  CRC_SIZE_BYTES,
} from './block-layout.ts';
import { ByteCursor, ByteWriter } from './byte-cursor.ts';
import { writeNames } from './column-names.ts';
import { ColumnPool } from './column-pool.ts';
import { ToldColumns } from './column-references.ts';
import { encodeFloatColumn, encodeFloatDraft, isFloatDraft, isInline } from './float-column.ts';
import { encodeJsonColumn } from './json-column.ts';
import { timestampEncoding, writeTimestamps } from './timestamp-column.ts';

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
  return encodeRows(block, { from, to, encodeFloats: encodeFloatColumn });
}

/**
 * As `encodeBlock`, in about a third of the time and some more bytes: for rows that are to be encoded
 * together with others soon.
 */
export function encodeDraft(block: Block, from: number, to: number): Uint8Array {
  return encodeRows(block, { from, to, encodeFloats: encodeFloatDraft });
}

type FloatEncoder = (writer: ByteWriter, column: Float64Array) => number;

function encodeRows(
  block: Block,
  {
    from,
    to,
    encodeFloats,
  }: { readonly from: number; readonly to: number; readonly encodeFloats: FloatEncoder },
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
  const told = new ToldColumns();
  for (const [place, name] of names.entries()) {
    const column = columns[name]!;
    assert(column.length === rowCount, 'columns are as long as the timestamps');
    if (!(column instanceof Float64Array)) {
      encodeColumn(() => encodeJsonColumn(payload, column));
      continue;
    }
    const reference = told.referenceOf(column);
    if (reference !== null) {
      header.u8(reference.encoding);
      header.uvarint(reference.place);
    } else if (encodeColumn(() => encodeFloats(payload, column))) told.add({ column, place });
  }
  return joinWithChecksum();
}

/**
 * Appends the column's entry to the header and its section, if it has one, to the payload.
 * @param encode appends to the payload, and gives the encoding.
 * @returns whether it has a section.
 */
function encodeColumn(encode: () => number): boolean {
  const offset = payload.position;
  const encoding = encode();
  header.u8(encoding);
  if (!isInline(encoding)) {
    header.uvarint(payload.position - offset);
    return true;
  }
  for (let i = offset; i < payload.position; i++) header.u8(payload.bytes[i]!);
  payload.position = offset;
  return false;
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
 * Whether the bytes may be those of `encodeDraft`, so that `encodeBlock` would make fewer of the rows.
 *
 * @throws as `readBlockHeader` does.
 */
export function isDraft(bytes: Uint8Array, location: string): boolean {
  const { columns } = parseLayout(new ByteCursor(bytes, location));
  return columns.some(({ encoding, offset }) => isFloatDraft(encoding, bytes, offset));
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
  return decodeWhole(new BlockDecoder(bytes, location), columns);
}

function decodeWhole(decoder: BlockDecoder, names: readonly string[] | undefined): Block {
  const asked = decoder.asked(names);
  let floatCount = 0;
  for (const entry of asked) if (isFloatEntry(entry)) floatCount++;
  const pool = new ColumnPool(1 + floatCount, decoder.rowCount);
  const timestamps = pool.take();
  decoder.timestamps(timestamps, 0);
  const columns: [string, Column][] = [];
  for (const entry of asked) columns.push([entry.name, decodeColumn(decoder, entry, pool)]);
  // fromEntries defines own properties, so that no name can reach the prototype.
  return { timestamps, columns: Object.fromEntries(columns) };
}

function decodeColumn(decoder: BlockDecoder, entry: ColumnEntry, pool: ColumnPool): Column {
  if (!isFloatEntry(entry)) return decoder.json(entry);
  const values = pool.take();
  decoder.floats(entry, values, 0);
  return values;
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
  const decoders = parts.map((bytes, index) => new BlockDecoder(bytes, () => location(index)));
  const isPlain = decoders.every((decoder) => decoder.asked(columns).every(isFloatEntry));
  if (!isPlain || decoders.length === 1) {
    return concatBlocks(decoders.map((decoder) => decodeWhole(decoder, columns)));
  }
  return decodeFloatParts(decoders, columns);
}

function decodeFloatParts(
  decoders: readonly BlockDecoder[],
  names: readonly string[] | undefined,
): Block {
  let rowCount = 0;
  const askedNames = new Set<string>();
  for (const decoder of decoders) {
    rowCount += decoder.rowCount;
    for (const { name } of decoder.asked(names)) askedNames.add(name);
  }
  const pool = new ColumnPool(1 + askedNames.size, rowCount);
  const timestamps = pool.take();
  const columns = new Map<string, Float64Array>();
  /** Row up to which each column is filled. */
  const filledTo = new Map<string, number>();
  let row = 0;
  for (const decoder of decoders) {
    decoder.timestamps(timestamps, row);
    for (const entry of decoder.asked(names)) {
      let values = columns.get(entry.name);
      if (values === undefined) {
        values = pool.take();
        columns.set(entry.name, values);
      }
      values.fill(Number.NaN, filledTo.get(entry.name) ?? 0, row);
      decoder.floats(entry, values, row);
      filledTo.set(entry.name, row + decoder.rowCount);
    }
    row += decoder.rowCount;
  }
  for (const [name, values] of columns) values.fill(Number.NaN, filledTo.get(name));
  return { timestamps, columns: Object.fromEntries(columns) };
}
