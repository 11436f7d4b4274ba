import type { Backend } from '../backends/backend.ts';
import { bucketStartMs, Granularity, type GranularityName } from '../model/granularity.ts';
import { ladderOf } from '../model/ladder.ts';
import { expiredUntilMs } from '../model/retention.ts';
import type { DeriveSource, StreamId, StreamRecord, StreamSnapshot } from '../model/stream.ts';
import { matchesTags, type Tags } from '../model/tags.ts';
import {
  intersectRanges,
  isEmptyRange,
  NO_RANGE,
  TIME_END_MS,
  TIME_MIN_MS,
  type TimeRange,
} from '../model/time-range.ts';
import { levelStartMs } from './expiry.ts';

/** A tag by which streams that derive by a query are found. */
export const QUERYING_TAGS: Tags = Object.freeze({ datastream__query: true });

/** The record with that tag if it derives by a query, and without it otherwise. */
export function withQueryingTags(record: StreamRecord): StreamRecord {
  const { datastream__query: _query, ...tags } = record.tags;
  const isQuerying = record.derivation?.query !== undefined;
  return { ...record, tags: isQuerying ? { ...tags, ...QUERYING_TAGS } : tags };
}

const PAGE_STREAM_COUNT = 1000;

/** The sources of a derived stream, in their order. */
export interface Sources {
  readonly list: readonly DeriveSource[];
  /** By source; null for one that is gone. */
  readonly streams: readonly (StreamSnapshot | null)[];
}

/** Reads what a stream derives from: the sources that it names, or those that its query has brought together. */
export async function readSources(
  backend: Pick<Backend, 'readStreams' | 'queryStreams'>,
  record: StreamRecord,
): Promise<Sources> {
  const { derivation } = record;
  if (derivation === null) return { list: [], streams: [] };
  const { query, sources } = derivation;
  if (query === undefined) {
    const ids = sources.map(({ streamId }) => streamId);
    return { list: sources, streams: await backend.readStreams(ids) };
  }
  const streams: StreamSnapshot[] = [];
  const list: DeriveSource[] = [];
  for await (const page of matchingStreams(backend, query.tags)) {
    for (const snapshot of page) {
      const granularity = granularityRead(snapshot.record, record.id);
      if (granularity === null) continue;
      const { afterMs } = query;
      streams.push(snapshot);
      list.push({ name: null, streamId: snapshot.record.id, granularity, afterMs });
    }
  }
  return { list, streams };
}

/** All streams that have the tags, in creation order. */
export async function* matchingStreams(
  backend: Pick<Backend, 'queryStreams'>,
  tags: Tags,
): AsyncGenerator<readonly StreamSnapshot[], void, undefined> {
  let after: { readonly afterOrdinal?: number } = {};
  for (;;) {
    const page = await backend.queryStreams({ tags, ...after, limit: PAGE_STREAM_COUNT });
    if (page.length > 0) yield page;
    if (page.length < PAGE_STREAM_COUNT) return;
    after = { afterOrdinal: page.at(-1)!.ordinal };
  }
}

/** The level of a source that a stream reads; null when it does not derive from it. */
export function granularityRead(
  { dependents }: StreamRecord,
  streamId: StreamId,
): GranularityName | null {
  return dependents.find((dependent) => dependent.streamId === streamId)?.granularity ?? null;
}

/**
 * The level at which a stream that derives by a query would read another one, which it does at its own highest
 * granularity; null when the tags do not match, or there is nothing of the kind to be read.
 */
export function granularityToRead(
  { id, derivation, highestGranularity }: StreamRecord,
  source: StreamRecord,
): GranularityName | null {
  if (derivation?.query === undefined || source.id === id || source.valueType !== 'numeric') {
    return null;
  }
  if (!matchesTags(source.tags, derivation.query.tags)) return null;
  if (source.highestGranularity === highestGranularity) return highestGranularity;
  const hasLevel = ladderOf(source).has(Granularity.byName(highestGranularity));
  return hasLevel && source.valueDownsamplers.includes('mean') ? highestGranularity : null;
}

/** Where a stream has inputs for one that derives from it by a query; null when it has none. */
export function contributedRange(
  { derivation }: StreamRecord,
  source: StreamSnapshot,
  granularity: GranularityName,
): TimeRange | null {
  const { startMs, endMs } = inputExtent(source, granularity);
  // Without a source of which something has expired, what stayed as it was there can be computed again.
  const hasExpired = expiredUntilMs(source.record, granularity) > TIME_MIN_MS;
  const extent = { startMs: hasExpired ? TIME_MIN_MS : startMs, endMs };
  const afterMs = derivation?.query?.afterMs ?? null;
  const range =
    afterMs === null
      ? extent
      : intersectRanges(extent, { startMs: afterMs + 1, endMs: TIME_END_MS });
  return isEmptyRange(range) ? null : range;
}

/**
 * Where a stream has rows of a level that others read, or has still to tell them that it has none any more. A level
 * goes on to its watermark, also where the datapoints that made it complete were deleted.
 */
export function inputExtent(source: StreamSnapshot, granularity: GranularityName): TimeRange {
  const { record, earliestMs, latestMs } = source;
  if (granularity === record.highestGranularity) {
    return earliestMs === null || latestMs === null
      ? NO_RANGE
      : { startMs: earliestMs, endMs: latestMs + 1 };
  }
  const level = Granularity.byName(granularity);
  const endMs = record.levels[granularity]?.untilMs ?? null;
  if (endMs === null) return NO_RANGE;
  const stale = ladderOf(record)
    .lineage(level)
    .flatMap((rung) => record.levels[rung.granularity.name]?.stale[0]?.startMs ?? []);
  const startMs = Math.min(
    levelStartMs(source, level) ?? endMs,
    ...stale.map((ms) => bucketStartMs(ms, level)),
  );
  return { startMs, endMs };
}
