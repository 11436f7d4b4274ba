import { type Query, request } from './client.ts';
import type { Tags } from './types.ts';

/** How sure a number is: `estimate` comes from levels, `atLeast` was not counted to its end. */
export type Certainty = 'exact' | 'estimate' | 'atLeast';

export interface Statistics {
  readonly uptimeMs: number;
  /** Null where the store does not know. */
  readonly storeSizeBytes: number | null;
  /** Null before they were counted for the first time. */
  readonly totals: {
    readonly streamCount: number;
    readonly datapointCount: number;
    readonly certainty: Certainty;
    readonly countedAt: string;
  } | null;
  readonly appendedPerMinute: number;
  readonly eventStreamCount: number;
}

export interface StreamStatistics {
  readonly stream: string;
  readonly tags: Tags;
  readonly datapointCount: number;
  readonly certainty: Certainty;
  readonly latestDatapoint: string | null;
  readonly ratePerMinute: number;
  readonly sizeBytes: number | null;
  readonly owner: { readonly id: string; readonly name: string } | null;
}

export interface StreamStatisticsPage {
  readonly streams: readonly StreamStatistics[];
  /** Cursor of the next page; null at the end. */
  readonly next: string | null;
}

export const readStatistics = (signal?: AbortSignal): Promise<Statistics> =>
  request('GET', '/statistics', { signal });

export const readStreamStatistics = (
  query: Query,
  signal?: AbortSignal,
): Promise<StreamStatisticsPage> => request('GET', '/statistics/streams', { query, signal });
