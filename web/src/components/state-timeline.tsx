import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { viewOfKey } from '../chart/chart-keys.ts';
import { readPalette, seriesColor } from '../chart/palette.ts';
import { listenToGestures } from '../chart/plot-gestures.ts';
import { type StateSegment, stateShares } from '../chart/state-segments.ts';
import { shownTheme } from '../state/theme.ts';
import { useObservable } from '../state/use-observable.ts';
import type { TimeViewState } from '../state/use-time-view.ts';
import { timeTicks } from '../time/ticks.ts';
import { durationText, instantText, windowText } from '../time/time-text.ts';
import { spanOf } from '../time/time-window.ts';
import { useWidth } from './use-width.ts';

const BAR_PX = 56;
const TICK_PX = 100;
/** A label is written into what is at least so much longer than it. */
const LABEL_PX = 18;
const LETTER_PX = 7;

/** States over time as coloured stretches, and how long each lasted. */
export function StateTimeline({
  label,
  segments,
  time,
  zone,
}: {
  readonly label: string;
  readonly segments: readonly StateSegment[];
  readonly time: TimeViewState;
  readonly zone: string;
}): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const widthPx = useWidth(frame);
  const theme = useObservable(shownTheme);
  const palette = useMemo(readPalette, [theme]);
  const latest = useRef(time);
  latest.current = time;
  const { window } = time;
  const placeOf = (ms: number): number => ((ms - window.startMs) / spanOf(window)) * widthPx;
  const shares = stateShares(segments);
  const states = [...new Set(segments.map(({ state }) => state))].sort();
  const colorOf = (state: string): string => seriesColor(palette, states.indexOf(state));
  const ticks = timeTicks(window, { zone, countMax: Math.max(2, Math.floor(widthPx / TICK_PX)) });

  useEffect(() => {
    const element = frame.current;
    if (element === null) return;
    return listenToGestures(element, {
      window: () => latest.current.window,
      instantAt: (leftPx) =>
        latest.current.window.startMs +
        (leftPx / element.clientWidth) * spanOf(latest.current.window),
      onWindow: (next) => latest.current.setView({ kind: 'fixed', window: next }),
      hasFocus: () => element.contains(document.activeElement),
    });
  }, []);
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = viewOfKey(event.key, time);
    if (next !== null) time.setView(next);
    else if (event.key === '0' || event.key === 'Escape') time.goBack?.();
    else if (event.key === ' ') time.togglePause();
    else return;
    event.preventDefault();
  };
  return (
    <div class="timeline">
      <div
        ref={frame}
        role="application"
        aria-roledescription="timeline"
        aria-label={`${label}, ${windowText(window, zone)}. Arrow keys move and zoom.`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the timeline takes keys, as its description says.
        tabIndex={0}
        onKeyDown={onKeyDown}
        onDblClick={() => time.goBack?.()}
      >
        <svg class="drawing" height={BAR_PX + 34} aria-hidden="true">
          {ticks.map(({ instantMs, label: text, context }) => (
            <g key={instantMs} transform={`translate(${placeOf(instantMs)} 0)`}>
              <line class="tick" y1={0} y2={BAR_PX + 6} />
              <text y={BAR_PX + 18} text-anchor={anchorAt(placeOf(instantMs), widthPx)}>
                {text}
              </text>
              <text y={BAR_PX + 32} text-anchor={anchorAt(placeOf(instantMs), widthPx)}>
                {context}
              </text>
            </g>
          ))}
          {segments.map(({ startMs, endMs, state }) => {
            const width = placeOf(endMs) - placeOf(startMs);
            const hasRoom = width > state.length * LETTER_PX + LABEL_PX;
            return (
              <g key={startMs}>
                <title>
                  {`${state}: ${instantText(startMs, zone)}, ${durationText(endMs - startMs)}`}
                </title>
                <rect
                  x={placeOf(startMs)}
                  y={4}
                  width={Math.max(1, width)}
                  height={BAR_PX - 4}
                  fill={colorOf(state)}
                />
                {hasRoom && (
                  <text class="state-label" x={placeOf(startMs) + 8} y={BAR_PX / 2 + 6}>
                    {state}
                  </text>
                )}
              </g>
            );
          })}
        </svg>
      </div>
      <div class="legend">
        <ul aria-label="States, the longest first">
          {shares.map(({ state, durationMs, share }) => (
            <li key={state} class="state-share">
              <span class="swatch" style={{ background: colorOf(state) }} />
              {state}
              <strong>{`${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`}</strong>
              <span class="muted">{durationText(durationMs)}</span>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

/** Texts near an edge stay within it. */
function anchorAt(leftPx: number, widthPx: number): 'start' | 'middle' | 'end' {
  if (leftPx < TICK_PX / 2) return 'start';
  return leftPx > widthPx - TICK_PX / 2 ? 'end' : 'middle';
}
