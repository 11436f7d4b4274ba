import type { StreamId } from '../model/stream.ts';
import { cutToSecond, type TimeRange } from '../model/time-range.ts';
import type { AppendItem, StoredDatapoint } from './append-request.ts';
import type { LiveStream } from './live-stream.ts';

/** Fewer streams are no tick. */
const STREAM_COUNT_MIN = 4;

/** One number or null for each of some streams, at one instant after the other. */
export interface ItemGrid {
  /** One stream, or at least four; one may be there twice. */
  readonly streamIds: readonly StreamId[];
  /** Whole seconds; of several streams strictly ascending. */
  readonly timestampsMs: Float64Array;
  /** Of all items, as they were given, where not all of them are whole seconds; else null. */
  readonly givenMs: Float64Array | null;
  /** Instant by instant, in the order of the streams; NaN = null. The caller's to keep. */
  readonly values: Float64Array;
}

/** An item as a caller gives it. */
export interface GivenItem {
  readonly streamId: unknown;
  readonly value?: unknown;
  readonly timestamp?: unknown;
}

/** Reads items, at least one, as a grid with instants inside the range; null when they are anything else. */
export function itemGridOf(items: readonly GivenItem[], range: TimeRange): ItemGrid | null {
  const streamIds = periodOf(items);
  const streamCount = streamIds.length;
  const instantCount = items.length / streamCount;
  if (!Number.isInteger(instantCount)) return null;
  if (streamCount > 1 && streamCount < STREAM_COUNT_MIN) return null;
  const timestampsMs = new Float64Array(instantCount);
  const values = new Float64Array(items.length);
  let previousMs = Number.NEGATIVE_INFINITY;
  let isCut = false;
  for (let instant = 0, row = 0; instant < instantCount; instant++) {
    const timestampMs = cutToSecond(msOf(items[row]!.timestamp));
    if (!(timestampMs >= range.startMs && timestampMs < range.endMs)) return null;
    if (streamCount > 1 && timestampMs <= previousMs) return null;
    timestampsMs[instant] = timestampMs;
    previousMs = timestampMs;
    for (let column = 0; column < streamCount; column++, row++) {
      const { streamId, timestamp, value } = items[row]!;
      const givenMs = msOf(timestamp);
      if (streamId !== streamIds[column] || cutToSecond(givenMs) !== timestampMs) return null;
      if (givenMs !== timestampMs) isCut = true;
      if (typeof value === 'number' && Number.isFinite(value)) values[row] = value;
      else if (value === null) values[row] = Number.NaN;
      else return null;
    }
  }
  const givenMs = isCut ? Float64Array.from(items, ({ timestamp }) => msOf(timestamp)) : null;
  return { streamIds: streamIds as StreamId[], timestampsMs, givenMs, values };
}

/** The items that the grid was read from. */
export function itemsOf({
  streamIds,
  timestampsMs,
  givenMs,
  values,
}: ItemGrid): readonly AppendItem[] {
  return Array.from(values, (value, row) => ({
    streamId: streamIds[row % streamIds.length]!,
    value: Number.isNaN(value) ? null : value,
    timestamp: givenMs?.[row] ?? timestampsMs[Math.floor(row / streamIds.length)]!,
  }));
}

/** The stream ids up to where the first one comes again. */
function periodOf(items: readonly GivenItem[]): readonly unknown[] {
  const first = items[0]!.streamId;
  let count = 1;
  while (count < items.length && items[count]!.streamId !== first) count++;
  return items.slice(0, count).map(({ streamId }) => streamId);
}

/** NaN for what is no instant. */
function msOf(timestamp: unknown): number {
  if (typeof timestamp === 'number') return timestamp;
  return timestamp instanceof Date ? timestamp.getTime() : Number.NaN;
}

/** What the items of a grid are stored as, in their order. */
export function datapointsOf(
  { timestampsMs, values }: ItemGrid,
  streams: readonly LiveStream[],
): readonly StoredDatapoint[] {
  const datapoints: StoredDatapoint[] = [];
  for (let row = 0, instant = 0; row < values.length; instant++) {
    const timestampMs = timestampsMs[instant]!;
    for (let column = 0; column < streams.length; column++, row++) {
      const value = values[row]!;
      const stored = Number.isNaN(value) ? null : value;
      datapoints.push({ stream: streams[column]!, timestampMs, stored });
    }
  }
  return datapoints;
}
