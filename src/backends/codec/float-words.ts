/** The two words of doubles, for arithmetic on their bits. */
const LOW_WORD: number = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 0 : 1;
const TWO_POW_32 = 2 ** 32;

const pair = new Float64Array(2);
const pairWords = new Int32Array(pair.buffer);

/** What must be added to the bits of `base`, as an integer, to get those of `value`; rounded when huge. */
export function bitDistance(value: number, base: number): number {
  pair[0] = value;
  pair[1] = base;
  const high = pairWords[1 - LOW_WORD]! - pairWords[3 - LOW_WORD]!;
  return high * TWO_POW_32 + ((pairWords[LOW_WORD]! >>> 0) - (pairWords[2 + LOW_WORD]! >>> 0));
}

/** The double whose bits are those of `base` plus a small integer. */
export function addToBits(base: number, distance: number): number {
  pair[0] = base;
  const low = (pairWords[LOW_WORD]! >>> 0) + distance;
  pairWords[LOW_WORD] = low;
  if (low < 0) pairWords[1 - LOW_WORD]!--;
  else if (low >= TWO_POW_32) pairWords[1 - LOW_WORD]!++;
  return pair[0]!;
}

/** Adds small integers to the bits of the rows `[at, at + count)`, in place. */
export function addAllToBits(
  out: Float64Array,
  at: number,
  distances: Float64Array,
  count: number,
): void {
  const outWords = new Int32Array(out.buffer, out.byteOffset + 8 * at, 2 * count);
  const highWord = 1 - LOW_WORD;
  for (let i = 0; i < count; i++) {
    const distance = distances[i]! | 0;
    const low = outWords[2 * i + LOW_WORD]!;
    const sum = (low + distance) | 0;
    outWords[2 * i + LOW_WORD] = sum;
    // Out of the word when the sum, without sign, is on the wrong side of what it was.
    if (distance < 0 ? sum >>> 0 > low >>> 0 : sum >>> 0 < low >>> 0) {
      outWords[2 * i + highWord]! += distance < 0 ? -1 : 1;
    }
  }
}

/** Sign, exponent and the upper 20 bits of the mantissa, as a signed integer. */
export function highWord(value: number): number {
  pair[0] = value;
  return pairWords[1 - LOW_WORD]!;
}

/** The lower 32 bits of the mantissa, as an integer >= 0. */
export function lowWord(value: number): number {
  pair[0] = value;
  return pairWords[LOW_WORD]! >>> 0;
}

/** The double of the two words, each taken modulo 2^32. */
export function fromWords(high: number, low: number): number {
  pairWords[1 - LOW_WORD] = high;
  pairWords[LOW_WORD] = low;
  return pair[0]!;
}
