import type { StreamId } from '../model/stream.ts';
import { cutToSecond, type TimeRange } from '../model/time-range.ts';
import type { AppendItem } from './append-request.ts';

interface ItemTick {
  readonly timestampMs: number;
  readonly streamIds: StreamId[];
  /** NaN = null. */
  readonly values: Float64Array;
}

/**
 * Reads items as one finite number or null for each stream at one instant of the range; null when they are
 * anything else. A stream may be there twice.
 */
export function itemTickOf(items: readonly AppendItem[], range: TimeRange): ItemTick | null {
  const [first, second] = items;
  if (first === undefined || first.streamId === second?.streamId) return null;
  const timestampMs = secondOf(first.timestamp);
  if (!(timestampMs >= range.startMs && timestampMs < range.endMs)) return null;
  let sameInstant = first.timestamp;
  const streamIds: StreamId[] = [];
  const values = new Float64Array(items.length);
  for (let row = 0; row < items.length; row++) {
    const { streamId, timestamp, value } = items[row]!;
    if (timestamp !== sameInstant) {
      if (secondOf(timestamp) !== timestampMs) return null;
      sameInstant = timestamp;
    }
    if (value === null) values[row] = Number.NaN;
    else if (typeof value === 'number' && Number.isFinite(value)) values[row] = value;
    else return null;
    streamIds.push(streamId);
  }
  return { timestampMs, streamIds, values };
}

/** NaN for what is no finite number. */
function secondOf(timestamp: unknown): number {
  return typeof timestamp === 'number' ? cutToSecond(timestamp) : Number.NaN;
}
