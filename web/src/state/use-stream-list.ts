import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { readStreams } from '../api/streams.ts';
import type { StreamInfo } from '../api/types.ts';
import { searchQuery } from '../format/search-query.ts';
import { returnCount } from './connection.ts';
import { useObservable } from './use-observable.ts';

const PAGE_COUNT = 200;
/** A list of one page is read anew so often, so that streams that others create appear. */
const REFRESH_MS = 10_000;

export interface StreamList {
  readonly streams: readonly StreamInfo[];
  /** Whether there are more than these. */
  readonly hasMore: boolean;
  readonly isLoading: boolean;
  readonly error: unknown;
  /** Reads the next page, unless it is under way. */
  readonly loadMore: () => void;
  readonly reload: () => void;
}

interface Loaded {
  readonly streams: readonly StreamInfo[];
  readonly next: string | null;
}

/** Streams of a search, page by page. */
export function useStreamList(search: string): StreamList {
  const [loaded, setLoaded] = useState<Loaded>({ streams: [], next: null });
  const [isLoading, setLoading] = useState(true);
  const [error, setError] = useState<unknown>(null);
  const [round, setRound] = useState(0);
  const returns = useObservable(returnCount);
  const controller = useRef<AbortController | null>(null);

  const read = useCallback(
    async (before: Loaded): Promise<void> => {
      controller.current?.abort();
      controller.current = new AbortController();
      const { signal } = controller.current;
      setLoading(true);
      try {
        const query = { ...searchQuery(search), limit: PAGE_COUNT, cursor: before.next };
        const page = await readStreams(query, signal);
        if (signal.aborted) return;
        setLoaded({ streams: [...before.streams, ...page.streams], next: page.next });
        setError(null);
        setLoading(false);
      } catch (reason) {
        if (signal.aborted) return;
        setError(reason);
        setLoading(false);
      }
    },
    [search],
  );

  useEffect(() => {
    void read({ streams: [], next: null });
    return () => controller.current?.abort();
  }, [read, round, returns]);

  const isSmall = !isLoading && loaded.next === null && loaded.streams.length <= PAGE_COUNT;
  useEffect(() => {
    if (!isSmall) return;
    const timer = setTimeout(() => void read({ streams: [], next: null }), REFRESH_MS);
    return () => clearTimeout(timer);
  }, [isSmall, read]);

  return {
    streams: loaded.streams,
    hasMore: loaded.next !== null,
    isLoading,
    error,
    loadMore: () => {
      if (!isLoading && loaded.next !== null) void read(loaded);
    },
    reload: () => setRound((count) => count + 1),
  };
}
