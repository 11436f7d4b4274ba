import type { ByteCursor } from './byte-cursor.ts';
import { DECIMAL_SCALES } from './decimal-scaling.ts';
import { readPacked, readVarints } from './integer-packing.ts';

/** Reader of version 1. Encodings of a `Float64Array` column; bit layouts: docs/format/block-v1.md. */
const DECIMAL_DIGITS_MAX = 9;
const ALL_NULL = 0;
const CONSTANT_DECIMAL = 1;
const CONSTANT_FLOAT64 = 2;
const FLOAT64 = 3;
const PACKED = 4;
const PACKED_DELTAS = 5;
const VARINTS = 6;
const VARINT_DELTAS = 7;
/** Added to an encoding whose payload begins with the bitmap of the rows that have a value. */
const BITMAP_FLAG = 0x80;

/**
 * Decodes the cursor's section into the rows `[at, at + rowCount)` of `out`.
 *
 * @throws {BlockCorrupt} when the section is not of this encoding, or too short for the rows.
 */
export function decodeFloatColumnV1(
  cursor: ByteCursor,
  encoding: number,
  out: Float64Array,
  at: number,
  rowCount: number,
): void {
  if (encoding === ALL_NULL) {
    out.fill(Number.NaN, at, at + rowCount);
    return;
  }
  if ((encoding & BITMAP_FLAG) === 0) {
    decodePresent(cursor, encoding, out, at, rowCount);
    return;
  }
  const bitmapOffset = cursor.take((rowCount + 7) >>> 3);
  const count = countBits(cursor, bitmapOffset, rowCount);
  decodePresent(cursor, encoding & ~BITMAP_FLAG, out, at, count);
  spreadByBitmap(cursor.bytes, bitmapOffset, out, at, rowCount, count);
}

/** Number of rows with a value: never none and never all, which have encodings of their own. */
function countBits(cursor: ByteCursor, offset: number, rowCount: number): number {
  const { bytes } = cursor;
  let count = 0;
  for (let i = 0; i < rowCount; i++) count += (bytes[offset + (i >>> 3)]! >>> (i & 7)) & 1;
  if (count === 0 || count === rowCount) throw cursor.corrupt('a null bitmap is uniform', offset);
  return count;
}

/** Moves the values at the front of the rows to where the bitmap has them; from the end, in place. */
function spreadByBitmap(
  bytes: Uint8Array,
  offset: number,
  out: Float64Array,
  at: number,
  rowCount: number,
  count: number,
): void {
  let from = at + count - 1;
  for (let i = rowCount - 1; i >= 0; i--) {
    const isPresent = ((bytes[offset + (i >>> 3)]! >>> (i & 7)) & 1) === 1;
    out[at + i] = isPresent ? out[from--]! : Number.NaN;
  }
}

function decodePresent(
  cursor: ByteCursor,
  encoding: number,
  out: Float64Array,
  at: number,
  count: number,
): void {
  if (encoding === CONSTANT_FLOAT64) {
    out.fill(cursor.float64(), at, at + count);
    return;
  }
  if (encoding === FLOAT64) {
    cursor.float64s(out, at, count);
    return;
  }
  if (encoding < CONSTANT_DECIMAL || encoding > VARINT_DELTAS) {
    throw cursor.corrupt(`a column has the unknown encoding ${encoding}`);
  }
  const digits = cursor.u8();
  if (digits > DECIMAL_DIGITS_MAX) {
    throw cursor.corrupt('a decimal column has too many digits', cursor.position - 1);
  }
  const scale = DECIMAL_SCALES[digits]!;
  if (encoding === CONSTANT_DECIMAL) out.fill(cursor.svarint() / scale, at, at + count);
  else readIntegers(cursor, encoding, out, at, count, scale);
}

function readIntegers(
  cursor: ByteCursor,
  encoding: number,
  out: Float64Array,
  at: number,
  count: number,
  scale: number,
): void {
  if (encoding === PACKED || encoding === VARINTS) {
    if (encoding === PACKED) readPacked(cursor, out, at, count);
    else readVarints(cursor, out, at, count);
    if (scale !== 1) for (let i = at; i < at + count; i++) out[i] = out[i]! / scale;
    return;
  }
  out[at] = cursor.svarint();
  if (encoding === PACKED_DELTAS) readPacked(cursor, out, at + 1, count - 1);
  else readVarints(cursor, out, at + 1, count - 1);
  sumUp(out, at, count, scale);
}

/** Turns deltas into their running sum, divided by the scale. */
function sumUp(out: Float64Array, at: number, count: number, scale: number): void {
  const end = at + count;
  let sum = 0;
  if (scale === 1) {
    for (let i = at; i < end; i++) {
      sum += out[i]!;
      out[i] = sum;
    }
    return;
  }
  for (let i = at; i < end; i++) {
    sum += out[i]!;
    out[i] = sum / scale;
  }
}
