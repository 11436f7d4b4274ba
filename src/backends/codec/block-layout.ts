import { StoreFormatUnsupported } from '../../exceptions/errors.ts';
import { assert } from '../../model/assert.ts';
import type { ByteCursor, ByteWriter } from './byte-cursor.ts';

/** Version that `encodeBlock` writes. Its byte layout is in docs/format/block.md and never changes. */
export const BLOCK_FORMAT_VERSION = 1;

/** Bounds what a block of a few bytes can make its reader allocate. */
export const BLOCK_ROW_COUNT_MAX: number = 2 ** 20;
export const BLOCK_CELL_COUNT_MAX: number = 2 ** 24;
const COLUMN_COUNT_MAX = 2 ** 12;

/** The CRC-32 at the end, over all bytes before it. */
export const CRC_SIZE_BYTES = 4;
const TIMESTAMP_MS_MAX = 8.64e15;

/** No text in UTF-8 starts so: 0xdb begins a sequence that 0x6b cannot continue. */
const MAGIC_0 = 0xdb;
const MAGIC_1 = 0x6b;

/** An encoded stretch of a block. */
interface Section {
  readonly encoding: number;
  /** From the block's first byte when parsed; from the first byte after the header when written. */
  readonly offset: number;
  readonly sizeBytes: number;
}

/** One column of the directory; names are unique in a block. */
export interface ColumnEntry extends Section {
  readonly name: string;
}

/** The parsed header: where in the block everything is. */
export interface BlockLayout {
  readonly rowCount: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly timestamps: Section;
  readonly columns: readonly ColumnEntry[];
}

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Writes everything before the sections; these must follow without gaps, timestamps first. */
export function writeHeader(writer: ByteWriter, layout: BlockLayout): void {
  assert(layout.columns.length <= COLUMN_COUNT_MAX, 'a stored block has 2^12 columns at most');
  assert(isTimestamp(layout.firstMs) && isTimestamp(layout.lastMs), 'timestamps are whole Date ms');
  writer.u8(MAGIC_0);
  writer.u8(MAGIC_1);
  writer.u8(BLOCK_FORMAT_VERSION);
  writer.uvarint(layout.rowCount);
  writer.svarint(layout.firstMs);
  writer.svarint(layout.lastMs);
  writer.u8(layout.timestamps.encoding);
  writer.uvarint(layout.timestamps.sizeBytes);
  writer.uvarint(layout.columns.length);
  for (const { name, encoding, sizeBytes } of layout.columns) {
    writeName(writer, name);
    writer.u8(encoding);
    writer.uvarint(sizeBytes);
  }
}

function writeName(writer: ByteWriter, name: string): void {
  // Nearly all names are one letter, and TextEncoder costs more than the rest of their column.
  if (name.length === 1 && name.charCodeAt(0) < 128) {
    writer.u8(1);
    writer.u8(name.charCodeAt(0));
    return;
  }
  const bytes = textEncoder.encode(name);
  writer.uvarint(bytes.length);
  writer.raw(bytes);
}

function isTimestamp(timestampMs: number): boolean {
  return Number.isSafeInteger(timestampMs) && Math.abs(timestampMs) <= TIMESTAMP_MS_MAX;
}

/**
 * Parses the header at the start of the cursor's bytes and checks that the sections fill the block.
 *
 * @throws {BlockCorrupt} and {StoreFormatUnsupported}, see `readBlockHeader`.
 */
export function parseLayout(cursor: ByteCursor): BlockLayout {
  const sizeBytes = cursor.bytes.length;
  cursor.open(0, Math.max(0, sizeBytes - CRC_SIZE_BYTES));
  checkMagicAndVersion(cursor);
  const rowCount = cursor.uvarint();
  if (rowCount === 0 || rowCount > BLOCK_ROW_COUNT_MAX) {
    throw cursor.corrupt('the row count is not 1 to 2^20');
  }
  const firstMs = cursor.svarint();
  const lastMs = cursor.svarint();
  if (!isTimestamp(firstMs) || !isTimestamp(lastMs) || firstMs > lastMs) {
    throw cursor.corrupt('the time range is not ascending instants');
  }
  const timestampEncoding = cursor.u8();
  const timestampSizeBytes = cursor.uvarint();
  const entries = parseDirectory(cursor, rowCount);
  let offset = cursor.position;
  const timestamps = { encoding: timestampEncoding, offset, sizeBytes: timestampSizeBytes };
  offset += timestampSizeBytes;
  const columns: ColumnEntry[] = [];
  for (const entry of entries) {
    columns.push({ ...entry, offset });
    offset += entry.sizeBytes;
  }
  if (offset !== cursor.end) {
    throw cursor.corrupt(`${sizeBytes} bytes do not hold the sections, which end at ${offset}`);
  }
  return { rowCount, firstMs, lastMs, timestamps, columns };
}

function checkMagicAndVersion(cursor: ByteCursor): void {
  if (cursor.u8() !== MAGIC_0 || cursor.u8() !== MAGIC_1) {
    throw cursor.corrupt('these are not the first bytes of a block', 0);
  }
  const version = cursor.u8();
  if (version !== BLOCK_FORMAT_VERSION) {
    throw new StoreFormatUnsupported(
      `The block at ${cursor.locationName()} has format version ${version}; ` +
        `this release reads ${BLOCK_FORMAT_VERSION} (byte 2).`,
    );
  }
}

function parseDirectory(cursor: ByteCursor, rowCount: number): ColumnEntry[] {
  const offset = cursor.position;
  const columnCount = cursor.uvarint();
  if (columnCount > COLUMN_COUNT_MAX || columnCount * rowCount > BLOCK_CELL_COUNT_MAX) {
    throw cursor.corrupt('the block has too many columns', offset);
  }
  const entries: ColumnEntry[] = [];
  for (let i = 0; i < columnCount; i++) {
    const name = readName(cursor);
    const encoding = cursor.u8();
    entries.push({ name, encoding, offset: 0, sizeBytes: cursor.uvarint() });
  }
  if (columnCount > 1 && new Set(entries.map((entry) => entry.name)).size < columnCount) {
    throw cursor.corrupt('two columns have the same name', offset);
  }
  return entries;
}

function readName(cursor: ByteCursor): string {
  const sizeBytes = cursor.uvarint();
  const offset = cursor.take(sizeBytes);
  const first = cursor.bytes[offset]!;
  if (sizeBytes === 1 && first < 128) return String.fromCharCode(first);
  try {
    return textDecoder.decode(cursor.bytes.subarray(offset, offset + sizeBytes));
  } catch {
    throw cursor.corrupt('a column name is not UTF-8', offset);
  }
}
