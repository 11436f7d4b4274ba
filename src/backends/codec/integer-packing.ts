import {
  type ByteCursor,
  type ByteWriter,
  svarintSizeBytes,
  uvarintSizeBytes,
} from './byte-cursor.ts';

/**
 * Two encodings of a series of safe integers held in a `Float64Array`: bit-packed miniblocks, each
 * with its own minimum and width, after the DELTA_BINARY_PACKED encoding of Parquet; and varints of
 * the distance from a typical value, for series where a few outliers would widen every miniblock.
 * Bit layouts: docs/format/block.md.
 */
const MINIBLOCK_ROW_COUNT = 64;
const WIDTH_MASK = 0x3f;
const SAME_MINIMUM_FLAG = 0x40;
/** Offsets from the minimum are safe integers. */
const WIDTH_BITS_MAX = 53;
const TWO_POW_32 = 2 ** 32;
/** Zigzag doubles a distance, and the double must be a safe integer too. */
const DISTANCE_MAX = 2 ** 52 - 1;
const MEDIAN_SAMPLE_COUNT = 15;
/** From so many rows on, one miniblock in so many is looked at to estimate a size. */
const SAMPLED_ROW_COUNT_MIN = 1024;
const SAMPLED_STRIDE = 4;

/** A miniblock of 64 rows of 32 bits, and one word that a read of the last row may touch. */
const words = new Int32Array(2 * 32 + 1);
const sample = new Float64Array(MEDIAN_SAMPLE_COUNT);

function widthBits(range: number): number {
  if (range < TWO_POW_32) return 32 - Math.clz32(range);
  return 64 - Math.clz32(Math.floor(range / TWO_POW_32));
}

function packedRowsSizeBytes(rowCount: number, width: number): number {
  return width <= 32
    ? (rowCount * width + 7) >>> 3
    : 4 * rowCount + ((rowCount * (width - 32) + 7) >>> 3);
}

/**
 * Size of the first `count` values when bit-packed; of a long series an estimate, from every fourth
 * miniblock. No two values may be further apart than 2^53 - 1.
 */
export function estimatePackedSizeBytes(values: Float64Array, count: number): number {
  const stride = count < SAMPLED_ROW_COUNT_MIN ? 1 : SAMPLED_STRIDE;
  let sizeBytes = 0;
  let rowCount = 0;
  let previousMin = 0;
  for (let start = 0; start < count; start += stride * MINIBLOCK_ROW_COUNT) {
    const end = Math.min(start + MINIBLOCK_ROW_COUNT, count);
    let min = values[start]!;
    let max = min;
    for (let i = start + 1; i < end; i++) {
      const value = values[i]!;
      if (value < min) min = value;
      else if (value > max) max = value;
    }
    sizeBytes += 1 + packedRowsSizeBytes(end - start, widthBits(max - min));
    if (min !== previousMin) sizeBytes += svarintSizeBytes(min - previousMin);
    previousMin = min;
    rowCount += end - start;
  }
  return stride === 1 ? sizeBytes : (sizeBytes * count) / rowCount;
}

/** Bit-packs the first `count` values, of which no two may be further apart than 2^53 - 1. */
export function writePacked(writer: ByteWriter, values: Float64Array, count: number): void {
  let previousMin = 0;
  for (let start = 0; start < count; start += MINIBLOCK_ROW_COUNT) {
    const end = Math.min(start + MINIBLOCK_ROW_COUNT, count);
    let min = values[start]!;
    let max = min;
    for (let i = start + 1; i < end; i++) {
      const value = values[i]!;
      if (value < min) min = value;
      else if (value > max) max = value;
    }
    const width = widthBits(max - min);
    writer.u8(width | (min === previousMin ? SAME_MINIMUM_FLAG : 0));
    if (min !== previousMin) writer.svarint(min - previousMin);
    previousMin = min;
    if (width > 32) writeWide(writer, values, start, end, min, width);
    else if (width === 8) writeBytes(writer, values, start, end, min);
    else if (width > 0) packBits(writer, values, start, end, min, 1, width);
  }
}

function writeBytes(
  writer: ByteWriter,
  values: Float64Array,
  start: number,
  end: number,
  min: number,
): void {
  writer.reserve(end - start);
  const { bytes } = writer;
  let position = writer.position;
  for (let i = start; i < end; i++) bytes[position++] = values[i]! - min;
  writer.position = position;
}

/** The low 32 bits of every row, then what is above them, bit-packed. */
function writeWide(
  writer: ByteWriter,
  values: Float64Array,
  start: number,
  end: number,
  min: number,
  width: number,
): void {
  writer.reserve(4 * (end - start));
  for (let i = start; i < end; i++) {
    writer.view.setUint32(writer.position, (values[i]! - min) % TWO_POW_32, true);
    writer.position += 4;
  }
  packBits(writer, values, start, end, min, TWO_POW_32, width - 32);
}

/** Packs `floor((value - min) / unit)` in `width` <= 32 bits each, lowest bit first. */
function packBits(
  writer: ByteWriter,
  values: Float64Array,
  start: number,
  end: number,
  min: number,
  unit: number,
  width: number,
): void {
  let pending = 0;
  let pendingBits = 0;
  let word = 0;
  for (let i = start; i < end; i++) {
    const difference = values[i]! - min;
    const bits = (unit === 1 ? difference : Math.floor(difference / unit)) | 0;
    pending |= bits << pendingBits;
    pendingBits += width;
    if (pendingBits >= 32) {
      words[word++] = pending;
      pendingBits -= 32;
      // A shift by 32 would be a shift by none.
      pending = pendingBits === 0 ? 0 : bits >>> (width - pendingBits);
    }
  }
  words[word] = pending;
  storeWords(writer, packedRowsSizeBytes(end - start, width));
}

