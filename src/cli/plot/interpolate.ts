/** The value at a share (0 to 1) of the way from `a` to `b`, finite where both are. */
export function interpolate(a: number, b: number, share: number): number {
  const rise = b - a;
  return Number.isFinite(rise) ? a + rise * share : a * (1 - share) + b * share;
}

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
