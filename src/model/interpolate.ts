import type { Decimal } from 'decimal.js';
import { addExact, decimalOf, divideDecimals, multiplyExact } from './high-accuracy.ts';

/** The value at a share (0 to 1) of the way from `a` to `b`, finite where both are. */
export function interpolate(a: number, b: number, share: number): number {
  const rise = b - a;
  return Number.isFinite(rise) ? a + rise * share : a * (1 - share) + b * share;
}

/**
 * The value after `part` of the `whole` way from `a` to `b`: exact where it ends within the digits of what
 * is divided, otherwise 64 significant digits.
 */
export function interpolateDecimals(
  [a, b]: readonly [Decimal, Decimal],
  { part, whole }: { readonly part: number; readonly whole: number },
): Decimal {
  const weighted = addExact(
    multiplyExact(a, decimalOf(whole - part)),
    multiplyExact(b, decimalOf(part)),
  );
  return divideDecimals(weighted, decimalOf(whole));
}
