import { InvalidValue } from '../exceptions/errors.ts';
import type { Column } from '../model/block.ts';
import type { StreamId } from '../model/stream.ts';
import { SECOND_MS, type TimeRange } from '../model/time-range.ts';
import { parseTimestamp } from '../model/timestamp.ts';
import { copyPlain } from '../model/value-json.ts';
import type { ItemGrid } from './item-grid.ts';
import type { LiveStream } from './live-stream.ts';
import type { TickPlan } from './tick-plan.ts';

/** What is asked of the timestamps of a request, and of its streams. */
export interface TimestampCheck {
  /** Whether a datapoint that is older than the latest of its stream is refused. */
  readonly checkTimestamp: boolean;
  /** Whether one of the same timestamp is, too, also when that one is of the same request. */
  readonly mustBeNewer: boolean;
  /** Versions that streams of the request must still have, by their ids; undefined: any. */
  readonly expectVersions: Readonly<Record<string, string>> | undefined;
}

export interface AppendItem {
  readonly streamId: StreamId;
  /** As the caller gave it. */
  readonly value: unknown;
  /** As the caller gave it; undefined: now. */
  readonly timestamp: unknown;
}

/** Datapoints that are stored together or not at all. */
export interface ItemsRequest extends TimestampCheck {
  readonly kind: 'items';
  readonly items: readonly AppendItem[];
}

/** As an `ItemsRequest`, of items that are a grid. */
export interface GridRequest extends TimestampCheck {
  readonly kind: 'grid';
  readonly grid: ItemGrid;
}

/** Many datapoints of one stream. The arrays belong to the request. */
export interface ColumnsRequest extends TimestampCheck {
  readonly kind: 'columns';
  readonly streamId: StreamId;
  readonly timestamps: CutTimestamps;
  readonly values: Column;
}

/** Timestamps as they will be stored. */
export interface CutTimestamps {
  readonly cutMs: Float64Array;
  /** The first row that is older than the row before it, or -1. */
  readonly descendingRow: number;
  /** Their latest; -Infinity when there is none. */
  readonly latestMs: number;
  /** As they were given, where not all of them are as they will be stored; else null. */
  readonly givenMs: Float64Array | null;
}

/**
 * Copies timestamps, cut to whole seconds, or other steps.
 * @throws {InvalidTimestamp} when one is no instant in the range.
 */
export function cutTimestamps(
  timestamps: Float64Array,
  range: TimeRange,
  stepMs: number = SECOND_MS,
): CutTimestamps {
  const { startMs, endMs } = range;
  const lastMs = timestamps.at(-1)!;
  if (timestamps[0]! >= startMs && lastMs < endMs && areRegularSeconds(timestamps)) {
    const cutMs = new Float64Array(timestamps);
    return { cutMs, descendingRow: -1, latestMs: lastMs, givenMs: null };
  }
  const cutMs = new Float64Array(timestamps.length);
  let descendingRow = -1;
  let latestMs = Number.NEGATIVE_INFINITY;
  let isCut = false;
  for (let row = 0; row < timestamps.length; row++) {
    const timestampMs = Math.floor(timestamps[row]! / stepMs) * stepMs;
    // The negated form also catches NaN.
    if (!(timestampMs >= startMs && timestampMs < endMs)) {
      parseTimestamp(timestamps[row], range, stepMs);
    }
    if (timestampMs !== timestamps[row]) isCut = true;
    if (timestampMs >= latestMs) latestMs = timestampMs;
    else if (descendingRow < 0) descendingRow = row;
    cutMs[row] = timestampMs;
  }
  return { cutMs, descendingRow, latestMs, givenMs: isCut ? new Float64Array(timestamps) : null };
}

/** Whether there is nothing to cut from ascending timestamps, all as far apart: found out without divisions. */
function areRegularSeconds(timestamps: Float64Array): boolean {
  const firstMs = timestamps[0]!;
  const stepMs = timestamps.length === 1 ? 0 : timestamps[1]! - firstMs;
  if (!(stepMs >= 0 && stepMs % 1000 === 0 && firstMs % 1000 === 0)) return false;
  let previousMs = firstMs;
  for (let row = 1; row < timestamps.length; row++) {
    const timestampMs = timestamps[row]!;
    if (timestampMs - previousMs !== stepMs) return false;
    previousMs = timestampMs;
  }
  return true;
}

/**
 * Copies a column of values.
 * @throws {InvalidValue} when a number is infinite. NaN is null there.
 */
export function copyValues(values: Column): Column {
  if (!(values instanceof Float64Array)) return values.map((value) => copyPlain(value));
  // Copied first: what is copied is what was checked, and memory that is copied to need not be cleared.
  const copy = new Float64Array(values);
  for (let row = 0; row < copy.length; row++) {
    const value = copy[row]!;
    // Of finite numbers the difference is 0.
    if (value - value !== 0 && !Number.isNaN(value)) {
      throw new InvalidValue(
        `Row ${row} is ${value}: expected finite numbers, or NaN for no data.`,
      );
    }
  }
  return copy;
}

/** One numeric datapoint for each of many streams. The array of values belongs to the request. */
export interface TickRequest {
  readonly kind: 'tick';
  readonly timestamp: unknown;
  readonly plan: TickPlan;
  readonly values: Float64Array;
  readonly mustBeNewer: boolean;
  readonly expectVersions: TimestampCheck['expectVersions'];
}

export type AppendRequest = ItemsRequest | GridRequest | ColumnsRequest | TickRequest;

/** Ids of the streams that a request appends to; may repeat. */
export function streamIdsOf(request: AppendRequest): Iterable<StreamId> {
  switch (request.kind) {
    case 'items':
      return request.items.map((item) => item.streamId);
    case 'grid':
      return request.grid.streamIds;
    case 'columns':
      return [request.streamId];
    case 'tick':
      return request.plan.streamIds;
  }
}

/** A datapoint as it was stored. */
export interface StoredDatapoint {
  readonly stream: LiveStream;
  readonly timestampMs: number;
  readonly stored: unknown;
}
