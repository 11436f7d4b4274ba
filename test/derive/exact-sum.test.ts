import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ExactSum } from '../../src/derive/exact-sum.ts';

/** Below every bit of a float. */
const UNIT_EXPONENT = 1074;

/** The float as a multiple of the smallest one. */
function unitsOf(value: number): bigint {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const word = bits.getBigUint64(0);
  const exponent = (word >> 52n) & 0x7ffn;
  const fraction = word & 0xfffffffffffffn;
  const units = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n);
  return value < 0 ? -units : units;
}

/** The nearest float, of two the even one. */
function rounded(units: bigint): number {
  const size = units < 0n ? -units : units;
  // A `Number` of it rounds rightly, and must not overflow before it is made smaller again.
  const surplus = Math.max(size.toString(2).length - 1000, 0);
  if (surplus === 0) return (Number(units) / 2 ** 537) * 2 ** (537 - UNIT_EXPONENT);
  const kept = units >> BigInt(surplus);
  const isExact = kept << BigInt(surplus) === units;
  // Bits that are cut off only have to be known to be there.
  return Number(isExact ? kept : kept | 1n) * 2 ** (surplus - UNIT_EXPONENT);
}

const term = fc.oneof(
  { weight: 4, arbitrary: fc.double({ noNaN: true, min: -1e6, max: 1e6 }) },
  { weight: 2, arbitrary: fc.double({ noNaN: true, min: -(2 ** 959), max: 2 ** 959 }) },
  { weight: 2, arbitrary: fc.constantFrom(1, -1, 2 ** 53, 2 ** -53, 2 ** -54, 1 + 2 ** -52) },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, 5e-324, -5e-324, 2 ** -1022) },
);

test('is the exact sum, rounded once', () => {
  fc.assert(
    fc.property(fc.array(term, { maxLength: 40 }), (terms) => {
      const sum = new ExactSum();
      for (const item of terms) sum.add(item);
      expect(sum.rounded).toBe(
        rounded(terms.reduce((units, item) => units + unitsOf(item), 0n)) + 0,
      );
    }),
    { numRuns: 2000 },
  );
});

test('knows nothing any more of terms that were taken out', () => {
  fc.assert(
    fc.property(fc.array(term), fc.array(term), (gone, terms) => {
      const sum = new ExactSum();
      const alone = new ExactSum();
      for (const item of gone) sum.add(item);
      for (const item of terms) {
        sum.add(item);
        alone.add(item);
      }
      for (const item of gone) sum.add(-item);
      expect(sum.rounded).toBe(alone.rounded);
    }),
    { numRuns: 2000 },
  );
});
