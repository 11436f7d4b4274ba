import { assert } from '../model/assert.ts';
import { canonicalJson } from '../model/tags.ts';
import { murmurHash128 } from './murmur-hash.ts';

/** Up to so many different values the count is exact, and their hashes take less room than registers. */
export const DISTINCT_EXACT_COUNT_MAX = 400;

/** Of the estimate beyond that, as a fraction: 1.04 / sqrt(4096), Flajolet et al. 2007. */
export const DISTINCT_STANDARD_ERROR = 0.0163;

/** The hash has 53 bits, so that it is a number: these choose the register, ... */
const REGISTER_COUNT = 4096;
/** ... and of these it keeps the most zeros, and one more, that a hash began with. */
const RANK_BIT_COUNT = 41;
const RANK_UNIT = 2 ** RANK_BIT_COUNT;
/** Of the second word of the hash, 21 bits are taken. */
const LOW_BIT_COUNT = 21;

/** Six bits for each character. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** Whole numbers of 32 bits are quicker than others: five digits and four. */
const HIGH_DIGIT_COUNT = 5;
const LOW_DIGIT_COUNT = 4;
const DIGIT_COUNT: number = HIGH_DIGIT_COUNT + LOW_DIGIT_COUNT;
const LOW_DIGITS_UNIT: number = 64 ** LOW_DIGIT_COUNT;
const DIGITS: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) =>
  Math.max(0, ALPHABET.indexOf(String.fromCharCode(code))),
);

/**
 * Stored form: `x`, the hashes in ascending order, nine characters each, most significant first; or `r`, the registers,
 * one character each.
 */
export type DistinctState = { readonly x: string } | { readonly r: string };

export const NO_DISTINCT_VALUES: DistinctState = Object.freeze({ x: '' });

/**
 * The distinct values of a bucket that is being filled: their hashes, and from many on a HyperLogLog (Flajolet,
 * Fusy, Gandouet and Meunier 2007). Merging is exact: the state depends on nothing but the set of values.
 */
export class DistinctCounter {
  #hashes: Set<number> = new Set();
  #registers: Uint8Array | null = null;

  /** @param value a number, or the JSON of a nominal stream; of a high-accuracy one its canonical text. */
  add(value: unknown): void {
    this.#addHash(hashOf(value));
  }

  merge(state: DistinctState): void {
    if ('x' in state) {
      for (let at = 0; at < state.x.length; at += DIGIT_COUNT) this.#addHash(readHash(state.x, at));
      return;
    }
    const registers = this.#toRegisters();
    for (let i = 0; i < REGISTER_COUNT; i++) {
      const rank = DIGITS[state.r.charCodeAt(i)]!;
      if (rank > registers[i]!) registers[i] = rank;
    }
  }

