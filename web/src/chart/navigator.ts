import { type TimeWindow, windowBetween } from '../time/time-window.ts';

/** What is taken hold of: an end of the window, or all of it. */
export type NavigatorPart = 'start' | 'end' | 'body';

/** The window after a part of it was moved; an end that passes the other one pulls it along no further than to it. */
export function movedWindow(window: TimeWindow, part: NavigatorPart, byMs: number): TimeWindow {
  const { startMs, endMs } = window;
  if (part === 'body') return { startMs: startMs + byMs, endMs: endMs + byMs };
  if (part === 'start') return windowBetween(Math.min(startMs + byMs, endMs), endMs);
  return windowBetween(startMs, Math.max(endMs + byMs, startMs));
}

/** Where the window lies on a strip over the whole, as parts of its width; cut at the edges. */
export function windowShares(
  window: TimeWindow,
  whole: TimeWindow,
): { readonly start: number; readonly end: number } {
  const share = (ms: number): number =>
    Math.min(1, Math.max(0, (ms - whole.startMs) / (whole.endMs - whole.startMs)));
  return { start: share(window.startMs), end: share(window.endMs) };
}
