import { useEffect, useRef, useState } from 'preact/hooks';
import type { DashboardChart } from '../api/dashboards.ts';
import { readStream } from '../api/streams.ts';
import type { StreamInfo } from '../api/types.ts';
import { type FoundStreams, type QueryStreams, useQueryStreams } from './use-query-streams.ts';

export interface DashboardStreams {
  /** Streams of a chart; those that are gone, or may not be seen, are missing. */
  readonly of: (chart: DashboardChart) => FoundStreams;
  /** Whether all of them were asked for once: with a part of them, the window would begin as that of a part. */
  readonly isRead: boolean;
  readonly error: unknown;
}

/** The streams of charts, chosen ones and found ones. */
export function useDashboardStreams(charts: readonly DashboardChart[]): DashboardStreams {
  const chosen = useStreams([
    ...new Set(charts.flatMap((chart) => ('query' in chart ? [] : chart.streams))),
  ]);
  const searches = [...new Set(charts.flatMap((chart) => ('query' in chart ? chart.query : [])))];
  const { found, error }: QueryStreams = useQueryStreams(searches);
  const isRead = useRef(false);
  // Charts that are added later do not take away what is there.
  isRead.current ||= chosen.isRead && searches.every((search) => found.has(search));
  const of = (chart: DashboardChart): FoundStreams => {
    if ('query' in chart) return found.get(chart.query) ?? { streams: [], isCut: false };
    return { streams: chart.streams.flatMap((id) => chosen.byId.get(id) ?? []), isCut: false };
  };
  return { of, isRead: isRead.current || error !== null, error };
}

function useStreams(ids: readonly string[]): {
  readonly byId: ReadonlyMap<string, StreamInfo>;
  readonly isRead: boolean;
} {
  const [byId, setById] = useState<ReadonlyMap<string, StreamInfo>>(new Map());
  const [isRead, setRead] = useState(ids.length === 0);
  useEffect(() => {
    const controller = new AbortController();
    const missing = ids.filter((id) => !byId.has(id));
    void Promise.allSettled(missing.map((id) => readStream(id, controller.signal))).then(
      (results) => {
        if (controller.signal.aborted) return;
        setRead(true);
        const found = results.flatMap((result) =>
          result.status === 'fulfilled' ? [result.value] : [],
        );
        if (found.length === 0) return;
        setById((before) => new Map([...before, ...found.map((one) => [one.id, one] as const)]));
      },
    );
    return () => controller.abort();
  }, [ids.join()]);
  return { byId, isRead };
}