function storeWords(writer: ByteWriter, sizeBytes: number): void {
  writer.reserve(sizeBytes);
  const { bytes, view } = writer;
  let position = writer.position;
  const wordCount = sizeBytes >>> 2;
  for (let i = 0; i < wordCount; i++, position += 4) view.setInt32(position, words[i]!, true);
  const tail = words[wordCount]!;
  for (let i = 0; i < (sizeBytes & 3); i++) bytes[position++] = tail >>> (i << 3);
  writer.position = position;
}

/** Reads `count` bit-packed values into `out` from index `at` on. */
export function readPacked(cursor: ByteCursor, out: Float64Array, at: number, count: number): void {
  let min = 0;
  const last = at + count;
  for (let start = at; start < last; start += MINIBLOCK_ROW_COUNT) {
    const end = Math.min(start + MINIBLOCK_ROW_COUNT, last);
    const control = cursor.u8();
    const width = control & WIDTH_MASK;
    if (width > WIDTH_BITS_MAX || control >= 128) {
      throw cursor.corrupt('a miniblock has no valid width', cursor.position - 1);
    }
    if ((control & SAME_MINIMUM_FLAG) === 0) min += cursor.svarint();
    if (width === 0) out.fill(min, start, end);
    else if (width > 32) readWide(cursor, out, start, end, min, width);
    else if (width === 8) readBytes(cursor, out, start, end, min);
    else unpackBits(cursor, out, start, end, min, width);
  }
}

function readBytes(
  cursor: ByteCursor,
  out: Float64Array,
  start: number,
  end: number,
  min: number,
): void {
  const { bytes } = cursor;
  let offset = cursor.take(end - start);
  for (let i = start; i < end; i++) out[i] = min + bytes[offset++]!;
}

function unpackBits(
  cursor: ByteCursor,
  out: Float64Array,
  start: number,
  end: number,
  min: number,
  width: number,
): void {
  loadWords(cursor, packedRowsSizeBytes(end - start, width));
  const mask = width === 32 ? -1 : (1 << width) - 1;
  let bit = 0;
  for (let i = start; i < end; i++) {
    const word = bit >>> 5;
    const shift = bit & 31;
    let bits = words[word]! >>> shift;
    if (shift + width > 32) bits |= words[word + 1]! << (32 - shift);
    out[i] = min + ((bits & mask) >>> 0);
    bit += width;
  }
}

function readWide(
  cursor: ByteCursor,
  out: Float64Array,
  start: number,
  end: number,
  min: number,
  width: number,
): void {
  const lowOffset = cursor.take(4 * (end - start));
  unpackBits(cursor, out, start, end, 0, width - 32);
  const { view } = cursor;
  for (let i = start; i < end; i++) {
    const low = view.getUint32(lowOffset + 4 * (i - start), true);
    out[i] = min + (out[i]! * TWO_POW_32 + low);
  }
}

function loadWords(cursor: ByteCursor, sizeBytes: number): void {
  const { bytes, view } = cursor;
  const offset = cursor.take(sizeBytes);
  const wordCount = sizeBytes >>> 2;
  for (let i = 0; i < wordCount; i++) words[i] = view.getInt32(offset + 4 * i, true);
  let tail = 0;
  for (let i = 4 * wordCount; i < sizeBytes; i++) tail |= bytes[offset + i]! << ((i & 3) << 3);
  words[wordCount] = tail;
}

/** The median of a few evenly spread values: close to most of them, whatever the outliers are. */
export function typicalValue(values: Float64Array, count: number): number {
  const sampleCount = Math.min(count, MEDIAN_SAMPLE_COUNT);
  for (let i = 0; i < sampleCount; i++) {
    const value = values[Math.floor((i * count) / sampleCount)]!;
    let place = i;
    for (; place > 0 && sample[place - 1]! > value; place--) sample[place] = sample[place - 1]!;
    sample[place] = value;
  }
  return sample[sampleCount >>> 1]!;
}

function zigzag(distance: number): number {
  return distance < 0 ? -2 * distance - 1 : 2 * distance;
}

/** Size of the first `count` values, at least one, as varints; Infinity when one is too far off. */
export function varintsSizeBytes(values: Float64Array, count: number): number {
  const base = typicalValue(values, count);
  let sizeBytes = svarintSizeBytes(base);
  for (let i = 0; i < count; i++) {
    const distance = values[i]! - base;
    if (Math.abs(distance) > DISTANCE_MAX) return Number.POSITIVE_INFINITY;
    sizeBytes += uvarintSizeBytes(zigzag(distance));
  }
  return sizeBytes;
}

/** Writes the first `count` values, for which `varintsSizeBytes` must be finite. */
export function writeVarints(writer: ByteWriter, values: Float64Array, count: number): void {
  const base = typicalValue(values, count);
  writer.svarint(base);
  for (let i = 0; i < count; i++) writer.uvarint(zigzag(values[i]! - base));
}

/** Reads `count` varints into `out` from index `at` on. */
export function readVarints(
  cursor: ByteCursor,
  out: Float64Array,
  at: number,
  count: number,
): void {
  const base = cursor.svarint();
  for (let i = at; i < at + count; i++) {
    const coded = cursor.uvarint();
    const half = Math.floor(coded / 2);
    out[i] = base + (coded === 2 * half ? half : -half - 1);
  }
}
