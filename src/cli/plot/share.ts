/** The share of the way from `min` to `max` at which a value lies; the range itself may overflow. */
export function shareOf(
  value: number,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const range = max - min;
  return Number.isFinite(range)
    ? (value - min) / range
    : (value / 2 - min / 2) / (max / 2 - min / 2);
}
