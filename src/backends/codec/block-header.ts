import { StoreFormatUnsupported } from '../../exceptions/errors.ts';
import { assert } from '../../model/assert.ts';
import { parseHeaderV1 } from './block-header-v1.ts';
import {
  BLOCK_FORMAT_VERSION,
  BLOCK_FORMAT_VERSION_MIN,
  BLOCK_ROW_COUNT_MAX,
  type BlockLayout,
  type ColumnEntry,
  CRC_SIZE_BYTES,
  checkColumnCount,
  checkTimeRange,
  expectSectionsEnd,
  isTimestamp,
} from './block-layout.ts';
import type { ByteCursor, ByteWriter } from './byte-cursor.ts';
import { readNames } from './column-names.ts';
import { isOfSquares, isReference, readPlace } from './column-references.ts';
import { isInline, readInline } from './float-column.ts';
import { isJsonEncoding } from './json-column.ts';
import { DELTAS, FLOAT64, STEP, timestampSizeBytes } from './timestamp-column.ts';

/** No text in UTF-8 starts so: 0xdb begins a sequence that 0x6b cannot continue. */
const MAGIC_0 = 0xdb;
const MAGIC_1 = 0x6b;

/** Timestamps of which all are whole seconds, minutes, hours or days are told in these. */
const TIME_UNITS_MS: readonly number[] = [1, 1000, 60_000, 3_600_000, 86_400_000];
const UNIT_SHIFT = 4;
const TIME_ENCODING_MASK = 0x0f;

/** A header without its directory. */
export interface BlockStart {
  readonly rowCount: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly timeEncoding: number;
  readonly timeSizeBytes: number;
}

/** Writes everything before the names of the columns. */
export function writeStart(writer: ByteWriter, start: BlockStart): void {
  const { rowCount, firstMs, lastMs, timeEncoding } = start;
  assert(isTimestamp(firstMs) && isTimestamp(lastMs), 'timestamps are whole Date ms');
  const last = rowCount - 1;
  const spanMs = lastMs - firstMs;
  const distanceMs = timeEncoding === STEP && last > 0 ? spanMs / last : spanMs;
  const unit = timeEncoding === FLOAT64 ? 0 : unitOf(firstMs, distanceMs);
  const unitMs = TIME_UNITS_MS[unit]!;
  writer.u8(MAGIC_0);
  writer.u8(MAGIC_1);
  writer.u8(BLOCK_FORMAT_VERSION);
  writer.uvarint(rowCount);
  writer.u8(timeEncoding | (unit << UNIT_SHIFT));
  writer.svarint(firstMs / unitMs);
  if (timeEncoding === FLOAT64) writer.svarint(lastMs);
  else if (last > 0) writer.uvarint(distanceMs / unitMs);
  if (timeEncoding === DELTAS) writer.uvarint(start.timeSizeBytes);
}

/** Index of the longest unit of which both are multiples. */
function unitOf(firstMs: number, distanceMs: number): number {
  let unit = 0;
  while (
    unit + 1 < TIME_UNITS_MS.length &&
    isMultiple(firstMs, TIME_UNITS_MS[unit + 1]!) &&
    isMultiple(distanceMs, TIME_UNITS_MS[unit + 1]!)
  ) {
    unit++;
  }
  return unit;
}

function isMultiple(ms: number, unitMs: number): boolean {
  return Math.floor(ms / unitMs) * unitMs === ms;
}

/**
 * Parses the header at the start of the cursor's bytes and checks that the sections fill the block.
 *
 * @throws {BlockCorrupt} and {StoreFormatUnsupported}, see `readBlockHeader`.
 */
export function parseLayout(cursor: ByteCursor): BlockLayout {
  cursor.open(0, Math.max(0, cursor.bytes.length - CRC_SIZE_BYTES));
  const version = readVersion(cursor);
  const rowCount = cursor.uvarint();
  if (rowCount === 0 || rowCount > BLOCK_ROW_COUNT_MAX) {
    throw cursor.corrupt('the row count is not 1 to 2^20');
  }
  return version === BLOCK_FORMAT_VERSION_MIN
    ? parseHeaderV1(cursor, rowCount)
    : parseHeader(cursor, { rowCount, version });
}

