import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compress } from 'snappyjs';
import { uncompressSnappy } from '../../../src/server/ingest/snappy.ts';

const SIZE_MAX_BYTES = 300_000;

describe('blocks of Snappy', () => {
  test('give back what was compressed', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 2000 }),
      fc
        .array(fc.constantFrom(...Buffer.from('ab')), { maxLength: 2000 })
        .map((all) => Uint8Array.from(all)),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 90 }), fc.nat(3000))
        .map(([part, count]) => Buffer.concat(Array.from({ length: count }, () => part))),
    );
    fc.assert(
      fc.property(bytes, (given) => {
        const input = Buffer.from(given);
        expect(uncompressSnappy(compress(input), SIZE_MAX_BYTES).equals(input)).toBe(true);
      }),
    );
  });

  test.each<[what: string, hex: string, text: string]>([
    ['nothing', '00', ''],
    ['a literal', '0308616263', 'abc'],
    ['a literal whose length has four bytes', '03fc02000000616263', 'abc'],
    ['a copy with one byte of offset, which repeats', '090461620d02', 'ababababa'],
    ['a copy with two', '0508616263060300', 'abcab'],
    ['a copy with four', '0508616263070300000000'.slice(0, 20), 'abcab'],
  ])('%s', (_what, hex, text) => {
    expect(uncompressSnappy(Buffer.from(hex, 'hex'), 100).toString()).toBe(text);
  });

  test.each([
    ['nothing at all', ''],
    ['a size without an end', 'ffffffffffff'],
    ['a literal that is longer than the block', '030c616263'],
    ['a literal that is longer than the output', '0208616263'],
    ['a literal with a length of 2³²', '03fcffffffff616263'],
    ['less than it says', '0408616263'],
    ['a copy of nothing', '0404616e00'],
    ['a copy from before the beginning', '0504616205ff'],
    ['a copy that is longer than the output', '03046162fe0100'],
    ['a copy without its offset', '05046162fe01'],
  ])('are refused: %s', (_what, hex) => {
    expect(() => uncompressSnappy(Buffer.from(hex, 'hex'), 100)).toThrow(RangeError);
  });

  test('are refused when they are too large', () => {
    expect(() => uncompressSnappy(compress(Buffer.alloc(101)), 100)).toThrow('has 101 bytes');
  });

  test('any bytes give bytes or a RangeError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        try {
          expect(uncompressSnappy(Buffer.from(bytes), 1000).length).toBeLessThanOrEqual(1000);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 5000 },
    );
  });
});
