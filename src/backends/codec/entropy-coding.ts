import { BitCursor, READ_BITS_MAX } from './bit-cursor.ts';
import { BitWriter } from './bit-writer.ts';
import { type ByteCursor, type ByteWriter, svarintSizeBytes } from './byte-cursor.ts';
import { CHUNK_ROW_COUNT } from './chunks.ts';
import {
  CODE_BITS_MAX,
  canonicalCodes,
  codeLengths,
  readLengths,
  writeLengths,
} from './prefix-code.ts';
import {
  COARSE_TOKENS,
  extraBitsOf,
  leastOf,
  POWERS_OF_TWO,
  PRECISION_MAX,
  TOKEN_COUNT,
  TOKEN_MAX,
  tokenize,
} from './residual-tokens.ts';

/**
 * The entropy-coded form of a series of safe integers: each is a token, by a prefix code made for this
 * series, and extra bits. Bit layout: docs/format/block.md.
 */
/** Least precision that is tried; below, extra bits are no longer nearly uniform. */
const PRECISION_MIN = 1;
/** What storing one code length takes, about. */
const LENGTH_BITS = 1.7;
/** What a prefix code of whole bits loses against the entropy, about, for each integer. */
const CODE_LOSS_BITS = 0.03;
const ONE_BIT_LOSS = 0.5;

/**
 * Series of so many integers are in two bit streams that are read by turns: where the next integer
 * starts is known only after the one before, and the processor can wait for two such answers at once.
 */
const LANES_COUNT_MIN = 512;
const LANE_SIZE_BYTES = 3;
/** Bits that fit into a word of which seven may be taken. */
const SHORT_WIDTH_MAX = 24;
const LENGTH_MASK = 15;
const EXTRA_BITS_SHIFT = 4;
const EXTRA_BITS_MASK = 63;
const WIDTH_SHIFT = 10;
const WIDTH_MASK = 63;
const SYMBOL_SHIFT = 16;
/** Of the encoder's shapes, which have the width instead of the extra bits. */
const CODE_SHIFT = 10;

let tokens = new Uint16Array(1024);
const histogram = new Int32Array(TOKEN_COUNT);
const counts = new Int32Array(TOKEN_COUNT);
const lengths = new Uint8Array(TOKEN_COUNT);
const codes = new Int32Array(TOKEN_COUNT);
/** By fine token, how the encoder writes it: bits of code, of code and extra bits, and the code. */
const fineShapes = new Int32Array(TOKEN_COUNT);
const fineLeasts = new Float64Array(TOKEN_COUNT);
/** By fine token: the code less the least integer above it, for codes that fit into a word with extra bits. */
const fineBases = new Int32Array(TOKEN_COUNT);
/** By the next bits of the stream: bits of code, of extra bits and of both, and the symbol. */
const peekedShapes = new Int32Array(1 << CODE_BITS_MAX);
const symbolLeasts = new Float64Array(TOKEN_COUNT);

const countLogs = Float64Array.from({ length: 4097 }, (_, count) => count * Math.log2(count || 1));

function countLog(count: number): number {
  return count < countLogs.length ? countLogs[count]! : count * Math.log2(count);
}

/** What `planEntropyCoding` found out. Valid until its next call. */
export interface EntropyPlan {
  /** Estimate; the true size is within a few per cent. */
  sizeBytes: number;
  precision: number;
  /** Range of the fine tokens, as indexes of the histogram. */
  first: number;
  last: number;
}

const plan: EntropyPlan = { sizeBytes: 0, precision: 0, first: 0, last: 0 };

