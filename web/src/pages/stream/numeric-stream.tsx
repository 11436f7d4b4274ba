import type { JSX } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import type { StreamInfo } from '../../api/types.ts';
import { drawnLevels } from '../../chart/drawn-levels.ts';
import type { PlotLine } from '../../chart/plot-model.ts';
import { CoverageStrip } from '../../components/coverage-strip.tsx';
import { ExportMenu } from '../../components/export-menu.tsx';
import { LiveBadge } from '../../components/live-badge.tsx';
import { Navigator } from '../../components/navigator.tsx';
import { NewestRows } from '../../components/newest-rows.tsx';
import { ProblemNote } from '../../components/problem-note.tsx';
import { TimeChart } from '../../components/time-chart.tsx';
import { useWidth } from '../../components/use-width.ts';
import { WindowBar } from '../../components/window-bar.tsx';
import { streamTitle, streamUnit } from '../../format/stream-title.ts';
import { concernsStreamItself } from '../../live/live-event.ts';
import { useCoverage } from '../../live/use-coverage.ts';
import { useLive } from '../../live/use-live.ts';
import { useOverview } from '../../live/use-overview.ts';
import { useRecent } from '../../live/use-recent.ts';
import { useSeries } from '../../live/use-series.ts';
import { historyOf } from '../../state/stream-history.ts';
import { useFirst } from '../../state/use-first.ts';
import { useHeld } from '../../state/use-held.ts';
import { useTimeView } from '../../state/use-time-view.ts';
import { useTimeZone } from '../../state/use-time-zone.ts';
import { initialView, windowOfView } from '../../time/time-window.ts';
import { StreamHead } from './stream-head.tsx';

const CHART_PX = 340;
/** A point for each of so many pixels: finer than that, lines are only noise. */
const PX_PER_POINT = 2;

/** The chart of a stream of numbers, with everything around it. */
export function NumericStream({
  stream,
  reload,
}: {
  readonly stream: StreamInfo;
  readonly reload: () => void;
}): JSX.Element {
  const zone = useTimeZone();
  const frame = useRef<HTMLElement>(null);
  const widthPx = useWidth(frame);
  const title = streamTitle(stream);
  const unit = streamUnit(stream);
  const { letter, kind } = drawnLevels(stream);
  const history = historyOf([stream]);
  const recent = useRecent(stream);
  const { timestamps } = recent.rows;
  // Of a stream that was empty, the history begins while the page is open.
  const firstSeenMs = useFirst(timestamps[0] ?? null);
  const earliestMs = history.earliestMs ?? firstSeenMs;
  const latestMs = timestamps.at(-1) ?? history.latestMs;
  const time = useTimeView({ earliestMs, latestMs }, initialView(history));
  const shownRows = useHeld(recent.rows, time.isPaused);
  const series = useSeries([stream], {
    window: time.window,
    pointCount: Math.max(50, Math.round((widthPx || 800) / PX_PER_POINT)),
    isFollowing: time.isFollowing,
  });
  const live = useLive([stream.id], {
    isPaused: time.isPaused,
    onEvent: (event) => {
      series.take(event);
      recent.take(event);
      if (concernsStreamItself(event)) reload();
    },
  });
  const { columns, isLoading, error } = series.of(stream.id);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const overview = useOverview(stream);
  const lines = useMemo<readonly PlotLine[]>(
    () => [
      {
        id: stream.id,
        label: title,
        unit,
        axis: unit || 'y',
        color: 0,
        // Alone, a stream has nothing to be on top of.
        kind: kind === 'stack' ? 'line' : kind,
        letter,
        columns,
      },
    ],
    [columns, title, unit],
  );
  const coverage = useCoverage(stream);
  const whole = windowOfView({ kind: 'all' }, time.history);
  return (
    <article ref={frame}>
      <StreamHead stream={stream} recent={shownRows}>
        <LiveBadge live={live} />
        <ExportMenu title={title} parts={[{ stream, columns }]} window={time.window} zone={zone} />
      </StreamHead>
      <WindowBar time={time} zone={zone} />
      {error !== null && (
        <ProblemNote doing="Reading the datapoints" error={error} onRetry={series.reload} />
      )}
      <section class="panel" aria-label="Chart">
        <TimeChart
          label={title}
          lines={lines}
          time={time}
          zone={zone}
          heightPx={CHART_PX}
          hidden={hidden}
          onHidden={setHidden}
          isLoading={isLoading}
        />
        <Navigator
          columns={overview.columns}
          letter={overview.letter}
          whole={whole}
          time={time}
          zone={zone}
        />
        <CoverageStrip
          columns={coverage.columns}
          areCounted={coverage.areCounted}
          whole={whole}
          time={time}
          zone={zone}
        />
        <NewestRows
          columns={columns}
          letter={letter}
          unit={unit}
          zone={zone}
          endMs={time.window.endMs}
        />
      </section>
    </article>
  );
}
