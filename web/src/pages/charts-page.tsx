import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { readAllStreams } from '../api/streams.ts';
import type { StreamInfo } from '../api/types.ts';
import { type ChartGroup, chartGroups } from '../chart/chart-groups.ts';
import { visualizationOf } from '../chart/visualization.ts';
import { ChartBoard } from '../components/chart-board.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { ProblemNote } from '../components/problem-note.tsx';
import { SearchField } from '../components/search-field.tsx';
import { chartTitle } from '../components/streams-chart.tsx';
import { searchQuery } from '../format/search-query.ts';
import { place } from '../router/location.ts';
import { useObservable } from '../state/use-observable.ts';
import { useRequest } from '../state/use-request.ts';
import { usePageTitle } from './use-page-title.ts';

const STREAM_COUNT_MAX = 2000;
/** Charts on the page before somebody asks for more. */
const CHART_COUNT = 12;

/** Charts that build themselves from the tags of streams. */
export function ChartsPage(): JSX.Element {
  usePageTitle('Charts');
  const search = useObservable(place).query['q'] ?? '';
  const [shownCount, setShownCount] = useState(CHART_COUNT);
  const { data, error, reload } = useRequest(
    (signal) => readAllStreams(searchQuery(search), { signal, countMax: STREAM_COUNT_MAX }),
    [search],
  );
  const groups = useMemo(() => (data === null ? [] : groupsOf(data)), [data]);
  const charts = useMemo(
    () =>
      groups.slice(0, shownCount).map((group) => ({
        key: group.id,
        title: chartTitle(group),
        group,
        ...(group.lines.length === 1 && {
          actions: <a href={`/streams/${group.lines[0]!.id}`}>Open</a>,
        }),
      })),
    [groups, shownCount],
  );
  return (
    <>
      <div class="page-head">
        <h1>Charts</h1>
        <SearchField />
        <span class="count">{data !== null && `${groups.length} charts`}</span>
      </div>
      {error !== null && <ProblemNote doing="Reading the streams" error={error} onRetry={reload} />}
      {data === null && error === null && <p class="muted">Loading …</p>}
      {data !== null && groups.length === 0 && <NoCharts isSearch={search !== ''} />}
      {charts.length > 0 && <ChartBoard charts={charts} />}
      {groups.length > shownCount && (
        <button type="button" onClick={() => setShownCount(shownCount + CHART_COUNT)}>
          Show {Math.min(CHART_COUNT, groups.length - shownCount)} more of {groups.length} charts
        </button>
      )}
    </>
  );
}

/** Streams that say how they are drawn; where none does, all with numbers, each for itself. */
function groupsOf(streams: readonly StreamInfo[]): readonly ChartGroup[] {
  if (streams.some((stream) => visualizationOf(stream) !== null)) return chartGroups(streams);
  return streams
    .filter(({ valueType, latestDatapoint }) => valueType === 'numeric' && latestDatapoint !== null)
    .map((stream) => ({ id: stream.id, lines: [stream], events: [] }));
}

function NoCharts({ isSearch }: { readonly isSearch: boolean }): JSX.Element {
  return (
    <EmptyState title={isSearch ? 'No stream of this search can be drawn' : 'Nothing to draw yet'}>
      <p>
        Charts build themselves from tags. A stream with the tag{' '}
        <code>{'visualization: {"type": "line"}'}</code> gets one; with{' '}
        <code>{'"with": {"site": "north"}'}</code> it shares the chart of streams with that tag. The
        tags <code>title</code>, <code>unit</code> and <code>unit_description</code> name it.
      </p>
      <a class="button" href="/send">
        Create a stream
      </a>
    </EmptyState>
  );
}