/** Tokenizes the first `count` >= 2 integers, all from `min` to `max`, and estimates their size. */
export function planEntropyCoding(
  integers: Float64Array,
  count: number,
  { min, max }: { readonly min: number; readonly max: number },
): EntropyPlan {
  if (tokens.length < count) tokens = new Uint16Array(2 * count);
  histogram.fill(0, plan.first, plan.last + 1);
  tokenize(integers, count, Math.max(-min, max), tokens, histogram);
  const first = firstToken();
  const last = lastToken();
  let bestBits = Number.POSITIVE_INFINITY;
  for (let precision = PRECISION_MAX; precision >= PRECISION_MIN; precision--) {
    const bits = estimateBits(first, last, precision, count);
    if (bits >= bestBits) break;
    bestBits = bits;
    plan.precision = precision;
  }
  plan.first = first;
  plan.last = last;
  plan.sizeBytes = Math.ceil(bestBits / 8);
  return plan;
}

/**
 * The least fine token that is there, and the greatest. Functions of their own, with nothing behind the
 * loops: what is compiled in the midst of a loop is thrown away at what follows it, call after call.
 */
function firstToken(): number {
  for (let fine = 0; ; fine++) if (histogram[fine] !== 0) return fine;
}

function lastToken(): number {
  for (let fine = TOKEN_COUNT - 1; ; fine--) if (histogram[fine] !== 0) return fine;
}

function estimateBits(first: number, last: number, precision: number, count: number): number {
  const coarse = COARSE_TOKENS[precision]!;
  let bits = countLog(count) + CODE_LOSS_BITS * count;
  let most = 0;
  let tableBits = 8 * (2 + svarintSizeBytes(coarse[first]!));
  for (let fine = first; fine <= last; ) {
    const token = coarse[fine]!;
    let frequency = 0;
    for (; fine <= last && coarse[fine] === token; fine++) frequency += histogram[fine]!;
    if (frequency === 0) continue;
    bits += frequency * extraBitsOf(token, precision) - countLog(frequency);
    tableBits += LENGTH_BITS;
    if (frequency > most) most = frequency;
  }
  // A code has one bit at least: much more than the entropy when one token is nearly always there.
  if (2 * most > count) bits += ONE_BIT_LOSS * (2 * most - count);
  return bits + tableBits;
}

/** Writes the integers that `planEntropyCoding` was called with last. */
export function writeEntropyCoded(
  writer: ByteWriter,
  integers: Float64Array,
  count: number,
  { precision, first, last }: EntropyPlan,
): void {
  const coarse = COARSE_TOKENS[precision]!;
  const least = coarse[first]!;
  const tokenCount = coarse[last]! - least + 1;
  for (let i = 0; i < tokenCount; i++) counts[i] = 0;
  for (let fine = first; fine <= last; fine++) counts[coarse[fine]! - least]! += histogram[fine]!;
  writer.u8(precision);
  writer.svarint(least);
  writer.uvarint(tokenCount - 1);
  const bits = new BitWriter(writer);
  if (tokenCount === 1) lengths[0] = 0;
  else {
    codeLengths(counts, tokenCount, limitBits(tokenCount, count), lengths);
    canonicalCodes(lengths, tokenCount, codes);
    writeLengths(bits, lengths, tokenCount);
  }
  for (let fine = first; fine <= last; fine++) {
    if (histogram[fine]! > 0)
      prepareFineToken(fine, coarse[fine]!, coarse[fine]! - least, precision);
  }
  if (count < LANES_COUNT_MIN) {
    writeTokens(bits, integers, 0, count);
    bits.flush();
  } else writeLanes(bits, integers, count);
}

/** The first half of the integers in one bit stream, of a size told before, and the rest in another. */
function writeLanes(bits: BitWriter, integers: Float64Array, count: number): void {
  const { writer } = bits;
  bits.flush();
  const sizePosition = writer.position;
  for (let i = 0; i < LANE_SIZE_BYTES; i++) writer.u8(0);
  writeTokens(bits, integers, 0, count >>> 1);
  bits.flush();
  const laneSizeBytes = writer.position - sizePosition - LANE_SIZE_BYTES;
  for (let i = 0; i < LANE_SIZE_BYTES; i++) {
    writer.bytes[sizePosition + i] = laneSizeBytes >>> (8 * i);
  }
  writeTokens(bits, integers, count >>> 1, count);
  bits.flush();
}

