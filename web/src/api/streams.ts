import { type Query, request } from './client.ts';
import type { Json, StreamInfo, StreamPage, Tags } from './types.ts';

const PAGE_COUNT = 1000;

export const readStreams = (query: Query, signal?: AbortSignal): Promise<StreamPage> =>
  request('GET', '/streams', { query, signal });

/** Streams of all pages, up to a count. */
export async function readAllStreams(
  query: Query,
  { signal, countMax }: { readonly signal?: AbortSignal; readonly countMax: number },
): Promise<readonly StreamInfo[]> {
  const streams: StreamInfo[] = [];
  let cursor: string | null = null;
  do {
    const limit = Math.min(PAGE_COUNT, countMax - streams.length);
    const page: StreamPage = await readStreams({ ...query, limit, cursor }, signal);
    streams.push(...page.streams);
    cursor = page.next;
  } while (cursor !== null && streams.length < countMax);
  return streams;
}

export const readStream = (id: string, signal?: AbortSignal): Promise<StreamInfo> =>
  request('GET', `/streams/${id}`, { signal });

interface NewStream {
  readonly query: Tags;
  readonly tags?: Tags;
  readonly valueType?: string;
  readonly valueDownsamplers?: readonly string[];
  readonly highestGranularity?: string;
  readonly timeZone?: string;
}

/** @throws {ApiError} 412 where there is a stream with the tags of the query. */
export const createStream = (body: NewStream): Promise<StreamInfo> =>
  request('POST', '/streams', { body, isNew: true });

export const changeTags = (id: string, tags: { readonly [name: string]: Json }) =>
  request<StreamInfo>('PATCH', `/streams/${id}`, { body: { tags } });

export const deleteStream = (id: string): Promise<void> => request('DELETE', `/streams/${id}`);
