import type { JSX } from 'preact';
import type { StreamInfo } from '../../api/types.ts';
import { NO_COLUMNS } from '../../chart/columns.ts';
import { stateSegments } from '../../chart/state-segments.ts';
import { CoverageStrip } from '../../components/coverage-strip.tsx';
import { ExportMenu } from '../../components/export-menu.tsx';
import { LiveBadge } from '../../components/live-badge.tsx';
import { Navigator } from '../../components/navigator.tsx';
import { ProblemNote } from '../../components/problem-note.tsx';
import { StateTimeline } from '../../components/state-timeline.tsx';
import { WindowBar } from '../../components/window-bar.tsx';
import { streamTitle } from '../../format/stream-title.ts';
import { concernsStreamItself } from '../../live/live-event.ts';
import { useCoverage } from '../../live/use-coverage.ts';
import { useLive } from '../../live/use-live.ts';
import { useRecent } from '../../live/use-recent.ts';
import { RAW_COUNT_MAX, useStates } from '../../live/use-states.ts';
import { historyOf } from '../../state/stream-history.ts';
import { useFirst } from '../../state/use-first.ts';
import { useHeld } from '../../state/use-held.ts';
import { useTimeView } from '../../state/use-time-view.ts';
import { useTimeZone } from '../../state/use-time-zone.ts';
import { initialView, windowOfView } from '../../time/time-window.ts';
import { StreamHead } from './stream-head.tsx';

/** A stream of states: what it was when. */
export function NominalStream({
  stream,
  reload,
}: {
  readonly stream: StreamInfo;
  readonly reload: () => void;
}): JSX.Element {
  const zone = useTimeZone();
  const history = historyOf([stream]);
  const recent = useRecent(stream);
  const { timestamps } = recent.rows;
  // Of a stream that was empty, the history begins while the page is open.
  const firstSeenMs = useFirst(timestamps[0] ?? null);
  const earliestMs = history.earliestMs ?? firstSeenMs;
  const latestMs = timestamps.at(-1) ?? history.latestMs;
  const time = useTimeView({ earliestMs, latestMs }, initialView(history));
  const shownRows = useHeld(recent.rows, time.isPaused);
  const states = useStates(stream, time.window);
  const columns = states.data ?? NO_COLUMNS;
  const live = useLive([stream.id], {
    isPaused: time.isPaused,
    onEvent: (event) => {
      states.reload();
      recent.take(event);
      if (concernsStreamItself(event)) reload();
    },
  });
  const segments = stateSegments(columns, { window: time.window, untilMs: time.history.nowMs });
  const title = streamTitle(stream);
  const coverage = useCoverage(stream);
  const whole = windowOfView({ kind: 'all' }, time.history);
  return (
    <article>
      <StreamHead stream={stream} recent={shownRows}>
        <LiveBadge live={live} />
        <ExportMenu title={title} parts={[{ stream, columns }]} window={time.window} zone={zone} />
      </StreamHead>
      <WindowBar time={time} zone={zone} />
      {states.error !== null && (
        <ProblemNote doing="Reading the states" error={states.error} onRetry={states.reload} />
      )}
      {columns.isRaw && columns.timestamps.length >= RAW_COUNT_MAX && (
        <p class="muted">
          These are the newest {RAW_COUNT_MAX} states of a window that has more. A shorter window
          shows all of its own; with the downsampler <code>most_often</code> levels show longer
          ones.
        </p>
      )}
      <section class="panel" aria-label="Timeline">
        <StateTimeline label={title} segments={segments} time={time} zone={zone} />
        <Navigator columns={NO_COLUMNS} letter="m" whole={whole} time={time} zone={zone} />
        <CoverageStrip
          columns={coverage.columns}
          areCounted={coverage.areCounted}
          whole={whole}
          time={time}
          zone={zone}
        />
      </section>
    </article>
  );
}
