import { panBy, shift, spanOf, type TimeWindow, zoomBy } from '../time/time-window.ts';
import { pinched } from './pinch.ts';

interface GestureTarget {
  /** What is shown now. */
  readonly window: () => TimeWindow;
  /** The instant at a distance from the left edge. */
  readonly instantAt: (leftPx: number) => number;
  readonly onWindow: (window: TimeWindow) => void;
  /** Whether a wheel without a key zooms: once somebody has put the focus into the chart. */
  readonly hasFocus: () => boolean;
}

const WHEEL_ZOOM = 0.0015;

/**
 * Wheel, touch and shift-drag on a plot. A wheel that only means to scroll the page still does: it zooms with Ctrl
 * or in a chart that has the focus. @returns ends it.
 */
export function listenToGestures(over: HTMLElement, target: GestureTarget): () => void {
  const ends = [wheel(over, target), drag(over, target), touch(over, target)];
  return () => {
    for (const end of ends) end();
  };
}

function wheel(
  over: HTMLElement,
  { window, instantAt, onWindow, hasFocus }: GestureTarget,
): () => void {
  const onWheel = (event: WheelEvent): void => {
    const isSideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    if (!isSideways && !event.ctrlKey && !event.metaKey && !hasFocus()) return;
    event.preventDefault();
    if (isSideways) {
      onWindow(panBy(window(), (event.deltaX || event.deltaY) / over.clientWidth));
      return;
    }
    const anchorMs = instantAt(event.clientX - over.getBoundingClientRect().left);
    onWindow(zoomBy(window(), { factor: Math.exp(event.deltaY * WHEEL_ZOOM), anchorMs }));
  };
  over.addEventListener('wheel', onWheel, { passive: false });
  return () => over.removeEventListener('wheel', onWheel);
}

/** With shift, the mouse moves the window instead of choosing one. */
function drag(over: HTMLElement, { window, onWindow }: GestureTarget): () => void {
  const onDown = (event: MouseEvent): void => {
    if (!event.shiftKey || event.button !== 0) return;
    event.stopImmediatePropagation();
    event.preventDefault();
    const start = { x: event.clientX, window: window() };
    const onMove = (move: MouseEvent): void => {
      const byMs = ((start.x - move.clientX) / over.clientWidth) * spanOf(start.window);
      onWindow(shift(start.window, byMs));
    };
    const onUp = (): void => {
      document.removeEventListener('mousemove', onMove);
      document.removeEventListener('mouseup', onUp);
    };
    document.addEventListener('mousemove', onMove);
    document.addEventListener('mouseup', onUp);
  };
  over.addEventListener('mousedown', onDown, { capture: true });
  return () => over.removeEventListener('mousedown', onDown, { capture: true });
}

/** One finger moves the window, two make it longer or shorter; up and down still scroll the page. */
function touch(over: HTMLElement, { window, onWindow }: GestureTarget): () => void {
  let start: { readonly xs: readonly number[]; readonly window: TimeWindow } | null = null;
  const xsOf = (event: TouchEvent): number[] => {
    const { left } = over.getBoundingClientRect();
    return [...event.touches].slice(0, 2).map(({ clientX }) => clientX - left);
  };
  const onStart = (event: TouchEvent): void => {
    start = { xs: xsOf(event), window: window() };
  };
  const onMove = (event: TouchEvent): void => {
    const xs = xsOf(event);
    if (start === null || xs.length !== start.xs.length) {
      onStart(event);
      return;
    }
    const msPerPx = spanOf(start.window) / over.clientWidth;
    onWindow(
      xs.length === 1
        ? shift(start.window, (start.xs[0]! - xs[0]!) * msPerPx)
        : pinched(start.window, { from: start.xs, to: xs, widthPx: over.clientWidth }),
    );
  };
  over.addEventListener('touchstart', onStart, { passive: true });
  over.addEventListener('touchmove', onMove, { passive: true });
  return () => {
    over.removeEventListener('touchstart', onStart);
    over.removeEventListener('touchmove', onMove);
  };
}
