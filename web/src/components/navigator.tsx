import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { ChartColumns } from '../chart/columns.ts';
import { numbersOf, withGaps } from '../chart/columns.ts';
import { movedWindow, type NavigatorPart, windowShares } from '../chart/navigator.ts';
import { sparklinePath, sparklineRuns } from '../chart/sparkline.ts';
import type { TimeViewState } from '../state/use-time-view.ts';
import { instantText } from '../time/time-text.ts';
import { spanOf, type TimeWindow } from '../time/time-window.ts';
import { granularityMs } from '../time/units.ts';

const BOX = { width: 1000, height: 44, margin: 2 };
const KEY_PART = 0.05;

/** The whole history in a strip, with the window on it to move and to make longer or shorter. */
export function Navigator({
  columns,
  letter,
  whole,
  time,
  zone,
}: {
  readonly columns: ChartColumns;
  readonly letter: string;
  readonly whole: TimeWindow;
  readonly time: TimeViewState;
  readonly zone: string;
}): JSX.Element {
  const strip = useRef<HTMLDivElement>(null);
  const { start, end } = windowShares(time.window, whole);
  const values = numbersOf(columns.letters[columns.isRaw ? 'm' : letter]);
  const line = withGaps(columns.timestamps, [values], granularityMs(columns.granularity));
  const shares = line.times.map((timestampMs) => (timestampMs - whole.startMs) / spanOf(whole));
  const path = sparklinePath(sparklineRuns(shares, line.columns[0]!, BOX));
  const set = (window: TimeWindow): void => time.setView({ kind: 'fixed', window });

  const grab = (part: NavigatorPart) => (event: PointerEvent) => {
    if (event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    const target = event.currentTarget as HTMLElement;
    target.focus();
    target.setPointerCapture(event.pointerId);
    const before = { x: event.clientX, window: time.window };
    const msPerPx = spanOf(whole) / (strip.current?.clientWidth || 1);
    const onMove = (move: PointerEvent): void => {
      set(movedWindow(before.window, part, (move.clientX - before.x) * msPerPx));
    };
    const onUp = (): void => {
      target.removeEventListener('pointermove', onMove);
      target.removeEventListener('pointerup', onUp);
      target.removeEventListener('pointercancel', onUp);
    };
    target.addEventListener('pointermove', onMove);
    target.addEventListener('pointerup', onUp);
    target.addEventListener('pointercancel', onUp);
  };
  const jump = (event: PointerEvent): void => {
    const { left, width } = strip.current!.getBoundingClientRect();
    const middleMs = whole.startMs + ((event.clientX - left) / width) * spanOf(whole);
    const halfMs = spanOf(time.window) / 2;
    set({ startMs: middleMs - halfMs, endMs: middleMs + halfMs });
  };
  const handle = (part: 'start' | 'end'): JSX.Element => {
    const instantMs = part === 'start' ? time.window.startMs : time.window.endMs;
    return (
      <div
        class={`handle ${part}`}
        role="slider"
        tabIndex={0}
        aria-label={part === 'start' ? 'Begin of the window' : 'End of the window'}
        aria-valuemin={Math.round(whole.startMs)}
        aria-valuemax={Math.round(whole.endMs)}
        aria-valuenow={Math.round(instantMs)}
        aria-valuetext={instantText(Math.round(instantMs / 1000) * 1000, zone)}
        style={{ left: `${(part === 'start' ? start : end) * 100}%` }}
        onPointerDown={grab(part)}
        onKeyDown={(event) => {
          const sign = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
          if (sign === 0) return;
          event.preventDefault();
          set(movedWindow(time.window, part, sign * KEY_PART * spanOf(time.window)));
        }}
      />
    );
  };
  return (
    <div ref={strip} class="navigator" onPointerDown={jump}>
      <svg viewBox={`0 0 ${BOX.width} ${BOX.height}`} preserveAspectRatio="none" aria-hidden="true">
        <path d={path} transform={placement(shares)} />
      </svg>
      <div
        class="selection"
        style={{ left: `${start * 100}%`, width: `${Math.max(0, end - start) * 100}%` }}
        onPointerDown={grab('body')}
      />
      {handle('start')}
      {handle('end')}
    </div>
  );
}

/** The path fills its box; the data may fill only a part of the strip. */
function placement(shares: readonly number[]): string {
  const first = shares[0] ?? 0;
  const last = shares.at(-1) ?? 1;
  return `translate(${first * BOX.width} 0) scale(${Math.max(last - first, 1e-4)} 1)`;
}