/** Short series get short codes: filling a large decoding table would take longer than reading them. */
function limitBits(tokenCount: number, count: number): number {
  const least = 33 - Math.clz32(tokenCount);
  return Math.min(CODE_BITS_MAX, Math.max(least, 30 - Math.clz32(count)));
}

function prepareFineToken(fine: number, token: number, symbol: number, precision: number): void {
  const length = lengths[symbol]!;
  const code = length === 0 ? 0 : codes[symbol]!;
  const width = length + extraBitsOf(token, precision);
  const least = leastOf(token, precision);
  fineShapes[fine] = length | (width << EXTRA_BITS_SHIFT) | (code << CODE_SHIFT);
  fineLeasts[fine] = least;
  fineBases[fine] = width <= SHORT_WIDTH_MAX ? code - (least << length) : 0;
}

function writeTokens(bits: BitWriter, integers: Float64Array, from: number, to: number): void {
  for (let start = from; start < to; start += CHUNK_ROW_COUNT) {
    writeChunk(bits, integers, start, Math.min(start + CHUNK_ROW_COUNT, to));
  }
}

/**
 * A code with its extra bits goes into the word that is being filled, and the whole bytes of that are
 * done: without asking whether it is full, which the processor would guess wrong every fourth time.
 */
function writeChunk(bits: BitWriter, integers: Float64Array, from: number, to: number): void {
  const { writer } = bits;
  bits.flushBytes();
  // A code and extra bits are at most eight bytes.
  writer.reserve(8 * (to - from) + 8);
  const { view } = writer;
  let { position } = writer;
  let { pending, pendingBits } = bits;
  for (let i = from; i < to; i++) {
    const token = tokens[i]!;
    const shape = fineShapes[token]!;
    const width = (shape >> EXTRA_BITS_SHIFT) & EXTRA_BITS_MASK;
    if (width <= SHORT_WIDTH_MAX) {
      const code = (fineBases[token]! + (integers[i]! << (shape & LENGTH_MASK))) | 0;
      pending |= code << pendingBits;
      pendingBits += width;
      view.setInt32(position, pending, true);
      position += pendingBits >>> 3;
      pending >>>= pendingBits & 0x18;
      pendingBits &= 7;
    } else {
      bits.pending = pending;
      bits.pendingBits = pendingBits;
      writer.position = position;
      bits.bits(shape >> CODE_SHIFT, shape & LENGTH_MASK);
      const extraBits = width - (shape & LENGTH_MASK);
      writeLongExtraBits(bits, integers[i]! - fineLeasts[token]!, extraBits);
      bits.flushBytes();
      ({ pending, pendingBits } = bits);
      ({ position } = writer);
    }
  }
  writer.position = position;
  bits.pending = pending;
  bits.pendingBits = pendingBits;
}

/** In two parts, of which the first has 25 bits when there are more. */
function writeLongExtraBits(bits: BitWriter, distance: number, extraBits: number): void {
  const lowBits = Math.min(extraBits, READ_BITS_MAX);
  const factor = POWERS_OF_TWO[lowBits]!;
  bits.bits(distance % factor, lowBits);
  bits.bits(Math.floor(distance / factor), extraBits - lowBits);
}

/** Reads `count` integers into `out` from index `at` on. */
export function readEntropyCoded(
  cursor: ByteCursor,
  out: Float64Array,
  at: number,
  count: number,
): void {
  const precision = cursor.u8();
  const least = cursor.svarint();
  const last = cursor.uvarint();
  if (
    precision < PRECISION_MIN ||
    precision > PRECISION_MAX ||
    Math.abs(least) > TOKEN_MAX ||
    last > TOKEN_MAX - least ||
    extraBitsOf(least, precision) > 52 - precision ||
    extraBitsOf(least + last, precision) > 52 - precision
  ) {
    throw cursor.corrupt('a series has impossible tokens');
  }
  const bits = new BitCursor(cursor);
  let longest = 0;
  if (last === 0) lengths[0] = 0;
  else {
    longest = readLengths(bits, lengths, last + 1);
    canonicalCodes(lengths, last + 1, codes);
  }
  fillPeekTable(precision, least, last + 1, longest);
  const peekMask = (1 << longest) - 1;
  if (count >= LANES_COUNT_MIN) {
    bits.close();
    readLanes(cursor, out, at, { count, peekMask });
  } else {
    readTokens(bits, out, at, { stop: at + count, peekMask });
    bits.close();
  }
}

