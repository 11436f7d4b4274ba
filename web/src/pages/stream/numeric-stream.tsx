import type { JSX } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import { readColumns } from '../../api/data.ts';
import type { StreamInfo } from '../../api/types.ts';
import { chartColumns, NO_COLUMNS } from '../../chart/columns.ts';
import { drawnLevels } from '../../chart/drawn-levels.ts';
import type { PlotLine } from '../../chart/plot-model.ts';
import { ExportMenu } from '../../components/export-menu.tsx';
import { LiveBadge } from '../../components/live-badge.tsx';
import { Navigator } from '../../components/navigator.tsx';
import { ProblemNote } from '../../components/problem-note.tsx';
import { TimeChart } from '../../components/time-chart.tsx';
import { useWidth } from '../../components/use-width.ts';
import { WindowBar } from '../../components/window-bar.tsx';
import { streamTitle, streamUnit } from '../../format/stream-title.ts';
import { useLive } from '../../live/use-live.ts';
import { useSeries } from '../../live/use-series.ts';
import { useRequest } from '../../state/use-request.ts';
import { useTimeView } from '../../state/use-time-view.ts';
import { useTimeZone } from '../../state/use-time-zone.ts';
import { windowOfView } from '../../time/time-window.ts';
import { DAY_MS } from '../../time/units.ts';
import { StreamHead } from './stream-head.tsx';

const CHART_PX = 340;
const NAVIGATOR_POINT_COUNT = 500;
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
  const { letter, valueDownsamplers } = drawnLevels(stream);
  const [latestMs, setLatestMs] = useState(dateMs(stream.latestDatapoint));
  const earliestMs = dateMs(stream.earliestDatapoint);
  const time = useTimeView({ earliestMs, latestMs }, { kind: 'latest', spanMs: DAY_MS });
  const series = useSeries([stream], {
    window: time.window,
    pointCount: Math.max(50, Math.round((widthPx || 800) / PX_PER_POINT)),
    isFollowing: time.isFollowing,
  });
  const status = useLive([stream.id], {
    isPaused: time.isPaused,
    onEvent: (event) => {
      series.take(event);
      if (event.kind === 'appended') setLatestMs(event.rows.timestamps.at(-1) ?? latestMs);
      else if (event.kind === 'reset' || event.kind === 'tags') reload();
    },
  });
  const { columns, isLoading, error } = series.of(stream.id);
  const overview = useRequest(
    async (signal) => {
      if (earliestMs === null || latestMs === null) return NO_COLUMNS;
      const names = valueDownsamplers[0];
      const answer = await readColumns(
        stream.id,
        {
          start: new Date(earliestMs).toISOString(),
          maxPoints: NAVIGATOR_POINT_COUNT,
          ...(names !== undefined && { valueDownsamplers: names }),
        },
        signal,
      );
      return chartColumns(answer);
    },
    [stream.id, stream.latestDatapoint],
  );
  const lines = useMemo<readonly PlotLine[]>(
    () => [
      { id: stream.id, label: title, unit, axis: unit, color: 0, kind: 'line', letter, columns },
    ],
    [columns, title, unit],
  );
  return (
    <article ref={frame}>
      <StreamHead stream={stream} latestMs={latestMs} columns={columns}>
        <LiveBadge status={status} />
        <ExportMenu
          streamId={stream.id}
          title={title}
          columns={columns}
          window={time.window}
          zone={zone}
        />
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
          isLoading={isLoading}
        />
        <Navigator
          columns={overview.data ?? NO_COLUMNS}
          letter={letter}
          whole={windowOfView({ kind: 'all' }, time.history)}
          time={time}
          zone={zone}
        />
      </section>
    </article>
  );
}

function dateMs(iso: string | null): number | null {
  return iso === null ? null : Date.parse(iso);
}
