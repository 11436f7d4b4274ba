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

type States = ReadonlyMap<string, SeriesState>;
type SetStates = (change: (before: States) => States) => void;

/** States that change within a frame, as one change: hundreds of answers must not draw a chart hundreds of times. */
class FrameBatch {
  readonly #set: SetStates;
  readonly #waiting = new Map<string, SeriesState>();

  constructor(set: SetStates) {
    this.#set = set;
  }

  put(streamId: string, state: SeriesState): void {
    if (this.#waiting.size === 0) requestAnimationFrame(() => this.#flush());
    this.#waiting.set(streamId, state);
  }

  #flush(): void {
    const changed = [...this.#waiting];
    this.#waiting.clear();
    this.#set((before) => new Map([...before, ...changed]));
  }
}

/** What charts show of streams, for one window. */
export function useSeries(streams: readonly StreamInfo[], wanted: WantedSeries): Series {
  const [states, setStates] = useState<ReadonlyMap<string, SeriesState>>(new Map());
  const [changes] = useState(() => new FrameBatch(setStates));
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
      const loader = new SeriesLoader(
        stream,
        (state) => changes.put(stream.id, state),
        states.get(stream.id)?.columns,
      );
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
