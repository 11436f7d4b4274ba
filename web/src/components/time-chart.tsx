import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { viewOfKey } from '../chart/chart-keys.ts';
import { lastRowUntil, nearestRow } from '../chart/join-columns.ts';
import { readPalette } from '../chart/palette.ts';
import type { PlotEvent } from '../chart/plot-events.ts';
import { listenToGestures } from '../chart/plot-gestures.ts';
import { type PlotLine, plotModel } from '../chart/plot-model.ts';
import { PlotView } from '../chart/plot-view.ts';
import { shownTheme } from '../state/theme.ts';
import { useObservable } from '../state/use-observable.ts';
import type { TimeViewState } from '../state/use-time-view.ts';
import { instantText, windowText } from '../time/time-text.ts';
import { windowBetween } from '../time/time-window.ts';
import { ChartLegend, type LegendValue } from './chart-legend.tsx';
import { useWidth } from './use-width.ts';

/** Charts of a page share the cursor. */
const SYNC_KEY = 'page';
const NO_EVENTS: readonly PlotEvent[] = [];

/** Lines over time: zoom by dragging, wheel, fingers or keys, and a legend that hides and tells values. */
export function TimeChart({
  label,
  lines,
  time,
  zone,
  heightPx,
  isLoading,
  hidden,
  onHidden,
  events = NO_EVENTS,
  children,
}: {
  readonly label: string;
  readonly lines: readonly PlotLine[];
  readonly time: TimeViewState;
  readonly zone: string;
  readonly heightPx: number;
  readonly isLoading: boolean;
  /** Ids of lines that are not drawn. */
  readonly hidden: ReadonlySet<string>;
  readonly onHidden: (hidden: ReadonlySet<string>) => void;
  readonly events?: readonly PlotEvent[];
  /** What lies over the plot. */
  readonly children?: ComponentChildren;
}): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<PlotView | null>(null);
  const [row, setRow] = useState<number | null>(null);
  const widthPx = useWidth(frame);
  const theme = useObservable(shownTheme);
  const palette = useMemo(readPalette, [theme]);
  const model = useMemo(() => plotModel(lines, hidden), [lines, hidden]);
  const latest = useRef({ time, zone, events });
  latest.current = { time, zone, events };

  useEffect(() => {
    view.current = new PlotView(host.current!);
    return () => view.current?.destroy();
  }, []);
  const { startMs, endMs } = time.window;
  useEffect(() => {
    if (widthPx === 0) return;
    view.current?.show(model, {
      look: {
        palette,
        zone: () => latest.current.zone,
        events: () => latest.current.events,
        syncKey: SYNC_KEY,
        onRow: setRow,
        onSelect: (fromMs, toMs) =>
          latest.current.time.setView({ kind: 'fixed', window: windowBetween(fromMs, toMs) }),
      },
      window: { startMs, endMs },
      widthPx,
      heightPx,
    });
  }, [model, palette, zone, events, widthPx, heightPx, startMs, endMs]);
  useEffect(() => {
    const over = view.current?.over;
    if (over === null || over === undefined) return;
    return listenToGestures(over, {
      window: () => latest.current.time.window,
      instantAt: (leftPx) => view.current?.instantAt(leftPx) ?? 0,
      onWindow: (window) => latest.current.time.setView({ kind: 'fixed', window }),
      hasFocus: () => frame.current?.contains(document.activeElement) ?? false,
    });
  }, [model.series.length, palette, widthPx > 0]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    const next = viewOfKey(event.key, time);
    if (next !== null) time.setView(next);
    else if (event.key === '0' || event.key === 'Escape') time.goBack?.();
    else if (event.key === ' ') time.togglePause();
    else return;
    event.preventDefault();
  };
  const rowCount = model.joined.times.length;
  const isHovering = row !== null && row < rowCount;
  // What is loaded beyond the window is not shown.
  const lastRow = lastRowUntil(model.joined.times, endMs);
  const areHidden = lines.length > 0 && lines.every(({ id }) => hidden.has(id));
  const hasRows = lastRow !== -1 && model.joined.times[lastRow]! >= startMs;
  const isEmpty = !hasRows && !events.some(({ timeMs }) => timeMs >= startMs && timeMs <= endMs);
  const shownRow = isHovering ? row : lastRow;
  const values = new Map<string, LegendValue>();
  for (const [column, { lineId, role }] of model.series.entries()) {
    const at = nearestRow(model.own, { column, row: shownRow });
    const value = at === null ? null : (model.own.columns[column]![at] ?? null);
    values.set(lineId, { ...values.get(lineId), [role]: value });
  }
  const shownMs = model.joined.times[shownRow];
  return (
    <div class="chart">
      <div
        ref={frame}
        class={`plot${isLoading ? ' loading' : ''}`}
        role="application"
        aria-roledescription="chart"
        aria-label={`${label}, ${windowText(time.window, zone)}. Arrow keys move and zoom.`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the chart takes keys, as its description says.
        tabIndex={0}
        onKeyDown={onKeyDown}
        onDblClick={() => time.goBack?.()}
        onMouseLeave={() => setRow(null)}
      >
        <div ref={host} style={{ height: `${heightPx}px` }} />
        {isEmpty && !isLoading && children === undefined && (
          <p class="plot-note">
            {areHidden
              ? 'All lines are hidden: the legend shows them'
              : 'No datapoints in this window'}
          </p>
        )}
        {children}
      </div>
      <ChartLegend
        lines={lines}
        hidden={hidden}
        values={values}
        palette={palette}
        when={shownMs === undefined ? '' : instantText(shownMs, zone)}
        isHovering={isHovering}
        onToggle={(id) => onHidden(toggled(hidden, id))}
        onFocus={(id) => view.current?.focus(id, model)}
      />
    </div>
  );
}

function toggled(set: ReadonlySet<string>, item: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(item)) next.add(item);
  return next;
}
