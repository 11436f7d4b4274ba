import { DAY_MS, HOUR_MS, MINUTE_MS, MONTH_MS, WEEK_MS, YEAR_MS } from './units.ts';

/** What a chart shows: `[startMs, endMs)`. */
export interface TimeWindow {
  readonly startMs: number;
  readonly endMs: number;
}

/** A fixed window, or one of a length that goes with the clock; `all` is the whole history. */
export type TimeView =
  | { readonly kind: 'fixed'; readonly window: TimeWindow }
  | { readonly kind: 'latest'; readonly spanMs: number }
  | { readonly kind: 'all' };

export interface Preset {
  readonly name: string;
  /** Null: everything. */
  readonly spanMs: number | null;
}

export const PRESETS: readonly Preset[] = [
  { name: 'hour', spanMs: HOUR_MS },
  { name: 'day', spanMs: DAY_MS },
  { name: 'week', spanMs: WEEK_MS },
  { name: 'month', spanMs: MONTH_MS },
  { name: 'year', spanMs: YEAR_MS },
  { name: 'all', spanMs: null },
];

/** What there is to see. */
export interface History {
  /** Null: no datapoint yet. */
  readonly earliestMs: number | null;
  readonly latestMs: number | null;
  readonly nowMs: number;
}

const SPAN_MIN_MS = 100;
/** A history that has just begun is not stretched over the whole width. */
const ALL_SPAN_MIN_MS = MINUTE_MS;
const SPAN_MAX_MS = 200 * YEAR_MS;
/** Part of a window that stays free on the right, so that the newest datapoint does not touch the edge. */
const FREE_PART = 0.02;

export function spanOf({ startMs, endMs }: TimeWindow): number {
  return endMs - startMs;
}

/** The view of a preset. */
export function viewOfPreset({ spanMs }: Preset): TimeView {
  return spanMs === null ? { kind: 'all' } : { kind: 'latest', spanMs };
}

/** The last day; all where the history is shorter than that. */
export function initialView(history: Pick<History, 'earliestMs' | 'latestMs'>): TimeView {
  return isLongerThanHistory(DAY_MS, history)
    ? { kind: 'all' }
    : { kind: 'latest', spanMs: DAY_MS };
}

/** Whether a window of the length would show nothing more than all does; without a datapoint every one is. */
export function isLongerThanHistory(
  spanMs: number,
  { earliestMs, latestMs }: Pick<History, 'earliestMs' | 'latestMs'>,
): boolean {
  return earliestMs === null || latestMs === null || latestMs - earliestMs < spanMs;
}

/** Whether the view shows new datapoints as they come. */
export function isFollowing(view: TimeView): boolean {
  return view.kind !== 'fixed';
}

/**
 * The window of a view. One that goes with the clock ends now, or where the history ends when all of the window
 * would be after it: an old stream shows its last day, not an empty one.
 */
export function windowOfView(view: TimeView, history: History): TimeWindow {
  if (view.kind === 'fixed') return view.window;
  const { earliestMs, latestMs, nowMs } = history;
  if (view.kind === 'all') {
    const startMs = earliestMs ?? nowMs - HOUR_MS;
    const endMs = Math.max(latestMs ?? nowMs, startMs + ALL_SPAN_MIN_MS);
    const freeMs = (endMs - startMs) * FREE_PART;
    return { startMs: startMs - freeMs, endMs: endMs + freeMs };
  }
  const isOld = latestMs !== null && latestMs < nowMs - view.spanMs;
  const endMs = (isOld ? latestMs : Math.max(nowMs, latestMs ?? nowMs)) + view.spanMs * FREE_PART;
  return { startMs: endMs - view.spanMs, endMs };
}

/** Makes the window longer (`factor` above 1) or shorter around an instant that stays in its place. */
export function zoomBy(
  { startMs, endMs }: TimeWindow,
  { factor, anchorMs }: { readonly factor: number; readonly anchorMs?: number },
): TimeWindow {
  const anchor = anchorMs ?? (startMs + endMs) / 2;
  const spanMs = endMs - startMs;
  const wantedMs = Math.min(Math.max(spanMs * factor, SPAN_MIN_MS), SPAN_MAX_MS);
  const share = (anchor - startMs) / spanMs;
  return { startMs: anchor - wantedMs * share, endMs: anchor + wantedMs * (1 - share) };
}

/** Moves the window by a part of its length, positive into the future. */
export function panBy(window: TimeWindow, part: number): TimeWindow {
  return shift(window, spanOf(window) * part);
}

export function shift({ startMs, endMs }: TimeWindow, byMs: number): TimeWindow {
  return { startMs: startMs + byMs, endMs: endMs + byMs };
}

/** Orders two instants, and keeps them apart. */
export function windowBetween(aMs: number, bMs: number): TimeWindow {
  const startMs = Math.min(aMs, bMs);
  return { startMs, endMs: Math.max(aMs, bMs, startMs + SPAN_MIN_MS) };
}

/** Puts a window back among instants that exist for a `Date`, and beside the history at least. */
export function keepNear(window: TimeWindow, { earliestMs, latestMs, nowMs }: History): TimeWindow {
  const spanMs = spanOf(window);
  const firstMs = earliestMs ?? nowMs - spanMs;
  const lastMs = Math.max(latestMs ?? nowMs, nowMs);
  if (window.endMs < firstMs) return { startMs: firstMs - spanMs, endMs: firstMs };
  if (window.startMs > lastMs) return { startMs: lastMs, endMs: lastMs + spanMs };
  return window;
}

/** What is asked of the service: somewhat more than is seen, so that a short pan shows data at once. */
export function widened({ startMs, endMs }: TimeWindow, part = 0.1): TimeWindow {
  const byMs = (endMs - startMs) * part;
  return { startMs: startMs - byMs, endMs: endMs + byMs };
}

/** Whether one window lies within another. */
export function isWithin(inner: TimeWindow, outer: TimeWindow): boolean {
  return inner.startMs >= outer.startMs && inner.endMs <= outer.endMs;
}

/** A view as parameters of an address, and back. */
export function viewQuery(view: TimeView): Readonly<Record<string, string>> {
  if (view.kind === 'all') return { window: 'all' };
  if (view.kind === 'latest') {
    const preset = PRESETS.find(({ spanMs }) => spanMs === view.spanMs);
    return { window: preset?.name ?? String(Math.round(view.spanMs)) };
  }
  const { startMs, endMs } = view.window;
  return { start: String(Math.round(startMs)), end: String(Math.round(endMs)) };
}

/** Null when the address says nothing, or something that is no view. */
export function viewOfQuery(query: Readonly<Record<string, string>>): TimeView | null {
  const preset = PRESETS.find(({ name }) => name === query['window']);
  if (preset !== undefined) return viewOfPreset(preset);
  const spanMs = Number(query['window']);
  if (spanMs > 0) return { kind: 'latest', spanMs };
  const startMs = Number(query['start'] || Number.NaN);
  const endMs = Number(query['end'] || Number.NaN);
  if (!(startMs < endMs)) return null;
  return { kind: 'fixed', window: { startMs, endMs } };
}
