import type { DashboardChart } from '../../api/dashboards.ts';
import type { StreamInfo } from '../../api/types.ts';
import { visualizationOf } from '../../chart/visualization.ts';
import type { BoardChart } from '../../components/chart-board.tsx';
import { streamTitle } from '../../format/stream-title.ts';
import type { FoundStreams } from '../../state/use-query-streams.ts';

/** A chart of a dashboard with its streams, as the one at a place of a board. */
export function boardChart(
  chart: DashboardChart,
  { streams, isCut }: FoundStreams,
  index: number,
): Omit<BoardChart, 'actions'> {
  const isOfSearch = 'query' in chart;
  const isEvent = (stream: StreamInfo): boolean => visualizationOf(stream)?.type === 'event';
  const id = isOfSearch ? chart.query : chart.streams.join();
  const named = isOfSearch ? chart.query : streams.map(streamTitle).join(', ');
  const note = noteOf(isOfSearch, streams.length, isCut);
  return {
    key: `${index} ${id}`,
    title: chart.title || named,
    group: {
      id,
      lines: streams.filter((stream) => !isEvent(stream)),
      events: streams.filter(isEvent),
    },
    ...(note !== null && { note }),
  };
}

/** What is to be said about the streams of a chart; null: nothing. */
function noteOf(isOfSearch: boolean, streamCount: number, isCut: boolean): string | null {
  if (isCut) return `These are the first ${streamCount} streams of a search that finds more.`;
  if (streamCount > 0) return null;
  return isOfSearch
    ? 'No stream matches the search yet.'
    : 'The streams of this chart are gone, or not for you to see.';
}
