const FACTORS = [1, 2, 2.5, 5, 10] as const;
/** Doubles have no more decimal places than that which differ. */
const DIGIT_COUNT_MAX = 15;

/** The smallest round step (1, 2, 2.5 or 5 times a power of ten) of which so many are enough from `low` to `high`. */
export function tickStep(low: number, high: number, countMax: number): number {
  // Not the difference, which may be more than a double holds.
  const least = high / countMax - low / countMax;
  const finest = Math.max(Math.abs(low), Math.abs(high)) * 10 ** (1 - DIGIT_COUNT_MAX);
  const wanted = Math.max(least, finest, Number.MIN_VALUE);
  const power = 10 ** Math.floor(Math.log10(wanted));
  const factor = FACTORS.find((candidate) => candidate * power >= wanted * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** Multiples of a step between two values, both included, ascending. */
export function valueTicks(low: number, high: number, step: number): number[] {
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) =>
    // 3 × 0.1 is a little more than 0.3.
    Number(((first + index) * step).toPrecision(DIGIT_COUNT_MAX)),
  );
}