  state(): DistinctState {
    if (this.#registers !== null) {
      return { r: Array.from(this.#registers, (rank) => ALPHABET[rank]!).join('') };
    }
    const ascending = Float64Array.from(this.#hashes).sort();
    return { x: Array.from(ascending, hashText).join('') };
  }

  #addHash(hash: number): void {
    if (this.#registers === null) {
      this.#hashes.add(hash);
      if (this.#hashes.size > DISTINCT_EXACT_COUNT_MAX) this.#toRegisters();
    } else register(this.#registers, hash);
  }

  #toRegisters(): Uint8Array {
    if (this.#registers !== null) return this.#registers;
    const registers = new Uint8Array(REGISTER_COUNT);
    for (const hash of this.#hashes) register(registers, hash);
    this.#registers = registers;
    this.#hashes = new Set();
    return registers;
  }
}

/** How many distinct values the state stands for: a whole number. */
export function distinctCount(state: DistinctState): number {
  if ('x' in state) return state.x.length / DIGIT_COUNT;
  const histogram = new Float64Array(RANK_BIT_COUNT + 2);
  for (let i = 0; i < REGISTER_COUNT; i++) histogram[DIGITS[state.r.charCodeAt(i)]!]! += 1;
  return Math.round(estimate(histogram));
}

/**
 * The improved raw estimator, algorithm 6 of Ertl 2017 ("New cardinality estimation algorithms for HyperLogLog
 * sketches"), which needs no corrections for small and large counts.
 * @param histogram how many registers have each value.
 */
function estimate(histogram: Float64Array): number {
  let z = REGISTER_COUNT * tau(1 - histogram[RANK_BIT_COUNT + 1]! / REGISTER_COUNT);
  for (let rank = RANK_BIT_COUNT; rank >= 1; rank--) z = (z + histogram[rank]!) / 2;
  z += REGISTER_COUNT * sigma(histogram[0]! / REGISTER_COUNT);
  return REGISTER_COUNT ** 2 / (2 * Math.LN2 * z);
}

/** x + the sum over k from 1 of x^(2^k) 2^(k-1). */
function sigma(x: number): number {
  if (x === 1) return Number.POSITIVE_INFINITY;
  let power = x;
  let factor = 1;
  let sum = x;
  for (let previous = Number.NaN; sum !== previous; ) {
    previous = sum;
    power *= power;
    sum += power * factor;
    factor *= 2;
  }
  return sum;
}

/** A third of 1 - x - the sum over k from 1 of (1 - x^(2^-k))^2 2^-k. */
function tau(x: number): number {
  if (x === 0 || x === 1) return 0;
  let root = x;
  let factor = 1;
  let sum = 1 - x;
  for (let previous = Number.NaN; sum !== previous; ) {
    previous = sum;
    root = Math.sqrt(root);
    factor /= 2;
    sum -= (1 - root) ** 2 * factor;
  }
  return sum / 3;
}

function register(registers: Uint8Array, hash: number): void {
  const index = Math.floor(hash / RANK_UNIT);
  const rest = hash - index * RANK_UNIT;
  const rank = rest === 0 ? RANK_BIT_COUNT + 1 : RANK_BIT_COUNT - Math.floor(Math.log2(rest));
  if (rank > registers[index]!) registers[index] = rank;
}

const floatBytes = new DataView(new ArrayBuffer(Float64Array.BYTES_PER_ELEMENT));
const numberBytes: Uint8Array = new Uint8Array(floatBytes.buffer);
const textEncoder = new TextEncoder();

/**
 * The first 53 bits of MurmurHash3_x86_128: of a number's float64, little-endian and without -0, or of the UTF-8
 * of canonical JSON. Part of the stored form: never changes.
 */
function hashOf(value: unknown): number {
  let bytes = numberBytes;
  if (typeof value === 'number') floatBytes.setFloat64(0, value === 0 ? 0 : value, true);
  else bytes = textEncoder.encode(canonicalJson(value));
  const [high, low] = murmurHash128(bytes);
  return high * 2 ** LOW_BIT_COUNT + (low >>> (32 - LOW_BIT_COUNT));
}

function hashText(hash: number): string {
  const high = Math.floor(hash / LOW_DIGITS_UNIT);
  return (
    digitsText(high, HIGH_DIGIT_COUNT) + digitsText(hash - high * LOW_DIGITS_UNIT, LOW_DIGIT_COUNT)
  );
}

function readHash(text: string, at: number): number {
  assert(at + DIGIT_COUNT <= text.length, 'a stored hash is whole');
  const high = readDigits(text, at, HIGH_DIGIT_COUNT);
  return high * LOW_DIGITS_UNIT + readDigits(text, at + HIGH_DIGIT_COUNT, LOW_DIGIT_COUNT);
}

/** @param number of 30 bits, at most. */
function digitsText(number: number, digitCount: number): string {
  let text = '';
  for (let shift = 6 * (digitCount - 1); shift >= 0; shift -= 6) {
    text += ALPHABET[(number >>> shift) & 63];
  }
  return text;
}

function readDigits(text: string, at: number, digitCount: number): number {
  let number = 0;
  for (let digit = 0; digit < digitCount; digit++) {
    number = (number << 6) | DIGITS[text.charCodeAt(at + digit)]!;
  }
  return number;
}
