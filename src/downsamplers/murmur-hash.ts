/** Multipliers of the four lanes. */
const C1 = 0x239b961b;
const C2 = 0xab0e9789 | 0;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93 | 0;
const BLOCK_SIZE_BYTES = 16;

/** Four words of 32 bits. */
export type Hash128 = readonly [number, number, number, number];

/**
 * MurmurHash3_x86_128 of Austin Appleby (public domain, github.com/aappleby/smhasher), which computes in words
 * of 32 bits, as JavaScript does. The words are from 0 to 2^32 - 1.
 */
export function murmurHash128(bytes: Uint8Array, seed = 0): Hash128 {
  let h1 = seed;
  let h2 = seed;
  let h3 = seed;
  let h4 = seed;
  const blocksEnd = bytes.length - (bytes.length % BLOCK_SIZE_BYTES);
  for (let at = 0; at < blocksEnd; at += BLOCK_SIZE_BYTES) {
    h1 ^= scrambled(wordAt(bytes, at), C1, 15, C2);
    h1 = mixed(rotated(h1, 19) + h2, 0x561ccd1b);
    h2 ^= scrambled(wordAt(bytes, at + 4), C2, 16, C3);
    h2 = mixed(rotated(h2, 17) + h3, 0x0bcaa747);
    h3 ^= scrambled(wordAt(bytes, at + 8), C3, 17, C4);
    h3 = mixed(rotated(h3, 15) + h4, 0x96cd1c35);
    h4 ^= scrambled(wordAt(bytes, at + 12), C4, 18, C1);
    h4 = mixed(rotated(h4, 13) + h1, 0x32ac3b17);
  }
  // Behind the end there are zeros, and of a word of zeros nothing is left.
  h4 ^= scrambled(wordAt(bytes, blocksEnd + 12), C4, 18, C1);
  h3 ^= scrambled(wordAt(bytes, blocksEnd + 8), C3, 17, C4);
  h2 ^= scrambled(wordAt(bytes, blocksEnd + 4), C2, 16, C3);
  h1 ^= scrambled(wordAt(bytes, blocksEnd), C1, 15, C2);
  return finished(h1 ^ bytes.length, h2 ^ bytes.length, h3 ^ bytes.length, h4 ^ bytes.length);
}

/** Little-endian; what lies behind the end is 0. */
function wordAt(bytes: Uint8Array, at: number): number {
  // Reading behind the end of an array would be slow.
  if (at + 4 <= bytes.length) {
    return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  }
  let word = 0;
  for (let last = bytes.length - 1; last >= at; last--) word = (word << 8) | bytes[last]!;
  return word;
}

function scrambled(word: number, factor: number, bits: number, otherFactor: number): number {
  return Math.imul(rotated(Math.imul(word, factor), bits), otherFactor);
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function mixed(sum: number, added: number): number {
  return (Math.imul(sum, 5) + added) | 0;
}

function finished(a: number, b: number, c: number, d: number): Hash128 {
  const first = a + b + c + d;
  const h1 = avalanche(first);
  const h2 = avalanche(b + first);
  const h3 = avalanche(c + first);
  const h4 = avalanche(d + first);
  const sum = h1 + h2 + h3 + h4;
  return [sum >>> 0, (h2 + sum) >>> 0, (h3 + sum) >>> 0, (h4 + sum) >>> 0];
}

/** Spreads every bit over the whole word. */
function avalanche(sum: number): number {
  let word = sum | 0;
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}
