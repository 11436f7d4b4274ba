import type { ByteCursor, ByteWriter } from './byte-cursor.ts';
import {
  CORRECTION_MAX,
  DECIMAL_SCALES,
  type ScaledDecimals,
  scaleExactly,
  scaleToIntegers,
} from './decimal-scaling.ts';
import { addAllToBits, addToBits } from './float-words.ts';
import {
  decodeIntegers,
  decodeQuotients,
  encodeDeltas,
  encodeIntegers,
  encodeNoise,
  isPackedDeltas,
} from './integer-series.ts';
import { readMask, spreadByMask, writeMask } from './null-mask.ts';
import { ScratchColumn } from './scratch-columns.ts';
import { readSplit, writeSplit } from './split-floats.ts';
import { buildDictionary, DICTIONARY_SIZE_MAX } from './value-dictionary.ts';

/** Encodings of a `Float64Array` column; their bit layouts are in docs/format/block.md. */
const ALL_NULL = 0x00;
const CONSTANT_FLOAT64 = 0x01;
const FLOAT64 = 0x02;
const SPLIT = 0x03;
const DICTIONARY = 0x04;
/** These have the number of decimal digits in their lower four bits. */
const CONSTANT_DECIMAL = 0x10;
const DECIMALS = 0x20;
const CONSTANT_CORRECTED = 0x60;
/** Added to DECIMALS when corrections and exceptions follow the integers. */
const CORRECTIONS_FLAG = 0x10;
const EXCEPTIONS_FLAG = 0x20;
const DIGITS_MASK = 0x0f;
/** Added to an encoding whose payload begins with the mask of the rows that have a value. */
const MASK_FLAG = 0x80;

const FLOAT64_SIZE_BYTES = 8;
/** A decimal column above so many bytes a row may be no decimals at all. */
const DECIMAL_DOUBT_RATIO = 6;
/** Rows, and bytes a row, from which on a dictionary is tried. */
const DICTIONARY_ROW_COUNT_MIN = 32;
const DICTIONARY_TRIAL_RATIO = 0.2;

const presentScratch = new ScratchColumn();
const indexScratch = new ScratchColumn();
const wordScratch = new ScratchColumn();

/** Whether the payload is a few bytes that stand in the directory itself. */
export function isInline(encoding: number): boolean {
  const kind = encoding & ~DIGITS_MASK;
  return (
    encoding === ALL_NULL ||
    encoding === CONSTANT_FLOAT64 ||
    kind === CONSTANT_DECIMAL ||
    kind === CONSTANT_CORRECTED
  );
}

/** Moves past the payload of an inline encoding and returns its value; NaN for null. */
export function readInline(cursor: ByteCursor, encoding: number): number {
  if (encoding === ALL_NULL) return Number.NaN;
  if (encoding === CONSTANT_FLOAT64) return cursor.float64();
  const quotient = cursor.svarint() / DECIMAL_SCALES[encoding & DIGITS_MASK]!;
  if ((encoding & ~DIGITS_MASK) === CONSTANT_DECIMAL) return quotient;
  return addToBits(quotient, checkCorrection(cursor, cursor.svarint()));
}

function checkCorrection(cursor: ByteCursor, correction: number): number {
  if (!(Math.abs(correction) <= CORRECTION_MAX)) throw cursor.corrupt('a correction is too large');
  return correction;
}

/** Appends a column of at least one row and returns the encoding that was the smallest. */
export function encodeFloatColumn(writer: ByteWriter, column: Float64Array): number {
  const rowCount = column.length;
  if (isConstant(column, rowCount)) return encodeConstant(writer, column);
  // Nearly always there are neither nulls nor anything else that is no decimal: one pass tells.
  const decimals = scaleExactly(column, rowCount);
  if (decimals !== null) return encodeVarying(writer, column, rowCount, decimals);
  let nullCount = 0;
  for (let i = 0; i < rowCount; i++) if (Number.isNaN(column[i])) nullCount++;
  if (nullCount === 0) return encodeVarying(writer, column, rowCount, null);
  const present = presentScratch.ensure(rowCount);
  let presentCount = 0;
  for (let i = 0; i < rowCount; i++) {
    const value = column[i]!;
    present[presentCount] = value;
    if (!Number.isNaN(value)) presentCount++;
  }
  writeMask(writer, column);
  const encoding = isConstant(present, presentCount)
    ? encodeConstant(writer, present)
    : encodeVarying(writer, present, presentCount, null);
  return encoding | MASK_FLAG;
}

/**
 * The same for a column that will soon be encoded again: decimals without nulls are written in what takes
 * the least time.
 */
