/** Part of the range that stays free above and below. */
const FREE_PART = 0.06;

/** Ends of a y axis for data between two values, which are null without data; fixed ends stay where they are. */
export function axisRange(
  low: number | null,
  high: number | null,
  fixed: { readonly minimum: number | null; readonly maximum: number | null },
): readonly [low: number, high: number] {
  const dataLow = low ?? fixed.minimum ?? 0;
  const dataHigh = high ?? fixed.maximum ?? 1;
  const size = dataHigh - dataLow;
  const freeBy = size > 0 ? size * FREE_PART : Math.max(Math.abs(dataHigh) * 0.05, 0.5);
  // What is never negative gets no negative axis just for the free part.
  const bottom = dataLow >= 0 ? Math.max(0, dataLow - freeBy) : dataLow - freeBy;
  const from = fixed.minimum ?? bottom;
  const to = fixed.maximum ?? dataHigh + freeBy;
  return to > from ? [from, to] : [from, from + 1];
}
