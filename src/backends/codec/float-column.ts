import { type ByteCursor, type ByteWriter, svarintSizeBytes } from './byte-cursor.ts';
import { DECIMAL_DIGITS_MAX, DECIMAL_SCALES, scaleToIntegers } from './decimal-scaling.ts';
import {
  packedSizeBytes,
  readPacked,
  readVarints,
  varintsSizeBytes,
  writePacked,
  writeVarints,
} from './integer-packing.ts';
import { ScratchColumn } from './scratch-columns.ts';

/** Encodings of a `Float64Array` column; their bit layouts are in docs/format/block.md. */
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

const FLOAT64_SIZE_BYTES = 8;
/** Bytes a row of the best packing above which varints are tried. */
const VARINT_TRIAL_RATIO = 1.25;

const presentScratch = new ScratchColumn();
const integerScratch = new ScratchColumn();
const deltaScratch = new ScratchColumn();

/** Appends a column of at least one row and returns the encoding that was the smallest. */
export function encodeFloatColumn(writer: ByteWriter, column: Float64Array): number {
  const present = presentScratch.ensure(column.length);
  let presentCount = 0;
  for (let i = 0; i < column.length; i++) {
    const value = column[i]!;
    present[presentCount] = value;
    if (!Number.isNaN(value)) presentCount++;
  }
  if (presentCount === 0) return ALL_NULL;
  if (presentCount === column.length) return encodePresent(writer, present, presentCount);
  writeBitmap(writer, column);
  return encodePresent(writer, present, presentCount) | BITMAP_FLAG;
}

function writeBitmap(writer: ByteWriter, column: Float64Array): void {
  const sizeBytes = (column.length + 7) >>> 3;
  writer.reserve(sizeBytes);
  const { bytes, position } = writer;
  bytes.fill(0, position, position + sizeBytes);
  for (let i = 0; i < column.length; i++) {
    const value = column[i]!;
    if (!Number.isNaN(value)) bytes[position + (i >>> 3)]! |= 1 << (i & 7);
  }
  writer.position = position + sizeBytes;
}

function encodePresent(writer: ByteWriter, values: Float64Array, count: number): number {
  if (isConstant(values, count)) return encodeConstant(writer, values);
  const integers = integerScratch.ensure(count);
  const digits = scaleToIntegers(values, count, integers);
  if (digits >= 0) {
    const encoding = encodeIntegers(writer, digits, integers, count);
    if (encoding !== FLOAT64) return encoding;
  }
  writer.reserve(count * FLOAT64_SIZE_BYTES);
  const { view } = writer;
  let position = writer.position;
  for (let i = 0; i < count; i++, position += FLOAT64_SIZE_BYTES) {
    view.setFloat64(position, values[i]!, true);
  }
  writer.position = position;
  return FLOAT64;
}

function isConstant(values: Float64Array, count: number): boolean {
  const first = values[0]!;
  for (let i = 1; i < count; i++) if (!Object.is(values[i], first)) return false;
  return true;
}

function encodeConstant(writer: ByteWriter, values: Float64Array): number {
  const integers = integerScratch.ensure(1);
  const digits = scaleToIntegers(values, 1, integers);
  if (digits < 0 || svarintSizeBytes(integers[0]!) >= FLOAT64_SIZE_BYTES) {
    writer.float64(values[0]!);
    return CONSTANT_FLOAT64;
  }
  writer.u8(digits);
  writer.svarint(integers[0]!);
  return CONSTANT_DECIMAL;
}

/** Returns FLOAT64, having written nothing, when the integers take no less room than the values. */
function encodeIntegers(
  writer: ByteWriter,
  digits: number,
  integers: Float64Array,
  count: number,
): number {
  const deltas = deltaScratch.ensure(count);
  const hasDeltas = computeDeltas(integers, count, deltas);
  const firstSizeBytes = svarintSizeBytes(integers[0]!);
  const deltaCount = count - 1;
  let encoding = FLOAT64;
  let sizeBytes = count * FLOAT64_SIZE_BYTES - 1;
  const consider = (candidate: number, candidateSizeBytes: number): void => {
    if (candidateSizeBytes >= sizeBytes) return;
    encoding = candidate;
    sizeBytes = candidateSizeBytes;
  };
  if (hasDeltas) consider(PACKED_DELTAS, firstSizeBytes + packedSizeBytes(deltas, deltaCount));
  consider(PACKED, packedSizeBytes(integers, count));
  // A varint is a byte or more, so little is to be had near one byte a row, for much time.
  if (sizeBytes > VARINT_TRIAL_RATIO * count) {
    consider(VARINTS, varintsSizeBytes(integers, count));
    if (hasDeltas) consider(VARINT_DELTAS, firstSizeBytes + varintsSizeBytes(deltas, deltaCount));
  }
  if (encoding === FLOAT64) return encoding;
  writer.u8(digits);
  if (encoding === PACKED) writePacked(writer, integers, count);
  else if (encoding === VARINTS) writeVarints(writer, integers, count);
  else {
    writer.svarint(integers[0]!);
    if (encoding === PACKED_DELTAS) writePacked(writer, deltas, deltaCount);
    else writeVarints(writer, deltas, deltaCount);
  }
  return encoding;
}

/** Returns false when a delta is no safe integer, so that summing up would not be exact. */
function computeDeltas(integers: Float64Array, count: number, deltas: Float64Array): boolean {
  let previous = integers[0]!;
  for (let i = 1; i < count; i++) {
    const integer = integers[i]!;
    const delta = integer - previous;
    if (delta > Number.MAX_SAFE_INTEGER || delta < -Number.MAX_SAFE_INTEGER) return false;
    deltas[i - 1] = delta;
    previous = integer;
  }
  return true;
}

/**
 * Decodes the cursor's section into the rows `[at, at + rowCount)` of `out`.
 *
 * @throws {BlockCorrupt} when the section is not of this encoding, or too short for the rows.
 */
export function decodeFloatColumn(
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
    readFloats(cursor, out, at, count);
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

function readFloats(cursor: ByteCursor, out: Float64Array, at: number, count: number): void {
  const { view } = cursor;
  let offset = cursor.take(count * FLOAT64_SIZE_BYTES);
  for (let i = at; i < at + count; i++, offset += FLOAT64_SIZE_BYTES) {
    out[i] = view.getFloat64(offset, true);
  }
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
