import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { StreamInfo } from '../api/types.ts';
import { NO_COLUMNS } from '../chart/columns.ts';
import type { LiveEvent } from './live-event.ts';
import { SeriesLoader, type SeriesState, type WantedSeries } from './series-loader.ts';

const EMPTY: SeriesState = { columns: NO_COLUMNS, isLoading: true, error: null };

export interface Series {
  readonly of: (streamId: string) => SeriesState;
  readonly take: (event: LiveEvent) => void;
  readonly reload: () => void;
}

/** What charts show of streams, for one window. */
export function useSeries(streams: readonly StreamInfo[], wanted: WantedSeries): Series {
  const [states, setStates] = useState<ReadonlyMap<string, SeriesState>>(new Map());
  const loaders = useRef(new Map<string, SeriesLoader>());
  const key = streams.map(({ id }) => id).join();
  useEffect(() => {
    const present = new Set(streams.map(({ id }) => id));
    for (const [id, loader] of loaders.current) {
      if (present.has(id)) continue;
      loader.close();
      loaders.current.delete(id);
    }
    for (const stream of streams) {
      if (loaders.current.has(stream.id)) continue;
      const loader = new SeriesLoader(stream, (state) => {
        setStates((before) => new Map(before).set(stream.id, state));
      });
      loaders.current.set(stream.id, loader);
    }
  }, [key]);
  const { window, pointCount, isFollowing } = wanted;
  useEffect(() => {
    for (const loader of loaders.current.values()) loader.want(wanted);
  }, [key, window.startMs, window.endMs, pointCount, isFollowing]);
  useEffect(
    () => () => {
      for (const loader of loaders.current.values()) loader.close();
    },
    [],
  );
  const take = useCallback((event: LiveEvent) => {
    for (const loader of loaders.current.values()) loader.take(event);
  }, []);
  const reload = useCallback(() => {
    for (const loader of loaders.current.values()) loader.reload();
  }, []);
  return { of: (id) => states.get(id) ?? EMPTY, take, reload };
}
