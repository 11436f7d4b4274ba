/** Part of the range that stays free above and below. */
const FREE_PART = 0.06;

/**
 * Ends of a y axis for data between two values, which are null without data; fixed ends stay where they are. An axis
 * of areas begins at zero: what is seen of them would be no measure of them otherwise.
 */
export function axisRange(
  low: number | null,
  high: number | null,
  fixed: {
    readonly minimum: number | null;
    readonly maximum: number | null;
    readonly isOfAreas?: boolean;
  },
): readonly [low: number, high: number] {
  const zero = fixed.isOfAreas === true ? 0 : null;
  const dataLow = Math.min(low ?? fixed.minimum ?? 0, zero ?? Number.POSITIVE_INFINITY);
  const dataHigh = Math.max(high ?? fixed.maximum ?? 1, zero ?? Number.NEGATIVE_INFINITY);
  const size = dataHigh - dataLow;
  const freeBy = size > 0 ? size * FREE_PART : Math.max(Math.abs(dataHigh) * 0.05, 0.5);
  // What is never negative gets no negative axis just for the free part.
  const bottom = dataLow >= 0 ? Math.max(0, dataLow - freeBy) : dataLow - freeBy;
  const from = fixed.minimum ?? bottom;
  const to = fixed.maximum ?? dataHigh + freeBy;
  return to > from ? [from, to] : [from, from + 1];
}
