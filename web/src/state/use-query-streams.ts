import { useEffect, useState } from 'preact/hooks';
import { readStreams } from '../api/streams.ts';
import type { StreamInfo } from '../api/types.ts';
import { searchQuery } from '../format/search-query.ts';
import { returnCount } from './connection.ts';
import { useObservable } from './use-observable.ts';

/** More lines than these nobody tells apart in one chart. */
const QUERY_STREAM_COUNT_MAX = 200;
/** How often it is asked which streams match, so that those that others create join. */
const REFRESH_MS = 10_000;

/** Streams that a search finds, the first ones of too many. */
export interface FoundStreams {
  readonly streams: readonly StreamInfo[];
  readonly isCut: boolean;
}

export interface QueryStreams {
  /** By search; one that was not answered yet is missing. */
  readonly found: ReadonlyMap<string, FoundStreams>;
  /** Why a search was never answered; null: none failed. */
  readonly error: unknown;
}

/** Streams of several searches, as others make them more or fewer. */
export function useQueryStreams(searches: readonly string[]): QueryStreams {
  const [found, setFound] = useState<ReadonlyMap<string, FoundStreams>>(new Map());
  const [failure, setFailure] = useState<unknown>(null);
  const returns = useObservable(returnCount);
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async (search: string): Promise<void> => {
      try {
        const query = { ...searchQuery(search), limit: QUERY_STREAM_COUNT_MAX };
        const { streams, next } = await readStreams(query, signal);
        if (signal.aborted) return;
        setFound((before) => withAnswer(before, search, { streams, isCut: next !== null }));
        setFailure(null);
      } catch (reason) {
        if (!signal.aborted) setFailure(reason);
      }
    };
    const readAll = async (): Promise<void> => {
      await Promise.all(searches.map(read));
      if (!signal.aborted) timer = setTimeout(() => void readAll(), REFRESH_MS);
    };
    if (searches.length > 0) void readAll();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [searches.join('\n'), returns]);
  // What was found stays when it cannot be asked for again; that the service is away is said elsewhere.
  const isAnswered = searches.every((search) => found.has(search));
  return { found, error: isAnswered ? null : failure };
}

/** The same map where the answer is the same, so that nothing is drawn anew. */
function withAnswer(
  before: ReadonlyMap<string, FoundStreams>,
  search: string,
  answer: FoundStreams,
): ReadonlyMap<string, FoundStreams> {
  if (JSON.stringify(before.get(search)) === JSON.stringify(answer)) return before;
  return new Map([...before, [search, answer]]);
}
