import type { Backend } from '../backends/backend.ts';
import { ChangeFeed, type FeedRequest } from '../engine/feed/change-feed.ts';
import type {
  FeedEvent,
  FeedPosition,
  FollowedStream,
  LevelMove,
} from '../engine/feed/feed-event.ts';
import { userTags } from '../engine/hidden-tags.ts';
import { type Column, VALUE_COLUMN } from '../model/block.ts';
import type { GranularityName } from '../model/granularity.ts';
import type { StreamId } from '../model/stream.ts';
import type { Tags } from '../model/tags.ts';
import { TIME_MIN_MS } from '../model/time-range.ts';
import { instantMs } from '../model/timestamp.ts';
import { copyPlain } from '../model/value-json.ts';
import { mapColumns } from './datapoint-columns.ts';
import { checkKeys, checkStreamId, checkWhole } from './option-checks.ts';
import { RawValues } from './raw-values.ts';
import { checkQuery } from './tag-checks.ts';

/** Up to which datapoint somebody knows a stream. Plain JSON but for the date. */
export interface StreamPosition {
  /** Timestamp of the last raw datapoint; null: there was none. */
  readonly latest: Date | null;
  /** How many of the last ones have that timestamp. */
  readonly count: number;
  /** How often older datapoints had been changed, deleted or added. */
  readonly edits: number;
}

/** A stream that is followed from a position on. */
export interface FollowedStreamStart {
  readonly streamId: StreamId;
  readonly tags: Tags;
  readonly position: StreamPosition;
}

/** What became of a stream; docs/reference/api.md says how to follow. Positions are those after the event. */
export type StreamEvent =
  | { readonly kind: 'ready'; readonly streams: readonly FollowedStreamStart[] }
  | ({ readonly kind: 'created' } & FollowedStreamStart)
  | {
      readonly kind: 'appended';
      readonly streamId: StreamId;
      /** Epoch milliseconds, ascending; at least one. */
      readonly timestamps: Float64Array;
      /** As many, as `getData` gives them in columns: NaN = null in a `Float64Array`. */
      readonly values: Column;
      readonly position: StreamPosition;
    }
  | {
      readonly kind: 'changed';
      readonly streamId: StreamId;
      /** The first instant that may have changed; null: everything may have. */
      readonly from: Date | null;
      readonly reason: 'data' | 'definition' | 'overflow';
      readonly position: StreamPosition;
    }
  | { readonly kind: 'expired'; readonly streamId: StreamId; readonly until: Date }
  | {
      readonly kind: 'levels';
      readonly streamId: StreamId;
      /** Of each level that has got buckets: the first that may have changed (null: all), and the watermark. */
      readonly levels: Readonly<
        Partial<
          Record<GranularityName, { readonly from: Date | null; readonly until: Date | null }>
        >
      >;
    }
  | { readonly kind: 'tags'; readonly streamId: StreamId; readonly tags: Tags }
  | { readonly kind: 'left'; readonly streamId: StreamId }
  | { readonly kind: 'deleted'; readonly streamId: StreamId };

export interface ChangesOptions {
  /** Which streams; with neither this nor query tags, all. */
  readonly streamIds?: readonly string[];
  /** Streams with these tags, also those that have them later. */
  readonly queryTags?: Tags;
  /** By stream id, positions of an earlier feed: what came after them comes first. */
  readonly after?: Readonly<Record<string, StreamPosition>>;
  /** New datapoints of a stream that are given at once; of more, `changed` says to read. Default: 4096. */
  readonly appendedCountMax?: number;
  /** Ends the feed. */
  readonly signal?: AbortSignal;
}

const APPENDED_COUNT_MAX = 4096;
const OPTION_KEYS: ReadonlySet<string> = new Set<keyof ChangesOptions>([
  'streamIds',
  'queryTags',
  'after',
  'appendedCountMax',
  'signal',
]);
const POSITION_KEYS: ReadonlySet<string> = new Set<keyof StreamPosition>([
  'latest',
  'count',
  'edits',
]);

