import type { Decimal } from 'decimal.js';
import type { Columns } from '../model/block.ts';
import { decimalOf, multiplyExact, subtractExact } from '../model/high-accuracy.ts';
import { decimals } from './decimal-state.ts';
import { floats } from './downsampler.ts';

/** A variance as a fraction: `scaled` by the square of the count. */
export interface ScaledVariance {
  readonly scaled: Decimal;
  readonly count: Decimal;
}

/** Reads the population variance out of exact decimal sums `q`, `s` and `c`. */
export function decimalVariances(columns: Columns): (row: number) => ScaledVariance {
  const squares = decimals(columns, 'q');
  const sums = decimals(columns, 's');
  const counts = decimals(columns, 'c');
  return (row) => {
    const sum = sums(row);
    const count = counts(row);
    const scaled = subtractExact(multiplyExact(count, squares(row)), multiplyExact(sum, sum));
    // Groups that contradict themselves (squares too small for their sum) have no deviation to speak of.
    return { scaled: scaled.lte(0) ? decimalOf(0) : scaled, count };
  };
}

/** The population variance in float64. Deviations that are too large for it make it infinite. */
export function plainVariances(columns: Columns): (row: number) => number {
  const counts = floats(columns, 'c');
  const m2s = floats(columns, 'm2');
  // A mean that overflows gives deviations of opposite signs, and a product below zero.
  return (row) => Math.abs(m2s[row]!) / counts[row]!;
}
