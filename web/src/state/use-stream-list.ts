import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { readStreams } from '../api/streams.ts';
import type { StreamInfo } from '../api/types.ts';
import { searchQuery } from '../format/search-query.ts';
import { returnCount } from './connection.ts';
import {
  NO_PAGES,
  pagesToRefresh,
  type StreamListPage,
  streamsOfPages,
  withPage,
} from './stream-pages.ts';
import { useObservable } from './use-observable.ts';

const PAGE_COUNT = 200;
/** How often pages are read again, so that streams that others create appear, and tags that they change. */
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
  /** Takes out a stream that is no longer there. */
  readonly remove: (id: string) => void;
}

/** Streams of a search, page by page, as others make them more or fewer. */
export function useStreamList(search: string): StreamList {
  const [pages, setPages] = useState<readonly StreamListPage[]>(NO_PAGES);
  const [isLoading, setLoading] = useState(true);
  const [error, setError] = useState<unknown>(null);
  const [round, setRound] = useState(0);
  const returns = useObservable(returnCount);
  const controller = useRef<AbortController | null>(null);
  const latest = useRef(pages);
  latest.current = pages;

  const readPage = useCallback(
    async (cursor: string | null, signal: AbortSignal): Promise<StreamListPage> => {
      const query = { ...searchQuery(search), limit: PAGE_COUNT, cursor };
      const { streams, next } = await readStreams(query, signal);
      return { cursor, streams, next };
    },
    [search],
  );
  const read = useCallback(
    async (before: readonly StreamListPage[]): Promise<void> => {
      controller.current?.abort();
      controller.current = new AbortController();
      const { signal } = controller.current;
      setLoading(true);
      try {
        const page = await readPage(before.at(-1)?.next ?? null, signal);
        if (signal.aborted) return;
        setPages([...before, page]);
        setError(null);
        setLoading(false);
      } catch (reason) {
        if (signal.aborted) return;
        setError(reason);
        setLoading(false);
      }
    },
    [readPage],
  );

  useEffect(() => {
    void read(NO_PAGES);
    return () => controller.current?.abort();
  }, [read, round, returns]);

  useEffect(() => {
    const refreshing = new AbortController();
    let turn = 0;
    const timer = setInterval(() => {
      for (const { cursor } of pagesToRefresh(latest.current, turn++)) {
        readPage(cursor, refreshing.signal).then(
          (page) => setPages((before) => withPage(before, page)),
          // The page stays as it was; that the service is away is said elsewhere.
          () => undefined,
        );
      }
    }, REFRESH_MS);
    return () => {
      clearInterval(timer);
      refreshing.abort();
    };
  }, [readPage]);

  const hasMore = pages.at(-1)?.next != null;
  return {
    streams: useMemo(() => streamsOfPages(pages), [pages]),
    hasMore,
    isLoading,
    error,
    loadMore: () => {
      if (!isLoading && hasMore) void read(latest.current);
    },
    reload: () => setRound((count) => count + 1),
    remove: (id) =>
      setPages((before) =>
        before.map((page) => ({ ...page, streams: page.streams.filter((one) => one.id !== id) })),
      ),
  };
}
