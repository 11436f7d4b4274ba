import { crc32 } from 'node:zlib';
import type { Column } from '../../model/block.ts';
import { parseLayout } from './block-header.ts';
import {
  BLOCK_FORMAT_VERSION_MIN,
  type BlockLayout,
  type ColumnEntry,
  CRC_SIZE_BYTES,
} from './block-layout.ts';
import { ByteCursor, type Location } from './byte-cursor.ts';
import { square } from './column-references.ts';
import { decodeFloatColumn } from './float-column.ts';
import { decodeFloatColumnV1 } from './float-column-v1.ts';
import { decodeJsonColumn, isJsonEncoding } from './json-column.ts';
import { decodeTimestamps } from './timestamp-column.ts';
import { decodeTimestampsV1 } from './timestamp-column-v1.ts';

/**
 * A stored block, header and checksum verified, of which each column is decoded when it is asked for,
 * into memory of the caller's choice. The errors of every method are those of `decodeBlock`.
 */
export class BlockDecoder {
  readonly layout: BlockLayout;
  readonly #cursor: ByteCursor;

  constructor(bytes: Uint8Array, location: Location) {
    this.#cursor = new ByteCursor(bytes, location);
    this.layout = parseLayout(this.#cursor);
    const endOffset = bytes.length - CRC_SIZE_BYTES;
    this.#cursor.open(endOffset, CRC_SIZE_BYTES);
    if (this.#cursor.u32() !== crc32(bytes.subarray(0, endOffset))) {
      throw this.#cursor.corrupt('the checksum does not match', endOffset);
    }
  }

  get rowCount(): number {
    return this.layout.rowCount;
  }

  /** Its columns among the names, in the order of storage; all without names. */
  asked(names: readonly string[] | undefined): readonly ColumnEntry[] {
    const { columns } = this.layout;
    return names === undefined ? columns : columns.filter(({ name }) => names.includes(name));
  }

  /** Undefined when it has no such column. */
  entry(name: string): ColumnEntry | undefined {
    return this.layout.columns.find((entry) => entry.name === name);
  }

  /** Decodes into the rows of `out` from `at` on. */
  timestamps(out: Float64Array, at: number): void {
    const { version, timestamps } = this.layout;
    this.#cursor.open(timestamps.offset, timestamps.sizeBytes);
    const decode = version === BLOCK_FORMAT_VERSION_MIN ? decodeTimestampsV1 : decodeTimestamps;
    decode(this.#cursor, this.layout, out, at);
    this.#cursor.expectEnd();
  }

  /** Decodes a column of numbers into the rows of `out` from `at` on. */
  floats(entry: ColumnEntry, out: Float64Array, at: number): void {
    const { encoding, offset, sizeBytes, isOfSquares = false } = entry;
    const { version, rowCount } = this.layout;
    this.#cursor.open(offset, sizeBytes);
    if (version === BLOCK_FORMAT_VERSION_MIN) {
      decodeFloatColumnV1(this.#cursor, encoding, out, at, rowCount);
    } else decodeFloatColumn(this.#cursor, encoding, out, { at, rowCount });
    this.#cursor.expectEnd();
    if (isOfSquares) square(out, at, rowCount);
  }

  /** Decodes a column of JSON values. */
  json({ encoding, offset, sizeBytes }: ColumnEntry): Column {
    this.#cursor.open(offset, sizeBytes);
    return decodeJsonColumn(this.#cursor, encoding, this.layout.rowCount);
  }
}

/** Whether the column has numbers. */
export function isFloatEntry({ encoding }: ColumnEntry): boolean {
  return !isJsonEncoding(encoding);
}