function readLanes(
  cursor: ByteCursor,
  out: Float64Array,
  at: number,
  { count, peekMask }: { readonly count: number; readonly peekMask: number },
): void {
  const offset = cursor.take(LANE_SIZE_BYTES);
  const { bytes } = cursor;
  const sizeBytes = bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16);
  const first = new BitCursor(cursor, sizeBytes);
  cursor.take(sizeBytes);
  const second = new BitCursor(cursor);
  const middle = at + (count >>> 1);
  readTokenPairs(first, second, out, { at, middle, peekMask });
  first.close();
  if (cursor.position * 8 !== first.end) throw cursor.corrupt('a bit stream has bytes left over');
  readTokens(second, out, middle + (count >>> 1), { stop: at + count, peekMask });
  second.close();
}

function fillPeekTable(
  precision: number,
  least: number,
  tokenCount: number,
  longest: number,
): void {
  const end = 1 << longest;
  let integer = leastOf(least, precision);
  for (let i = 0; i < tokenCount; i++) {
    const length = lengths[i]!;
    const extraBits = extraBitsOf(least + i, precision);
    symbolLeasts[i] = integer;
    integer += POWERS_OF_TWO[extraBits]!;
    if (length === 0 && tokenCount > 1) continue;
    const shape =
      length |
      (extraBits << EXTRA_BITS_SHIFT) |
      ((length + extraBits) << WIDTH_SHIFT) |
      (i << SYMBOL_SHIFT);
    const step = 1 << length;
    for (let peek = length === 0 ? 0 : codes[i]!; peek < end; peek += step) {
      peekedShapes[peek] = shape;
    }
  }
}

/** Reads the integers from `at` to `middle` and as many from `middle` on. */
function readTokenPairs(
  first: BitCursor,
  second: BitCursor,
  out: Float64Array,
  {
    at,
    middle,
    peekMask,
  }: { readonly at: number; readonly middle: number; readonly peekMask: number },
): void {
  const distance = middle - at;
  for (let from = at; from < middle; from += CHUNK_ROW_COUNT) {
    const to = Math.min(from + CHUNK_ROW_COUNT, middle);
    readPairsOfChunk(first, second, out, { from, to, distance, peekMask });
  }
}

interface PairedChunk {
  readonly from: number;
  readonly to: number;
  readonly distance: number;
  readonly peekMask: number;
}

/**
 * Reads the integers `[from, to)` and those at a distance after them: two of each at a time, out of one
 * word, where they fit into it.
 */
