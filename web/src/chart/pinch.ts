import { spanOf, type TimeWindow, windowBetween } from '../time/time-window.ts';

/** The window under which the instants that two fingers were put on are where the fingers are now. */
export function pinched(
  window: TimeWindow,
  {
    from,
    to,
    widthPx,
  }: { readonly from: readonly number[]; readonly to: readonly number[]; readonly widthPx: number },
): TimeWindow {
  const spanMs = spanOf(window);
  const instantOf = (x: number): number => window.startMs + (x / widthPx) * spanMs;
  const [fromA = 0, fromB = 0] = from;
  const [toA = 0, toB = 0] = to;
  const distance = toB - toA;
  if (Math.abs(distance) < 8 || Math.sign(distance) !== Math.sign(fromB - fromA)) return window;
  const msPerPx = (instantOf(fromB) - instantOf(fromA)) / distance;
  const startMs = instantOf(fromA) - toA * msPerPx;
  return windowBetween(startMs, startMs + widthPx * msPerPx);
}
