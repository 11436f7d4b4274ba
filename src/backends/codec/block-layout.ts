import type { ByteCursor } from './byte-cursor.ts';

/** Version that `encodeBlock` writes. Its byte layout is in docs/format/block.md and never changes. */
export const BLOCK_FORMAT_VERSION = 3;
/** Oldest version that is read: docs/format/block-v1.md. */
export const BLOCK_FORMAT_VERSION_MIN = 1;

/** Bounds what a block of a few bytes can make its reader allocate. */
export const BLOCK_ROW_COUNT_MAX: number = 2 ** 20;
export const BLOCK_CELL_COUNT_MAX: number = 2 ** 24;
export const BLOCK_COLUMN_COUNT_MAX: number = 2 ** 12;

/** The CRC-32 at the end, over all bytes before it. */
export const CRC_SIZE_BYTES = 4;
const TIMESTAMP_MS_MAX = 8.64e15;

/** An encoded stretch of a block. */
interface Section {
  readonly encoding: number;
  /** From the block's first byte. */
  readonly offset: number;
  readonly sizeBytes: number;
}

/** One column of the directory; names are unique in a block. */
export interface ColumnEntry extends Section {
  readonly name: string;
  /** Whether the section is that of another column, whose squares are the values. */
  readonly isOfSquares?: boolean;
}

/** The parsed header: where in the block everything is. */
export interface BlockLayout {
  readonly version: number;
  readonly rowCount: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly timestamps: Section;
  readonly columns: readonly ColumnEntry[];
}

export function isTimestamp(timestampMs: number): boolean {
  return Number.isSafeInteger(timestampMs) && Math.abs(timestampMs) <= TIMESTAMP_MS_MAX;
}

/** Checks the order and the bounds of the first and the last timestamp. */
export function checkTimeRange(cursor: ByteCursor, firstMs: number, lastMs: number): void {
  if (!isTimestamp(firstMs) || !isTimestamp(lastMs) || firstMs > lastMs) {
    throw cursor.corrupt('the time range is not ascending instants');
  }
}

export function checkColumnCount(cursor: ByteCursor, columnCount: number, rowCount: number): void {
  if (columnCount > BLOCK_COLUMN_COUNT_MAX || columnCount * rowCount > BLOCK_CELL_COUNT_MAX) {
    throw cursor.corrupt('the block has too many columns');
  }
}

/** The sections must end where the checksum starts. */
export function expectSectionsEnd(cursor: ByteCursor, offset: number): void {
  if (offset !== cursor.end) {
    const sizeBytes = cursor.bytes.length;
    throw cursor.corrupt(`${sizeBytes} bytes do not hold the sections, which end at ${offset}`);
  }
}