function readPairsOfChunk(
  first: BitCursor,
  second: BitCursor,
  out: Float64Array,
  { from, to, distance, peekMask }: PairedChunk,
): void {
  const { view } = first.cursor;
  const firstEnd = first.end;
  const secondEnd = second.end;
  const last = to - 1;
  let firstPosition = first.position;
  let secondPosition = second.position;
  for (let i = from, j = from + distance; i < to; i++, j++) {
    if (firstPosition > firstEnd || secondPosition > secondEnd) throw first.cutShort();
    const firstWord = view.getInt32(firstPosition >>> 3, true) >>> (firstPosition & 7);
    const secondWord = view.getInt32(secondPosition >>> 3, true) >>> (secondPosition & 7);
    const firstShape = peekedShapes[firstWord & peekMask]!;
    const secondShape = peekedShapes[secondWord & peekMask]!;
    const firstWidth = (firstShape >> WIDTH_SHIFT) & WIDTH_MASK;
    const secondWidth = (secondShape >> WIDTH_SHIFT) & WIDTH_MASK;
    if (firstWidth > READ_BITS_MAX || secondWidth > READ_BITS_MAX) {
      first.position = firstPosition;
      second.position = secondPosition;
      out[i] = readLong(first, firstShape);
      out[j] = readLong(second, secondShape);
      firstPosition = first.position;
      secondPosition = second.position;
      continue;
    }
    out[i] = integerIn(firstWord, firstShape);
    out[j] = integerIn(secondWord, secondShape);
    firstPosition += firstWidth;
    secondPosition += secondWidth;
    const firstRest = firstWord >>> firstWidth;
    const secondRest = secondWord >>> secondWidth;
    const firstNext = peekedShapes[firstRest & peekMask]!;
    const secondNext = peekedShapes[secondRest & peekMask]!;
    const firstMore = (firstNext >> WIDTH_SHIFT) & WIDTH_MASK;
    const secondMore = (secondNext >> WIDTH_SHIFT) & WIDTH_MASK;
    if (
      firstWidth + firstMore > READ_BITS_MAX ||
      secondWidth + secondMore > READ_BITS_MAX ||
      i === last
    ) {
      continue;
    }
    i++;
    j++;
    out[i] = integerIn(firstRest, firstNext);
    out[j] = integerIn(secondRest, secondNext);
    firstPosition += firstMore;
    secondPosition += secondMore;
  }
  first.position = firstPosition;
  second.position = secondPosition;
}

function readTokens(
  bits: BitCursor,
  out: Float64Array,
  start: number,
  { stop, peekMask }: { readonly stop: number; readonly peekMask: number },
): void {
  const { view } = bits.cursor;
  const { end } = bits;
  const last = stop - 1;
  let { position } = bits;
  for (let i = start; i < stop; i++) {
    if (position > end) throw bits.cutShort();
    const word = view.getInt32(position >>> 3, true) >>> (position & 7);
    const shape = peekedShapes[word & peekMask]!;
    const width = (shape >> WIDTH_SHIFT) & WIDTH_MASK;
    if (width > READ_BITS_MAX) {
      bits.position = position;
      out[i] = readLong(bits, shape);
      position = bits.position;
      continue;
    }
    out[i] = integerIn(word, shape);
    position += width;
    const rest = word >>> width;
    const next = peekedShapes[rest & peekMask]!;
    const more = (next >> WIDTH_SHIFT) & WIDTH_MASK;
    if (width + more > READ_BITS_MAX || i === last) continue;
    out[++i] = integerIn(rest, next);
    position += more;
  }
  bits.position = position;
}

/** The integer whose code and extra bits are the lowest bits of a word. */
function integerIn(word: number, shape: number): number {
  const extraBits = (shape >> EXTRA_BITS_SHIFT) & EXTRA_BITS_MASK;
  const distance = (word >>> (shape & LENGTH_MASK)) & ((1 << extraBits) - 1);
  return symbolLeasts[shape >> SYMBOL_SHIFT]! + distance;
}

/** An integer whose code and extra bits may not be in one word. */
function readLong(bits: BitCursor, shape: number): number {
  bits.position += shape & LENGTH_MASK;
  const extraBits = (shape >> EXTRA_BITS_SHIFT) & EXTRA_BITS_MASK;
  return symbolLeasts[shape >> SYMBOL_SHIFT]! + readLongExtraBits(bits, extraBits);
}

function readLongExtraBits(bits: BitCursor, extraBits: number): number {
  const lowBits = Math.min(extraBits, READ_BITS_MAX);
  const low = bits.bits(lowBits);
  const highBits = extraBits - lowBits;
  if (highBits === 0) return low;
  const first = bits.bits(Math.min(highBits, READ_BITS_MAX));
  const rest = highBits - READ_BITS_MAX;
  const high = rest > 0 ? first + bits.bits(rest) * POWERS_OF_TWO[READ_BITS_MAX]! : first;
  return low + high * POWERS_OF_TWO[lowBits]!;
}
