import { describe, expect, test } from '@jest/globals';
import { murmurHash128 } from '../../src/downsamplers/murmur-hash.ts';

const KEY_COUNT = 256;
const HASH_SIZE_BYTES = 16;

function bytesOf(words: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(HASH_SIZE_BYTES));
  for (const [index, word] of words.entries()) view.setUint32(4 * index, word, true);
  return new Uint8Array(view.buffer);
}

describe('murmurHash128()', () => {
  test('has the verification value of SMHasher for MurmurHash3_x86_128', () => {
    const hashes = new Uint8Array(KEY_COUNT * HASH_SIZE_BYTES);
    const key = Uint8Array.from({ length: KEY_COUNT }, (_, index) => index);
    for (let length = 0; length < KEY_COUNT; length++) {
      const hash = murmurHash128(key.subarray(0, length), KEY_COUNT - length);
      hashes.set(bytesOf(hash), length * HASH_SIZE_BYTES);
    }
    expect(murmurHash128(hashes)[0]).toBe(0xb3ece62a);
  });
});
