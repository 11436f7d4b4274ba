import { readStream } from '../api/streams.ts';
import { streamTitle } from '../format/stream-title.ts';
import { useRequest } from './use-request.ts';

const COUNT_MAX = 50;

/** Titles by id, of the first of them; those that are gone, or may not be seen, are missing. */
export function useStreamTitles(ids: readonly string[]): ReadonlyMap<string, string> {
  const wanted = [...new Set(ids)].slice(0, COUNT_MAX);
  const { data } = useRequest(
    async (signal) => {
      const read = await Promise.allSettled(wanted.map((id) => readStream(id, signal)));
      return new Map(
        read.flatMap((result) =>
          result.status === 'fulfilled' ? [[result.value.id, streamTitle(result.value)]] : [],
        ),
      );
    },
    [wanted.join()],
  );
  return data ?? new Map();
}
