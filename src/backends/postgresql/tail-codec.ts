import { BlockCorrupt } from '../../exceptions/errors.ts';
import {
  type Block,
  concatBlocks,
  EMPTY_BLOCK,
  rawBlock,
  VALUE_COLUMN,
} from '../../model/block.ts';
import { decodeBlock, encodeBlock } from '../codec/block-codec.ts';

/*
 * A tail is entries one after the other, in the order of arrival; docs/format/postgresql.md.
 *   [1:u8][timestamp:f64][value:f64]   one number (NaN: null), little-endian
 *   [2:u8][size:u32][encoded block]    any rows
 */
const NUMBER_ENTRY = 1;
const BLOCK_ENTRY = 2;
const NUMBER_ENTRY_SIZE_BYTES = 1 + 8 + 8;
const BLOCK_HEADER_SIZE_BYTES = 1 + 4;
/** How long tails may become, in bytes. */
export interface TailLimits {
  /** With this at most a head stays in its row, and in the page beside its last version. */
  readonly sizeMaxBytes: number;
  /**
   * From this length on a tail is sealed behind the commit. It depends on the ordinal, so that streams that
   * are appended to in step are sealed at different times: base + step × (7 × ordinal modulo 16).
   */
  readonly sealBaseBytes: number;
  readonly sealStepBytes: number;
}

/** Limits in proportion to the greatest length. */
export function tailLimits(sizeMaxBytes: number): TailLimits {
  return {
    sizeMaxBytes,
    sealBaseBytes: Math.floor(sizeMaxBytes * 0.35),
    sealStepBytes: Math.floor(sizeMaxBytes * 0.02),
  };
}

/** SQL for the length from which on the tail of the head `h` is sealed. */
export function sealLimitSql({ sealBaseBytes, sealStepBytes }: TailLimits): string {
  return `(${sealBaseBytes} + ${sealStepBytes} * (h.ordinal * 7 % 16))`;
}

/** From so many rows on a block is shorter than single numbers. */
const BLOCK_ROW_COUNT_MIN = 6;

/** The rows as entries of a tail. */
export function encodeEntries(rows: Block): Uint8Array {
  const { timestamps, columns } = rows;
  const values = columns[VALUE_COLUMN];
  const isNumbers = values instanceof Float64Array && Object.keys(columns).length === 1;
  if (!isNumbers || timestamps.length >= BLOCK_ROW_COUNT_MIN) return blockEntry(rows);
  const bytes = Buffer.allocUnsafe(timestamps.length * NUMBER_ENTRY_SIZE_BYTES);
  for (let row = 0; row < timestamps.length; row++) {
    writeNumber(bytes, row * NUMBER_ENTRY_SIZE_BYTES, {
      timestampMs: timestamps[row]!,
      value: values[row]!,
    });
  }
  return bytes;
}

/** One entry of a number for each value, all at one instant. Entry i starts at i times `size`. */
export function encodeNumberEntries(
  timestampMs: number,
  values: Float64Array,
): { readonly bytes: Buffer; readonly size: number } {
  const size = NUMBER_ENTRY_SIZE_BYTES;
  const bytes = Buffer.allocUnsafe(values.length * size);
  for (let i = 0; i < values.length; i++) {
    writeNumber(bytes, i * size, { timestampMs, value: values[i]! });
  }
  return { bytes, size };
}

/** Rows of a tail, ascending. @throws {BlockCorrupt} */
export function decodeTail(tail: Uint8Array, location: string): Block {
  if (tail.length === 0) return EMPTY_BLOCK;
  const bytes = Buffer.from(tail.buffer, tail.byteOffset, tail.length);
  const parts: Block[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const kind = bytes[offset]!;
    const end = endOfEntries(bytes, offset);
    if (end === null) {
      throw new BlockCorrupt(`Corrupt tail at ${location}: no entry fits at byte ${offset}.`);
    }
    parts.push(
      kind === NUMBER_ENTRY
        ? decodeNumbers(bytes, offset, end)
        : decodeBlock(bytes.subarray(offset + BLOCK_HEADER_SIZE_BYTES, end), location),
    );
    offset = end;
  }
  return concatBlocks(parts);
}

function writeNumber(
  bytes: Buffer,
  offset: number,
  { timestampMs, value }: { readonly timestampMs: number; readonly value: number },
): void {
  bytes[offset] = NUMBER_ENTRY;
  bytes.writeDoubleLE(timestampMs, offset + 1);
  bytes.writeDoubleLE(value, offset + 9);
}

function blockEntry(rows: Block): Uint8Array {
  const block = encodeBlock(rows);
  const bytes = Buffer.allocUnsafe(BLOCK_HEADER_SIZE_BYTES + block.length);
  bytes[0] = BLOCK_ENTRY;
  bytes.writeUInt32LE(block.length, 1);
  bytes.set(block, BLOCK_HEADER_SIZE_BYTES);
  return bytes;
}

/** End of the numbers, or of the one block, that start at the offset; null when it is none of them. */
function endOfEntries(bytes: Buffer, offset: number): number | null {
  let end = offset;
  if (bytes[offset] === BLOCK_ENTRY) {
    if (offset + BLOCK_HEADER_SIZE_BYTES > bytes.length) return null;
    end += BLOCK_HEADER_SIZE_BYTES + bytes.readUInt32LE(offset + 1);
  } else {
    while (bytes[end] === NUMBER_ENTRY) end += NUMBER_ENTRY_SIZE_BYTES;
  }
  return end === offset || end > bytes.length ? null : end;
}

function decodeNumbers(bytes: Buffer, from: number, to: number): Block {
  const rowCount = (to - from) / NUMBER_ENTRY_SIZE_BYTES;
  const timestamps = new Float64Array(rowCount);
  const values = new Float64Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    const offset = from + row * NUMBER_ENTRY_SIZE_BYTES;
    timestamps[row] = bytes.readDoubleLE(offset + 1);
    values[row] = bytes.readDoubleLE(offset + 9);
  }
  return rawBlock(timestamps, values);
}