export function encodeFloatDraft(writer: ByteWriter, column: Float64Array): number {
  const rowCount = column.length;
  if (isConstant(column, rowCount)) return encodeConstant(writer, column);
  const decimals = scaleExactly(column, rowCount);
  if (decimals !== null && encodeDeltas(writer, decimals.integers, rowCount)) {
    return DECIMALS | decimals.digits;
  }
  return encodeFloatColumn(writer, column);
}

/** Whether `encodeFloatDraft` may have written in least time what stands at the offset. */
export function isFloatDraft(encoding: number, bytes: Uint8Array, offset: number): boolean {
  return (encoding & ~DIGITS_MASK) === DECIMALS && isPackedDeltas(bytes, offset);
}

/** `exact` when it is already known that the values are such decimals. */
function encodeVarying(
  writer: ByteWriter,
  values: Float64Array,
  count: number,
  exact: ScaledDecimals | null,
): number {
  const start = writer.position;
  const encoding = encodeNumbers(writer, values, count, exact);
  const sizeBytes = writer.position - start;
  if (count < DICTIONARY_ROW_COUNT_MIN || sizeBytes < DICTIONARY_TRIAL_RATIO * count) {
    return encoding;
  }
  if (!encodeDictionary(writer, values, count)) return encoding;
  return keepSmaller(writer, { start, sizeBytes, encoding }, DICTIONARY);
}

/** Keeps, of a payload and the one written after it, the smaller, and returns its encoding. */
function keepSmaller(
  writer: ByteWriter,
  first: { readonly start: number; readonly sizeBytes: number; readonly encoding: number },
  secondEncoding: number,
): number {
  const secondStart = first.start + first.sizeBytes;
  const secondSizeBytes = writer.position - secondStart;
  if (secondSizeBytes >= first.sizeBytes) {
    writer.position = secondStart;
    return first.encoding;
  }
  writer.bytes.copyWithin(first.start, secondStart, writer.position);
  writer.position = first.start + secondSizeBytes;
  return secondEncoding;
}

function isConstant(values: Float64Array, count: number): boolean {
  const first = values[0]!;
  if (Number.isNaN(first) || first === 0) {
    for (let i = 1; i < count; i++) if (!Object.is(values[i], first)) return false;
    return true;
  }
  for (let i = 1; i < count; i++) if (values[i] !== first) return false;
  return true;
}

/** Larger ones have no shorter form than a double. */
const CONSTANT_INTEGER_MAX: number = 2 ** 48 - 1;

function encodeConstant(writer: ByteWriter, values: Float64Array): number {
  const value = values[0]!;
  if (Number.isNaN(value)) return ALL_NULL;
  if (Math.floor(value) === value && value !== 0 && Math.abs(value) <= CONSTANT_INTEGER_MAX) {
    writer.svarint(value);
    return CONSTANT_DECIMAL;
  }
  const start = writer.position;
  const decimals = scaleToIntegers(values, 1);
  if (decimals !== null) {
    writer.svarint(decimals.integers[0]!);
    const isExact = decimals.correctionCount === 0;
    if (!isExact) writer.svarint(decimals.corrections[0]!);
    if (writer.position - start < FLOAT64_SIZE_BYTES) {
      return decimals.digits | (isExact ? CONSTANT_DECIMAL : CONSTANT_CORRECTED);
    }
    writer.position = start;
  }
  writer.float64(value);
  return CONSTANT_FLOAT64;
}

function encodeNumbers(
  writer: ByteWriter,
  values: Float64Array,
  count: number,
  exact: ScaledDecimals | null,
): number {
  const start = writer.position;
  const decimals = exact ?? scaleToIntegers(values, count);
  if (decimals === null) return encodeDoubles(writer, values, count);
  const encoding = encodeDecimals(writer, values, count, decimals);
  const sizeBytes = writer.position - start;
  if (sizeBytes < DECIMAL_DOUBT_RATIO * count) return encoding;
  return keepSmaller(writer, { start, sizeBytes, encoding }, encodeDoubles(writer, values, count));
}

function encodeDecimals(
  writer: ByteWriter,
  values: Float64Array,
  count: number,
  decimals: ScaledDecimals,
): number {
  const { digits, corrections, correctionCount, exceptions, exceptionCount } = decimals;
  let encoding = DECIMALS | digits;
  encodeIntegers(writer, decimals.integers, count);
  if (correctionCount > 0) {
    encoding += CORRECTIONS_FLAG;
    encodeNoise(writer, corrections, count);
  }
  if (exceptionCount > 0) {
    encoding += EXCEPTIONS_FLAG;
    writer.uvarint(exceptionCount);
    encodeIntegers(writer, exceptions, exceptionCount);
    for (let i = 0; i < exceptionCount; i++) writer.float64(values[exceptions[i]!]!);
  }
  return encoding;
}

