import {
  type BlockLayout,
  type ColumnEntry,
  checkColumnCount,
  checkTimeRange,
  expectSectionsEnd,
} from './block-layout.ts';
import type { ByteCursor } from './byte-cursor.ts';
import { readName } from './column-names.ts';

/** Parses the header of a block of version 1 after the row count: docs/format/block-v1.md. */
export function parseHeaderV1(cursor: ByteCursor, rowCount: number): BlockLayout {
  const firstMs = cursor.svarint();
  const lastMs = cursor.svarint();
  checkTimeRange(cursor, firstMs, lastMs);
  const timeEncoding = cursor.u8();
  const timeSizeBytes = cursor.uvarint();
  const entries = parseDirectory(cursor, rowCount);
  let offset = cursor.position;
  const timestamps = { encoding: timeEncoding, offset, sizeBytes: timeSizeBytes };
  offset += timeSizeBytes;
  const columns: ColumnEntry[] = [];
  for (const entry of entries) {
    columns.push({ ...entry, offset });
    offset += entry.sizeBytes;
  }
  expectSectionsEnd(cursor, offset);
  return { version: 1, rowCount, firstMs, lastMs, timestamps, columns };
}

function parseDirectory(cursor: ByteCursor, rowCount: number): ColumnEntry[] {
  const offset = cursor.position;
  const columnCount = cursor.uvarint();
  checkColumnCount(cursor, columnCount, rowCount);
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
