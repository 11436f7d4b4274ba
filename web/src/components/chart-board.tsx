import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { StreamInfo } from '../api/types.ts';
import type { ChartGroup } from '../chart/chart-groups.ts';
import { useLive } from '../live/use-live.ts';
import { useOverview } from '../live/use-overview.ts';
import { useSeries } from '../live/use-series.ts';
import { historyOf } from '../state/stream-history.ts';
import { useTimeView } from '../state/use-time-view.ts';
import { useTimeZone } from '../state/use-time-zone.ts';
import { initialView, windowOfView } from '../time/time-window.ts';
import { LiveBadge } from './live-badge.tsx';
import { Navigator } from './navigator.tsx';
import { StreamsChart } from './streams-chart.tsx';
import { useWidth } from './use-width.ts';
import { WindowBar } from './window-bar.tsx';

const PX_PER_POINT = 3;

export interface BoardChart {
  readonly key: string;
  readonly title: string;
  readonly group: ChartGroup;
  readonly actions?: JSX.Element;
}

/** Charts under each other with one window, one cursor and one navigator, all live. */
export function ChartBoard({ charts }: { readonly charts: readonly BoardChart[] }): JSX.Element {
  const zone = useTimeZone();
  const frame = useRef<HTMLDivElement>(null);
  const widthPx = useWidth(frame);
  const streams = uniqueStreams(charts);
  const history = historyOf(streams);
  const [seenMs, setSeenMs] = useState(0);
  const latestMs = history.latestMs === null ? null : Math.max(history.latestMs, seenMs);
  const time = useTimeView({ ...history, latestMs }, initialView(history));
  const series = useSeries(streams, {
    window: time.window,
    pointCount: Math.max(50, Math.round((widthPx || 900) / PX_PER_POINT)),
    isFollowing: time.isFollowing,
  });
  const overview = useOverview(streams[0] ?? null);
  const status = useLive(
    streams.map(({ id }) => id),
    {
      isPaused: time.isPaused,
      onEvent: (event) => {
        series.take(event);
        if (event.kind === 'appended') setSeenMs(event.rows.timestamps.at(-1) ?? 0);
      },
    },
  );
  return (
    <div ref={frame}>
      <WindowBar time={time} zone={zone}>
        <LiveBadge status={status} />
      </WindowBar>
      <div class="panel">
        <Navigator
          columns={overview.columns}
          letter={overview.letter}
          whole={windowOfView({ kind: 'all' }, time.history)}
          time={time}
          zone={zone}
        />
      </div>
      <div class="chart-grid">
        {charts.map(({ key, title, group, actions }) => (
          <StreamsChart
            key={key}
            title={title}
            group={group}
            series={series}
            time={time}
            zone={zone}
            actions={actions}
          />
        ))}
      </div>
    </div>
  );
}

function uniqueStreams(charts: readonly BoardChart[]): readonly StreamInfo[] {
  const byId = new Map<string, StreamInfo>();
  for (const { group } of charts) {
    for (const stream of [...group.lines, ...group.events]) byId.set(stream.id, stream);
  }
  return [...byId.values()];
}