function readVersion(cursor: ByteCursor): number {
  if (cursor.u8() !== MAGIC_0 || cursor.u8() !== MAGIC_1) {
    throw cursor.corrupt('these are not the first bytes of a block', 0);
  }
  const version = cursor.u8();
  if (version < BLOCK_FORMAT_VERSION_MIN || version > BLOCK_FORMAT_VERSION) {
    throw new StoreFormatUnsupported(
      `The block at ${cursor.locationName()} has format version ${version}; this release reads ` +
        `${BLOCK_FORMAT_VERSION_MIN} to ${BLOCK_FORMAT_VERSION} (byte 2).`,
    );
  }
  return version;
}

function parseHeader(
  cursor: ByteCursor,
  { rowCount, version }: Pick<BlockLayout, 'rowCount' | 'version'>,
): BlockLayout {
  const { firstMs, lastMs, timeEncoding, timeSizeBytes } = parseTimes(cursor, rowCount);
  checkTimeRange(cursor, firstMs, lastMs);
  const names = readNames(cursor);
  checkColumnCount(cursor, names.length, rowCount);
  const entries: DirectoryEntry[] = [];
  for (const name of names) entries.push(parseEntry(cursor, { name, version, before: entries }));
  const timestamps = {
    encoding: timeEncoding,
    offset: cursor.position,
    sizeBytes: timeSizeBytes,
  };
  const columns = placeSections(cursor, entries, timestamps.offset + timeSizeBytes);
  return { version, rowCount, firstMs, lastMs, timestamps, columns };
}

function parseTimes(cursor: ByteCursor, rowCount: number): BlockStart {
  const offset = cursor.position;
  const control = cursor.u8();
  const timeEncoding = control & TIME_ENCODING_MASK;
  const unitMs = TIME_UNITS_MS[control >> UNIT_SHIFT];
  const last = rowCount - 1;
  if (unitMs === undefined || timeEncoding > FLOAT64) {
    throw cursor.corrupt('timestamps have an unknown encoding', offset);
  }
  const firstMs = cursor.svarint() * unitMs;
  let lastMs = firstMs;
  if (timeEncoding === FLOAT64) lastMs = cursor.svarint();
  else if (last > 0) {
    const distanceMs = cursor.uvarint() * unitMs;
    lastMs = firstMs + (timeEncoding === STEP ? last * distanceMs : distanceMs);
  }
  const timeSizeBytes =
    timeEncoding === DELTAS ? cursor.uvarint() : timestampSizeBytes(timeEncoding, rowCount);
  return { rowCount, firstMs, lastMs, timeEncoding, timeSizeBytes };
}

/** Offset of a section whose place is known only once the directory has ended. */
const UNPLACED = -1;

/** As it stands in the directory. */
interface DirectoryEntry extends ColumnEntry {
  /** Of the column that tells it; null where it has a payload. */
  readonly place: number | null;
}

/** The first version in which a column may follow from another one. */
const REFERENCE_VERSION_MIN = 3;

function parseEntry(
  cursor: ByteCursor,
  {
    name,
    version,
    before,
  }: {
    readonly name: string;
    readonly version: number;
    readonly before: readonly DirectoryEntry[];
  },
): DirectoryEntry {
  const encoding = cursor.u8();
  if (version >= REFERENCE_VERSION_MIN && isReference(encoding)) {
    const offset = cursor.position;
    const place = readPlace(cursor, before.length);
    if (!isToldApart(before[place]!)) {
      throw cursor.corrupt('a column follows from one that is no series of numbers', offset);
    }
    return { name, encoding, offset: UNPLACED, sizeBytes: 0, place };
  }
  if (isInline(encoding)) {
    const offset = cursor.position;
    readInline(cursor, encoding);
    return { name, encoding, offset, sizeBytes: cursor.position - offset, place: null };
  }
  return { name, encoding, offset: UNPLACED, sizeBytes: cursor.uvarint(), place: null };
}

/** Whether a column has a section of numbers, so that others may follow from it. */
function isToldApart({ encoding, offset, place }: DirectoryEntry): boolean {
  return place === null && offset === UNPLACED && !isJsonEncoding(encoding);
}

function placeSections(
  cursor: ByteCursor,
  entries: readonly DirectoryEntry[],
  firstOffset: number,
): ColumnEntry[] {
  let offset = firstOffset;
  const columns: ColumnEntry[] = [];
  for (const { place, ...entry } of entries) {
    if (place !== null) {
      const told = columns[place]!;
      columns.push({ ...told, name: entry.name, isOfSquares: isOfSquares(entry.encoding) });
      continue;
    }
    if (entry.offset !== UNPLACED) {
      columns.push(entry);
      continue;
    }
    columns.push({ ...entry, offset });
    offset += entry.sizeBytes;
  }
  expectSectionsEnd(cursor, offset);
  return columns;
}
