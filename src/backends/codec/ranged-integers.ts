import { BitCursor, READ_BITS_MAX } from './bit-cursor.ts';
import { BitWriter } from './bit-writer.ts';
import {
  type ByteCursor,
  type ByteWriter,
  svarintSizeBytes,
  uvarintSizeBytes,
} from './byte-cursor.ts';

/**
 * Integers from a small range, nearly all of them equally frequent, in a truncated binary code: of R
 * integers 2^(k+1) - R have k bits and the others k + 1, which loses less than 0.09 bits against log2 R.
 * Where whole bits would lose up to one. Bit layout: docs/format/block.md.
 */
const RANGE_MAX: number = 2 ** (READ_BITS_MAX - 1);

/** Size of `count` integers from `min` to `max`; an estimate of the mix of long and short codes. */
export function rangedSizeBytes(count: number, min: number, max: number): number {
  const range = max - min + 1;
  if (range > RANGE_MAX) return Number.POSITIVE_INFINITY;
  const width = 31 - Math.clz32(range);
  const longCount = 2 * (range - 2 ** width);
  const bits = count * (width + longCount / range);
  return svarintSizeBytes(min) + uvarintSizeBytes(range - 1) + Math.ceil(bits / 8);
}

/** Writes the first `count` integers, which are from `min` to `max`. */
export function writeRanged(
  writer: ByteWriter,
  integers: Float64Array,
  count: number,
  { min, max }: { readonly min: number; readonly max: number },
): void {
  const range = max - min + 1;
  writer.svarint(min);
  writer.uvarint(range - 1);
  const width = 31 - Math.clz32(range);
  const shortCount = 2 ** (width + 1) - range;
  const bits = new BitWriter(writer);
  for (let i = 0; i < count; i++) {
    const distance = integers[i]! - min;
    const long = distance - shortCount;
    if (long < 0) bits.bits(distance, width);
    else bits.bits((shortCount + (long >> 1)) | ((long & 1) << width), width + 1);
  }
  bits.flush();
}

/** Reads `count` integers into `out` from index `at` on. */
export function readRanged(cursor: ByteCursor, out: Float64Array, at: number, count: number): void {
  const min = cursor.svarint();
  const range = cursor.uvarint() + 1;
  if (range > RANGE_MAX) throw cursor.corrupt('a range of integers is too wide');
  const width = 31 - Math.clz32(range);
  const shortCount = 2 ** (width + 1) - range;
  const shortMask = (1 << width) - 1;
  const bits = new BitCursor(cursor);
  const { view } = cursor;
  const { end } = bits;
  let { position } = bits;
  for (let i = at; i < at + count; i++) {
    if (position > end) throw bits.cutShort();
    const word = view.getInt32(position >>> 3, true) >>> (position & 7);
    const short = word & shortMask;
    position += width;
    if (short < shortCount) out[i] = min + short;
    else {
      out[i] = min + (2 * short - shortCount + ((word >>> width) & 1));
      position++;
    }
  }
  bits.position = position;
  bits.close();
}
