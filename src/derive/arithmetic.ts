import type { Decimal } from 'decimal.js';

export type Num = number | Decimal;

/** The arithmetic that operators compute in: float64, or decimals of 64 significant digits. */
export interface Arithmetic<N> {
  of(value: number): N;
  add(a: N, b: N): N;
  subtract(a: N, b: N): N;
  multiply(a: N, b: N): N;
  divide(a: N, b: N): N;
  isLess(a: N, b: N): boolean;
}

export const FLOAT_ARITHMETIC: Arithmetic<number> = {
  of: (value) => value,
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  isLess: (a, b) => a < b,
};
