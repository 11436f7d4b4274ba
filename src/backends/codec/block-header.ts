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
import { isInline, readInline } from './float-column.ts';
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
  return version === BLOCK_FORMAT_VERSION
    ? parseHeader(cursor, rowCount)
    : parseHeaderV1(cursor, rowCount);
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

function parseHeader(cursor: ByteCursor, rowCount: number): BlockLayout {
  const { firstMs, lastMs, timeEncoding, timeSizeBytes } = parseTimes(cursor, rowCount);
  checkTimeRange(cursor, firstMs, lastMs);
  const names = readNames(cursor);
  checkColumnCount(cursor, names.length, rowCount);
  const entries = names.map((name) => parseEntry(cursor, name));
  const timestamps = {
    encoding: timeEncoding,
    offset: cursor.position,
    sizeBytes: timeSizeBytes,
  };
  const columns = placeSections(cursor, entries, timestamps.offset + timeSizeBytes);
  return { version: BLOCK_FORMAT_VERSION, rowCount, firstMs, lastMs, timestamps, columns };
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

function parseEntry(cursor: ByteCursor, name: string): ColumnEntry {
  const encoding = cursor.u8();
  if (isInline(encoding)) {
    const offset = cursor.position;
    readInline(cursor, encoding);
    return { name, encoding, offset, sizeBytes: cursor.position - offset };
  }
  return { name, encoding, offset: UNPLACED, sizeBytes: cursor.uvarint() };
}

function placeSections(
  cursor: ByteCursor,
  entries: readonly ColumnEntry[],
  firstOffset: number,
): ColumnEntry[] {
  let offset = firstOffset;
  const columns = entries.map((entry) => {
    if (entry.offset !== UNPLACED) return entry;
    const placed = { ...entry, offset };
    offset += entry.sizeBytes;
    return placed;
  });
  expectSectionsEnd(cursor, offset);
  return columns;
}
