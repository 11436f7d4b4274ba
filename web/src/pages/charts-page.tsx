import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { StreamInfo } from '../api/types.ts';
import { type ChartGroup, chartGroups } from '../chart/chart-groups.ts';
import { visualizationOf } from '../chart/visualization.ts';
import { ChartBoard } from '../components/chart-board.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { ProblemNote } from '../components/problem-note.tsx';
import { SearchField } from '../components/search-field.tsx';
import { chartTitle } from '../components/streams-chart.tsx';
import { place } from '../router/location.ts';
import { useObservable } from '../state/use-observable.ts';
import { useStreamList } from '../state/use-stream-list.ts';
import { usePageTitle } from './use-page-title.ts';

const STREAM_COUNT_MAX = 2000;

/** Charts that build themselves from the tags of streams, also of those that are created meanwhile. */
export function ChartsPage(): JSX.Element {
  usePageTitle('Charts');
  const search = useObservable(place).query['q'] ?? '';
  const list = useStreamList(search);
  const { streams, hasMore, isLoading, error } = list;
  const isCut = hasMore && streams.length >= STREAM_COUNT_MAX;
  const isComplete = isCut || (!hasMore && !isLoading && error === null);
  useEffect(() => {
    if (hasMore && !isCut) list.loadMore();
  }, [hasMore, isCut, isLoading]);
  const groups = useMemo(() => groupsOf(streams), [streams]);
  const charts = useMemo(
    () =>
      groups.map((group) => ({
        key: group.id,
        title: chartTitle(group),
        group,
        ...(group.lines.length === 1 && {
          actions: <a href={`/streams/${group.lines[0]!.id}`}>Open</a>,
        }),
      })),
    [groups],
  );
  return (
    <>
      <div class="page-head">
        <h1>Charts</h1>
        <SearchField />
        <span class="count">
          {groups.length > 0 && `${groups.length} ${groups.length === 1 ? 'chart' : 'charts'}`}
        </span>
      </div>
      {error !== null && (
        <ProblemNote doing="Reading the streams" error={error} onRetry={list.reload} />
      )}
      {isCut && (
        <p class="muted">
          These are charts of the first {streams.length} streams. A search shows those of others.
        </p>
      )}
      {!isComplete && groups.length === 0 && error === null && <p class="muted">Loading …</p>}
      {isComplete && groups.length === 0 && <NoCharts isSearch={search !== ''} />}
      {charts.length > 0 && <ChartBoard charts={charts} />}
    </>
  );
}

/** Streams that say how they are drawn; where none does, all with numbers or states, each for itself. */
function groupsOf(streams: readonly StreamInfo[]): readonly ChartGroup[] {
  if (streams.some((stream) => visualizationOf(stream) !== null)) return chartGroups(streams);
  return streams
    .filter(({ valueType, latestDatapoint }) => valueType !== 'graph' && latestDatapoint !== null)
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
