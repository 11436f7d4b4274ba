import type { BitCursor } from './bit-cursor.ts';
import type { BitWriter } from './bit-writer.ts';

/** Longest code: a decoding table of 2^12 entries. */
export const CODE_BITS_MAX = 12;
const KEY_FACTOR = 1024;

/** Length that the first symbol's is told against. */
const LENGTH_EXPECTED = 6;

const keys = new Int32Array(KEY_FACTOR);
const weights = new Int32Array(KEY_FACTOR);

/**
 * Lengths of an optimal prefix code for symbols that occur `counts[i]` times each, 0 for those that do
 * not; the least possible excess when lengths above `limitBits` must be cut. Two symbols must occur at
 * least, 1023 at most, and 2^20 times together; and 2^limitBits symbols at most.
 * In place after Moffat and Katajainen, "In-Place Calculation of Minimum-Redundancy Codes", 1995.
 */
export function codeLengths(
  counts: Int32Array,
  count: number,
  limitBits: number,
  lengths: Uint8Array,
): void {
  let used = 0;
  for (let i = 0; i < count; i++) {
    lengths[i] = 0;
    if (counts[i]! > 0) keys[used++] = counts[i]! * KEY_FACTOR + i;
  }
  keys.subarray(0, used).sort();
  for (let i = 0; i < used; i++) weights[i] = Math.floor(keys[i]! / KEY_FACTOR);
  linkParents(used);
  depthsFromParents(used);
  limitDepths(used, limitBits);
  for (let i = 0; i < used; i++) lengths[keys[i]! % KEY_FACTOR] = weights[i]!;
}

/** Turns ascending weights into the index of the parent of each inner node. */
function linkParents(used: number): void {
  weights[0]! += weights[1]!;
  let root = 0;
  let leaf = 2;
  for (let next = 1; next < used - 1; next++) {
    for (let child = 0; child < 2; child++) {
      let weight: number;
      if (leaf >= used || (root < next && weights[root]! < weights[leaf]!)) {
        weight = weights[root]!;
        weights[root++] = next;
      } else weight = weights[leaf++]!;
      weights[next] = child === 0 ? weight : weights[next]! + weight;
    }
  }
}

/** Turns parents into the depths of the leaves, in the order of ascending weight. */
function depthsFromParents(used: number): void {
  weights[used - 2] = 0;
  for (let next = used - 3; next >= 0; next--) weights[next] = weights[weights[next]!]! + 1;
  let available = 1;
  let inner = 0;
  let root = used - 2;
  let next = used - 1;
  for (let depth = 0; available > 0; depth++) {
    while (root >= 0 && weights[root] === depth) {
      inner++;
      root--;
    }
    while (available > inner) {
      weights[next--] = depth;
      available--;
    }
    available = 2 * inner;
    inner = 0;
  }
}

/** Cuts depths to the limit and lengthens the rarest of the others until a code exists again. */
function limitDepths(used: number, limitBits: number): void {
  if (weights[0]! <= limitBits) return;
  const room = 2 ** limitBits;
  let taken = 0;
  for (let i = 0; i < used; i++) {
    if (weights[i]! > limitBits) weights[i] = limitBits;
    taken += room >> weights[i]!;
  }
  while (taken > room) {
    for (let i = 0; i < used && taken > room; i++) {
      if (weights[i] === limitBits) continue;
      weights[i]!++;
      taken -= room >> weights[i]!;
    }
  }
  for (let i = used - 1; i >= 0; i--) {
    while (weights[i]! > 1 && taken + (room >> weights[i]!) <= room) {
      taken += room >> weights[i]!;
      weights[i]!--;
    }
  }
}

const nextCodes = new Int32Array(CODE_BITS_MAX + 2);

/** Each number of `CODE_BITS_MAX` bits with its bits in the opposite order. */
const REVERSED_BITS = new Uint16Array(1 << CODE_BITS_MAX);
for (let code = 1; code < REVERSED_BITS.length; code++) {
  const first = (code & 1) << (CODE_BITS_MAX - 1);
  REVERSED_BITS[code] = first | (REVERSED_BITS[code >> 1]! >> 1);
}

