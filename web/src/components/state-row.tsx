import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { StreamInfo } from '../api/types.ts';
import { type ChartColumns, NO_COLUMNS } from '../chart/columns.ts';
import { stateSegments } from '../chart/state-segments.ts';
import { streamTitle } from '../format/stream-title.ts';
import { useStates } from '../live/use-states.ts';
import type { TimeViewState } from '../state/use-time-view.ts';
import { ProblemNote } from './problem-note.tsx';
import { StateTimeline } from './state-timeline.tsx';

/** The states of a stream below the lines of a chart, in the same window. */
export function StateRow({
  stream,
  followed,
  time,
  zone,
}: {
  readonly stream: StreamInfo;
  /** What is kept up of the stream: when it becomes another, there are other states. */
  readonly followed: ChartColumns;
  readonly time: TimeViewState;
  readonly zone: string;
}): JSX.Element {
  const { data, error, reload } = useStates(stream, time.window);
  useEffect(reload, [followed]);
  const title = streamTitle(stream);
  const segments = stateSegments(data ?? NO_COLUMNS, {
    window: time.window,
    untilMs: time.history.nowMs,
  });
  return (
    <div class="state-row">
      <h3>
        <a href={`/streams/${stream.id}`}>{title}</a>
      </h3>
      {error !== null && <ProblemNote doing="Reading the states" error={error} onRetry={reload} />}
      <StateTimeline label={title} segments={segments} time={time} zone={zone} />
    </div>
  );
}