/** @throws {TypeError} {RangeError} {StreamNotFound} {InvalidTimestamp} */
export function checkChangesOptions(options: ChangesOptions): FeedRequest {
  checkKeys(options, OPTION_KEYS, 'changes');
  const { streamIds, queryTags, after = {}, appendedCountMax = APPENDED_COUNT_MAX } = options;
  if (streamIds !== undefined && queryTags !== undefined) {
    throw new TypeError('changes takes streamIds or queryTags, not both.');
  }
  if (streamIds !== undefined && !Array.isArray(streamIds)) {
    throw new TypeError('streamIds is a list of stream ids.');
  }
  if (typeof after !== 'object' || after === null || Array.isArray(after)) {
    throw new TypeError('after has positions by stream id.');
  }
  checkWhole(appendedCountMax, 'appendedCountMax', 1);
  const query = checkQuery(queryTags);
  const ids = streamIds ?? (query.streamId === null ? null : [query.streamId]);
  return {
    streamIds: ids?.map((streamId) => checkStreamId(streamId)) ?? null,
    tags: query.tags,
    after: new Map(
      Object.entries(after).map(([streamId, position]) => [
        checkStreamId(streamId),
        checkPosition(position, streamId),
      ]),
    ),
    rowCountMax: appendedCountMax,
    signal: options.signal,
  };
}

function checkPosition(position: StreamPosition, streamId: string): FeedPosition {
  checkKeys(position, POSITION_KEYS, `the position of stream ${streamId}`);
  const { latest, count, edits } = position;
  checkWhole(count, `count of stream ${streamId}`, 0);
  checkWhole(edits, `edits of stream ${streamId}`, 0);
  return { latestMs: latest === null ? null : instantMs(latest), count, editCount: edits };
}

/** Lazy: reads when it is iterated. */
export async function* streamEvents(
  backend: Backend,
  request: FeedRequest,
): AsyncGenerator<StreamEvent, void, undefined> {
  for await (const event of new ChangeFeed(backend, request).events()) yield describeEvent(event);
}

function describeEvent(event: FeedEvent): StreamEvent {
  switch (event.kind) {
    case 'ready':
      return { kind: 'ready', streams: event.streams.map(describeStart) };
    case 'created':
      return { kind: 'created', ...describeStart(event) };
    case 'appended': {
      const { kind, streamId, record, block } = event;
      const values = new RawValues(record).column(block.columns[VALUE_COLUMN]!);
      const position = describePosition(event.position);
      return { kind, streamId, timestamps: block.timestamps, values, position };
    }
    case 'changed': {
      const { kind, streamId, reason, fromMs } = event;
      const from = fromMs <= TIME_MIN_MS ? null : new Date(fromMs);
      return { kind, streamId, from, reason, position: describePosition(event.position) };
    }
    case 'expired':
      return { kind: 'expired', streamId: event.streamId, until: new Date(event.untilMs) };
    case 'levels': {
      const { kind, streamId } = event;
      return {
        kind,
        streamId,
        levels: mapColumns(event.levels as Record<string, LevelMove>, describeMove),
      };
    }
    case 'tags':
      return { kind: 'tags', streamId: event.streamId, tags: tagsOf(event) };
    case 'left':
    case 'deleted':
      return event;
  }
}

function describeStart(stream: FollowedStream): FollowedStreamStart {
  const { streamId, position } = stream;
  return { streamId, tags: tagsOf(stream), position: describePosition(position) };
}

function tagsOf({ record }: Pick<FollowedStream, 'record'>): Tags {
  return copyPlain(userTags(record.tags)) as Tags;
}

function describePosition({ latestMs, count, editCount }: FeedPosition): StreamPosition {
  return { latest: dateOrNull(latestMs), count, edits: editCount };
}

function describeMove({ fromMs, untilMs }: LevelMove): { from: Date | null; until: Date | null } {
  return { from: dateOrNull(fromMs), until: dateOrNull(untilMs) };
}

function dateOrNull(timestampMs: number | null): Date | null {
  return timestampMs === null ? null : new Date(timestampMs);
}
