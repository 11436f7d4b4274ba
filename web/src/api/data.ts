import { apiUrl, type Query, request } from './client.ts';
import type { DataColumns } from './types.ts';

/** Datapoints of a stream as columns; `query` as in the API, with `live` unless it says otherwise. */
export const readColumns = (id: string, query: Query, signal?: AbortSignal): Promise<DataColumns> =>
  request('GET', `/streams/${id}/data`, {
    query: { format: 'columns', live: true, ...query },
    signal,
  });

/** Address of the same datapoints for other programs. */
export const dataUrl = (id: string, query: Query): string =>
  new URL(apiUrl(`/streams/${id}/data`, query), location.href).href;
