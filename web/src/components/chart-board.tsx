import type { JSX } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { StreamInfo } from '../api/types.ts';
import type { ChartGroup } from '../chart/chart-groups.ts';
import { useLive } from '../live/use-live.ts';
import { useOverview } from '../live/use-overview.ts';
import { useSeries } from '../live/use-series.ts';
import { historyOf } from '../state/stream-history.ts';
import { useTimeView } from '../state/use-time-view.ts';
import { useTimeZone } from '../state/use-time-zone.ts';
import { initialView, windowOfView } from '../time/time-window.ts';
import { ChartSlot } from './chart-slot.tsx';
import { LiveBadge } from './live-badge.tsx';
import { Navigator } from './navigator.tsx';
import { useWidth } from './use-width.ts';
import { WindowBar } from './window-bar.tsx';

const PX_PER_POINT = 3;

export interface BoardChart {
  readonly key: string;
  readonly title: string;
  readonly group: ChartGroup;
  readonly actions?: JSX.Element;
  /** What is to be said about its streams. */
  readonly note?: string;
}

/**
 * Charts under each other with one window, one cursor and one navigator. Those in sight are read, drawn and kept
 * live, however many there are.
 */
export function ChartBoard({ charts }: { readonly charts: readonly BoardChart[] }): JSX.Element {
  const zone = useTimeZone();
  const frame = useRef<HTMLDivElement>(null);
  const widthPx = useWidth(frame);
  const streams = uniqueStreams(charts);
  const history = historyOf(streams);
  const [inSight, setInSight] = useState<ReadonlySet<string>>(new Set());
  const seen = uniqueStreams(charts.filter(({ key }) => inSight.has(key)));
  const onSight = useCallback((key: string, isInSight: boolean): void => {
    setInSight((before) => {
      if (before.has(key) === isInSight) return before;
      const next = new Set(before);
      if (!next.delete(key)) next.add(key);
      return next;
    });
  }, []);
  const [seenMs, setSeenMs] = useState(0);
  const latestMs = history.latestMs === null ? null : Math.max(history.latestMs, seenMs);
  const time = useTimeView({ ...history, latestMs }, initialView(history));
  const series = useSeries(seen, {
    window: time.window,
    pointCount: Math.max(50, Math.round((widthPx || 900) / PX_PER_POINT)),
    isFollowing: time.isFollowing,
  });
  const see = (timestampMs: number): void => setSeenMs((before) => Math.max(before, timestampMs));
  // Streams that are not followed are read only.
  const readMs = seen.reduce(
    (latest, { id }) => Math.max(latest, series.of(id).columns.timestamps.at(-1) ?? 0),
    0,
  );
  useEffect(() => see(readMs), [readMs]);
  const overview = useOverview(longestOf(streams));
  const live = useLive(
    seen.map(({ id }) => id),
    {
      isPaused: time.isPaused,
      onEvent: (event) => {
        series.take(event);
        if (event.kind === 'appended') see(event.rows.timestamps.at(-1) ?? 0);
      },
    },
  );
  return (
    <div ref={frame}>
      <WindowBar time={time} zone={zone}>
        <LiveBadge live={live} />
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
        {charts.map((chart) => (
          <ChartSlot
            key={chart.key}
            chart={chart}
            series={series}
            time={time}
            zone={zone}
            onSight={onSight}
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

/** The stream of numbers with the longest history: its line is worth most below the window. */
function longestOf(streams: readonly StreamInfo[]): StreamInfo | null {
  const lengthMs = (stream: StreamInfo): number => {
    const { earliestMs, latestMs } = historyOf([stream]);
    const isNumbers = stream.valueType === 'numeric' && earliestMs !== null && latestMs !== null;
    return isNumbers ? latestMs - earliestMs : -1;
  };
  let longest: StreamInfo | null = null;
  for (const stream of streams) {
    if (longest === null || lengthMs(stream) > lengthMs(longest)) longest = stream;
  }
  return longest;
}