/**
 * Canonical codes, with their first bit lowest. The lengths must fill the code space.
 * Deutsch, RFC 1951, 3.2.2.
 */
export function canonicalCodes(lengths: Uint8Array, count: number, codes: Int32Array): void {
  nextCodes.fill(0);
  for (let i = 0; i < count; i++) if (lengths[i]! > 0) nextCodes[lengths[i]! + 1]!++;
  let code = 0;
  for (let length = 1; length <= CODE_BITS_MAX; length++) {
    code = (code + nextCodes[length]!) << 1;
    nextCodes[length] = code;
  }
  for (let i = 0; i < count; i++) {
    const length = lengths[i]!;
    if (length > 0) codes[i] = REVERSED_BITS[nextCodes[length]!++]! >> (CODE_BITS_MAX - length);
  }
}

/**
 * Writes lengths, each against the one before: `0` the same, `01s` one more or less, `011s` two,
 * `0111` and four bits the length itself, `1111` a run of unused symbols. First bit written left.
 */
export function writeLengths(bits: BitWriter, lengths: Uint8Array, count: number): void {
  let previous = LENGTH_EXPECTED;
  for (let i = 0; i < count; i++) {
    const length = lengths[i]!;
    if (length === 0) {
      let end = i + 1;
      while (end < count && lengths[end] === 0) end++;
      bits.bits(0b1111, 4);
      writeRun(bits, end - i);
      i = end - 1;
      continue;
    }
    const change = length - previous;
    const isLonger = change > 0 ? 1 : 0;
    if (change === 0) bits.bits(0, 1);
    else if (change * change === 1) bits.bits(0b01 | (isLonger << 2), 3);
    else if (change * change === 4) bits.bits(0b011 | (isLonger << 3), 4);
    else bits.bits(0b0111 | (length << 4), 8);
    previous = length;
  }
}

/** Elias gamma: as many zeros as bits follow the leading one, a one, those bits. */
function writeRun(bits: BitWriter, run: number): void {
  const width = 31 - Math.clz32(run);
  bits.bits(1 << width, width + 1);
  bits.bits(run - (1 << width), width);
}

function readRun(bits: BitCursor): number {
  let width = 0;
  while (bits.bits(1) === 0) {
    if (++width > CODE_BITS_MAX) throw bits.cursor.corrupt('a run of unused symbols is too long');
  }
  return (1 << width) + bits.bits(width);
}

/** Reads what `writeLengths` wrote and returns the longest length; the code space must be full. */
export function readLengths(bits: BitCursor, lengths: Uint8Array, count: number): number {
  const { view } = bits.cursor;
  let previous = LENGTH_EXPECTED;
  let longest = 0;
  let taken = 0;
  for (let i = 0; i < count; i++) {
    if (bits.position > bits.end) throw bits.cutShort();
    const word = view.getInt32(bits.position >>> 3, true) >>> (bits.position & 7);
    if ((word & 0b1111) === 0b1111) {
      bits.position += 4;
      const end = i + readRun(bits);
      if (end > count) throw bits.cursor.corrupt('a run of unused symbols is too long');
      lengths.fill(0, i, end);
      i = end - 1;
      continue;
    }
    let length = previous;
    if ((word & 0b1) === 0) bits.position += 1;
    else if ((word & 0b11) === 0b01) {
      length += 2 * ((word >> 2) & 1) - 1;
      bits.position += 3;
    } else if ((word & 0b111) === 0b011) {
      length += 4 * ((word >> 3) & 1) - 2;
      bits.position += 4;
    } else {
      length = (word >> 4) & 0b1111;
      bits.position += 8;
    }
    if (length < 1 || length > CODE_BITS_MAX) {
      throw bits.cursor.corrupt('a code is not 1 to 12 bits long');
    }
    lengths[i] = length;
    previous = length;
    longest = Math.max(longest, length);
    taken += 1 << (CODE_BITS_MAX - length);
  }
  if (taken !== 1 << CODE_BITS_MAX) throw bits.cursor.corrupt('a prefix code is not complete');
  return longest;
}
