import type { Block } from '../../model/block.ts';
import type { GranularityName } from '../../model/granularity.ts';
import type { StreamId, StreamRecord } from '../../model/stream.ts';

/** Up to which raw datapoint somebody knows a stream. */
export interface FeedPosition {
  /** Timestamp of the last one; null: there was none. */
  readonly latestMs: number | null;
  /** How many of them had that timestamp. */
  readonly count: number;
  /** How many edits the stream had then. */
  readonly editCount: number;
}

export interface FollowedStream {
  readonly streamId: StreamId;
  readonly record: StreamRecord;
  readonly position: FeedPosition;
}

/** What of a level may be others now. */
export interface LevelMove {
  /** Start of the first bucket of them; null: the first of all. */
  readonly fromMs: number | null;
  /** The watermark. */
  readonly untilMs: number | null;
}

/**
 * `data`: datapoints that were there have changed, or others came before the latest one. `definition`: the stream
 * computes something else. `overflow`: there are more new datapoints than are given at once.
 */
export type ChangeReason = 'data' | 'definition' | 'overflow';

/** Positions are those after the event. */
export type FeedEvent =
  | { readonly kind: 'ready'; readonly streams: readonly FollowedStream[] }
  | ({ readonly kind: 'created' } & FollowedStream)
  | {
      readonly kind: 'appended';
      readonly streamId: StreamId;
      readonly record: StreamRecord;
      /** At least one row. */
      readonly block: Block;
      readonly position: FeedPosition;
    }
  | {
      readonly kind: 'changed';
      readonly streamId: StreamId;
      readonly reason: ChangeReason;
      /** Whatever is older stayed as it was; -Infinity: nothing may have. */
      readonly fromMs: number;
      readonly position: FeedPosition;
    }
  | { readonly kind: 'expired'; readonly streamId: StreamId; readonly untilMs: number }
  | {
      readonly kind: 'levels';
      readonly streamId: StreamId;
      readonly levels: Readonly<Partial<Record<GranularityName, LevelMove>>>;
    }
  | { readonly kind: 'tags'; readonly streamId: StreamId; readonly record: StreamRecord }
  | { readonly kind: 'left'; readonly streamId: StreamId }
  | { readonly kind: 'deleted'; readonly streamId: StreamId };