/** Values that are no decimals: split into words, or as they are when that is smaller. */
function encodeDoubles(writer: ByteWriter, values: Float64Array, count: number): number {
  const start = writer.position;
  writeSplit(writer, values, count);
  if (writer.position - start < count * FLOAT64_SIZE_BYTES) return SPLIT;
  writer.position = start;
  writer.reserve(count * FLOAT64_SIZE_BYTES);
  for (let i = 0; i < count; i++) writer.float64(values[i]!);
  return FLOAT64;
}

/** Appends nothing and returns false when the distinct values are not few. */
function encodeDictionary(writer: ByteWriter, values: Float64Array, count: number): boolean {
  const indexes = indexScratch.ensure(count);
  const dictionary = buildDictionary(values, count, indexes);
  if (dictionary === null) return false;
  writer.uvarint(dictionary.size);
  const encodingPosition = writer.position;
  writer.u8(0);
  const encoding = encodeNumbers(writer, dictionary.values, dictionary.size, null);
  writer.bytes[encodingPosition] = encoding;
  encodeIntegers(writer, indexes, count);
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
  { at, rowCount }: { readonly at: number; readonly rowCount: number },
): void {
  if ((encoding & MASK_FLAG) === 0) {
    decodePresent(cursor, encoding, out, at, rowCount);
    return;
  }
  const mask = readMask(cursor, rowCount);
  const presentEncoding = encoding & ~MASK_FLAG;
  if (presentEncoding === ALL_NULL) throw cursor.corrupt('a null mask has no values');
  decodePresent(cursor, presentEncoding, out, at, mask.presentCount);
  spreadByMask(cursor, mask, out, { at, rowCount });
}

function decodePresent(
  cursor: ByteCursor,
  encoding: number,
  out: Float64Array,
  at: number,
  count: number,
): void {
  if (isInline(encoding)) out.fill(readInline(cursor, encoding), at, at + count);
  else if (encoding === FLOAT64) cursor.float64s(out, at, count);
  else if (encoding === SPLIT) readSplit(cursor, out, at, count);
  else if (encoding === DICTIONARY) readDictionary(cursor, out, at, count);
  else if (encoding >= DECIMALS && encoding < CONSTANT_CORRECTED) {
    readDecimals(cursor, encoding, out, at, count);
  } else throw cursor.corrupt(`a column has the unknown encoding ${encoding}`);
}

function readDecimals(
  cursor: ByteCursor,
  encoding: number,
  out: Float64Array,
  at: number,
  count: number,
): void {
  const flags = encoding - DECIMALS;
  decodeQuotients(cursor, out, { at, count, scale: DECIMAL_SCALES[encoding & DIGITS_MASK]! });
  if ((flags & CORRECTIONS_FLAG) !== 0) readCorrections(cursor, out, at, count);
  if ((flags & EXCEPTIONS_FLAG) !== 0) readExceptions(cursor, out, at, count);
}

function readCorrections(cursor: ByteCursor, out: Float64Array, at: number, count: number): void {
  const corrections = wordScratch.ensure(count);
  decodeIntegers(cursor, corrections, 0, count);
  let largest = 0;
  for (let i = 0; i < count; i++) largest = Math.max(largest, Math.abs(corrections[i]!));
  checkCorrection(cursor, largest);
  addAllToBits(out, at, corrections, count);
}

function readExceptions(cursor: ByteCursor, out: Float64Array, at: number, count: number): void {
  const offset = cursor.position;
  const exceptionCount = cursor.uvarint();
  if (exceptionCount > count) throw cursor.corrupt('a column has too many exceptions', offset);
  const rows = wordScratch.ensure(exceptionCount);
  decodeIntegers(cursor, rows, 0, exceptionCount);
  for (let i = 0; i < exceptionCount; i++) {
    const row = rows[i]!;
    if (!(row >= 0 && row < count)) throw cursor.corrupt('an exception is at no row', offset);
    out[at + row] = cursor.float64();
  }
}

function readDictionary(cursor: ByteCursor, out: Float64Array, at: number, count: number): void {
  const offset = cursor.position;
  const size = cursor.uvarint();
  if (size === 0 || size > DICTIONARY_SIZE_MAX) {
    throw cursor.corrupt('a dictionary has an impossible size', offset);
  }
  const encoding = cursor.u8();
  if (encoding === DICTIONARY) throw cursor.corrupt('a dictionary is inside another', offset);
  const values = new Float64Array(size);
  decodePresent(cursor, encoding, values, 0, size);
  decodeIntegers(cursor, out, at, count);
  for (let i = at; i < at + count; i++) {
    const index = out[i]!;
    if (!(index >= 0 && index < size)) throw cursor.corrupt('an index is outside', offset);
    out[i] = values[index]!;
  }
}
