import type { ComponentChildren, JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { StreamInfo } from '../api/types.ts';
import type { ChartGroup } from '../chart/chart-groups.ts';
import { drawnLevels } from '../chart/drawn-levels.ts';
import { plotEvents } from '../chart/plot-events.ts';
import type { PlotLine } from '../chart/plot-model.ts';
import { axisTitle, visualizationOf } from '../chart/visualization.ts';
import { streamTitle, streamUnit } from '../format/stream-title.ts';
import type { Series } from '../live/use-series.ts';
import type { TimeViewState } from '../state/use-time-view.ts';
import { ExportMenu } from './export-menu.tsx';
import { ProblemNote } from './problem-note.tsx';
import { StateRow } from './state-row.tsx';
import { TimeChart } from './time-chart.tsx';

const CHART_PX = 230;

/** One chart of several streams, which all go with the window of the page. */
export function StreamsChart({
  group,
  title,
  series,
  time,
  zone,
  actions,
  note,
  hidden,
  onHidden,
}: {
  readonly group: ChartGroup;
  readonly title: string;
  readonly series: Series;
  readonly time: TimeViewState;
  readonly zone: string;
  /** What stands at the right of the title. */
  readonly actions?: ComponentChildren;
  /** What is to be said about the streams. */
  readonly note?: string | undefined;
  /** Ids of streams that are not drawn. */
  readonly hidden: ReadonlySet<string>;
  readonly onHidden: (hidden: ReadonlySet<string>) => void;
}): JSX.Element {
  const { lines: streams, events: happenings } = group;
  const all = [...streams, ...happenings];
  const states = all.map(({ id }) => series.of(id));
  const columns = states.map((state) => state.columns);
  const ofStates = streams.filter(({ valueType }) => valueType === 'nominal');
  const ofGraphs = streams.filter(({ valueType }) => valueType === 'graph');
  const lines = useMemo<readonly PlotLine[]>(
    () =>
      streams.flatMap((stream, index) =>
        stream.valueType === 'numeric' ? [lineOf(stream, index, columns[index]!)] : [],
      ),
    [group, ...columns],
  );
  const hasPlot = lines.length > 0 || happenings.length > 0;
  const events = useMemo(
    () =>
      happenings
        .flatMap((stream, index) => {
          const at = streams.length + index;
          return plotEvents(stream, columns[at]!, at);
        })
        .sort((a, b) => a.timeMs - b.timeMs),
    [group, ...columns],
  );
  // Rows of states read for themselves what they draw.
  const error =
    states.find((state, index) => state.error !== null && all[index]!.valueType === 'numeric')
      ?.error ?? null;
  const ofNumbers = streams.filter(({ valueType }) => valueType === 'numeric');
  const axes = [...new Set(ofNumbers.map(axisTitle))].filter((text) => text !== '');
  return (
    <section class="panel" aria-label={title}>
      <div class="panel-head">
        <h2 class="chart-title">{title}</h2>
        <span class="axis-note">{axes.join(' · ')}</span>
        <span class="spacer" />
        {actions}
        {all.length > 0 && (
          <ExportMenu
            title={title}
            parts={all.map((stream, index) => ({ stream, columns: columns[index]! }))}
            window={time.window}
            zone={zone}
          />
        )}
      </div>
      {note !== undefined && <p class="muted">{note}</p>}
      {error !== null && (
        <ProblemNote doing="Reading the datapoints" error={error} onRetry={series.reload} />
      )}
      {hasPlot && (
        <TimeChart
          label={title}
          lines={lines}
          events={events}
          time={time}
          zone={zone}
          heightPx={CHART_PX}
          hidden={hidden}
          onHidden={onHidden}
          isLoading={states.some(({ isLoading }) => isLoading)}
        />
      )}
      {ofStates.map((stream) => (
        <StateRow
          key={stream.id}
          stream={stream}
          followed={series.of(stream.id).columns}
          time={time}
          zone={zone}
        />
      ))}
      {ofGraphs.map((stream) => (
        <p key={stream.id} class="muted">
          <a href={`/streams/${stream.id}`}>{streamTitle(stream)}</a> has graphs, which are drawn on
          its own page.
        </p>
      ))}
    </section>
  );
}

/** Title of a chart: that of its stream, or what all of them are measured in, or their names. */
export function chartTitle({ lines, events }: ChartGroup): string {
  const titles = [...lines, ...events].map(streamTitle);
  if (titles.length <= 3) return titles.join(', ');
  return `${titles.slice(0, 2).join(', ')} and ${titles.length - 2} more`;
}

function lineOf(stream: StreamInfo, index: number, columns: PlotLine['columns']): PlotLine {
  const { letter, kind } = drawnLevels(stream);
  const visualization = visualizationOf(stream);
  const unit = streamUnit(stream);
  return {
    id: stream.id,
    label: streamTitle(stream),
    unit,
    axis: axisTitle(stream) || 'y',
    color: index,
    kind,
    letter,
    columns,
    minimum: visualization?.minimum ?? undefined,
    maximum: visualization?.maximum ?? undefined,
  };
}
