import type { Column } from '../model/block.ts';
import type { StreamId, StreamRecord } from '../model/stream.ts';

export interface AppendItem {
  readonly streamId: StreamId;
  /** As the caller gave it. */
  readonly value: unknown;
  /** As the caller gave it; undefined: now. */
  readonly timestamp: unknown;
}

/** Datapoints that are stored together or not at all. */
export interface ItemsRequest {
  readonly kind: 'items';
  readonly items: readonly AppendItem[];
  readonly checkTimestamp: boolean;
}

/** Many datapoints of one stream. The arrays belong to the request. */
export interface ColumnsRequest {
  readonly kind: 'columns';
  readonly streamId: StreamId;
  readonly timestamps: Float64Array;
  readonly values: Column;
  readonly checkTimestamp: boolean;
}

/** One numeric datapoint for each of many streams. The array of values belongs to the request. */
export interface TickRequest {
  readonly kind: 'tick';
  readonly timestamp: unknown;
  readonly streamIds: readonly StreamId[];
  readonly values: Float64Array;
}

export type AppendRequest = ItemsRequest | ColumnsRequest | TickRequest;

/** Ids of the streams that a request appends to; may repeat. */
export function streamIdsOf(request: AppendRequest): Iterable<StreamId> {
  switch (request.kind) {
    case 'items':
      return request.items.map((item) => item.streamId);
    case 'columns':
      return [request.streamId];
    case 'tick':
      return request.streamIds;
  }
}

/** A datapoint as it was stored. */
export interface StoredDatapoint {
  readonly record: StreamRecord;
  readonly timestampMs: number;
  readonly stored: unknown;
}
