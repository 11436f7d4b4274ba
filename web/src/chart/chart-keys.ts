import {
  type History,
  panBy,
  spanOf,
  type TimeView,
  type TimeWindow,
  zoomBy,
} from '../time/time-window.ts';

const PAN_PART = 0.2;
const ZOOM_FACTOR = 1.6;

/** The view that a key in a chart asks for; null: the key means nothing here. */
export function viewOfKey(
  key: string,
  { window, history }: { readonly window: TimeWindow; readonly history: History },
): TimeView | null {
  const fixed = (next: TimeWindow): TimeView => ({ kind: 'fixed', window: next });
  switch (key) {
    case 'ArrowLeft':
      return fixed(panBy(window, -PAN_PART));
    case 'ArrowRight':
      return fixed(panBy(window, PAN_PART));
    case 'ArrowUp':
    case '+':
      return fixed(zoomBy(window, { factor: 1 / ZOOM_FACTOR }));
    case 'ArrowDown':
    case '-':
      return fixed(zoomBy(window, { factor: ZOOM_FACTOR }));
    case 'Home': {
      const startMs = history.earliestMs ?? window.startMs;
      return fixed({ startMs, endMs: startMs + spanOf(window) });
    }
    case 'End':
      return { kind: 'latest', spanMs: spanOf(window) };
    default:
      return null;
  }
}
