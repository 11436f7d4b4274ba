import { BitCursor } from './bit-cursor.ts';
import { BitWriter } from './bit-writer.ts';
import type { ByteCursor, ByteWriter } from './byte-cursor.ts';
import { fromWords, highWord, lowWord } from './float-words.ts';
import { decodeIntegers, encodeIntegers } from './integer-series.ts';
import { ScratchColumn } from './scratch-columns.ts';

/**
 * Doubles that are no decimals: their upper words are a series of integers, whose sign, exponent and
 * leading bits are alike or change little; their lower words, all noise, are stored as they are, less
 * the bits that are 0 in all of them. Bit layout: docs/format/block.md.
 */
const WORD_BITS = 32;
const HALF_BITS = 16;
const HALF_MASK = 0xffff;

const highScratch = new ScratchColumn();

/** Appends the first `count` values, none of which is NaN. */
export function writeSplit(writer: ByteWriter, values: Float64Array, count: number): void {
  const highs = highScratch.ensure(count);
  let union = 0;
  for (let i = 0; i < count; i++) {
    highs[i] = highWord(values[i]!);
    union |= lowWord(values[i]!);
  }
  const zeroBits = union === 0 ? WORD_BITS : 31 - Math.clz32(union & -union);
  writer.u8(zeroBits);
  encodeIntegers(writer, highs, count);
  const width = WORD_BITS - zeroBits;
  if (width === 0) return;
  writer.reserve(4 * count);
  const bits = new BitWriter(writer);
  for (let i = 0; i < count; i++) bits.bits(lowWord(values[i]!) >>> zeroBits, width);
  bits.flush();
}

/** Reads `count` values into `out` from index `at` on. */
export function readSplit(cursor: ByteCursor, out: Float64Array, at: number, count: number): void {
  const zeroBits = cursor.u8();
  if (zeroBits > WORD_BITS) throw cursor.corrupt('a word has 32 bits', cursor.position - 1);
  decodeIntegers(cursor, out, at, count);
  const width = WORD_BITS - zeroBits;
  if (width === 0) {
    for (let i = at; i < at + count; i++) out[i] = fromWords(out[i]!, 0);
  } else if (width === WORD_BITS) readWholeWords(cursor, out, at, count);
  else readPartialWords(cursor, out, { at, count, width });
}

function readWholeWords(cursor: ByteCursor, out: Float64Array, at: number, count: number): void {
  const offset = cursor.take(4 * count);
  for (let i = 0; i < count; i++) {
    out[at + i] = fromWords(out[at + i]!, cursor.view.getInt32(offset + 4 * i, true));
  }
}

function readPartialWords(
  cursor: ByteCursor,
  out: Float64Array,
  { at, count, width }: { readonly at: number; readonly count: number; readonly width: number },
): void {
  const bits = new BitCursor(cursor);
  const lowBits = Math.min(width, HALF_BITS);
  for (let i = at; i < at + count; i++) {
    const low = bits.bits(lowBits) & HALF_MASK;
    const high = width > HALF_BITS ? bits.bits(width - HALF_BITS) : 0;
    out[i] = fromWords(out[i]!, (low | (high << HALF_BITS)) << (WORD_BITS - width));
  }
  bits.close();
}
