import type { Datastream } from '../../api/datastream.ts';
import { Granularity } from '../../model/granularity.ts';
import type { TimeRange } from '../../model/time-range.ts';
import type { KnownStream } from './known-streams.ts';
import { cutMs, type Rows, valueAt } from './rows.ts';

/** Timestamps so many times farther apart than they are on the average are read apart. */
const GAP_FACTOR = 10;

/** What a stream has at the timestamps of rows, as values by timestamp. @throws {StreamNotFound} */
export async function storedAtRows(
  datastream: Datastream,
  stream: KnownStream,
  rows: Rows,
): Promise<Map<number, unknown[]>> {
  const wanted = timestampsOf(stream, rows, datastream.supports.timestampRange);
  const stored = new Map<number, unknown[]>(wanted.map((timestampMs) => [timestampMs, []]));
  for (const [start, end] of denseRanges(wanted)) {
    const data = datastream.getData(stream.id, Granularity.Milliseconds, { start, end });
    for await (const { timestamps, values } of data.columnBlocks()) {
      for (let row = 0; row < timestamps.length; row++) {
        stored.get(timestamps[row]!)?.push(valueAt({ values: values! }, row));
      }
    }
  }
  return stored;
}

/** Timestamps of the rows at which the stream may have something, ascending. */
function timestampsOf(
  { stepMs, latestMs }: KnownStream,
  { timestamps }: Rows,
  { startMs }: TimeRange,
): number[] {
  const wanted = new Set<number>();
  for (const givenMs of timestamps) {
    const timestampMs = cutMs(givenMs, stepMs);
    if (timestampMs >= startMs && timestampMs <= latestMs) wanted.add(timestampMs);
  }
  return [...wanted].sort((a, b) => a - b);
}

/** Ranges, ends included, that have all the timestamps, and not much else. */
function denseRanges(timestamps: readonly number[]): readonly (readonly [number, number])[] {
  if (timestamps.length === 0) return [];
  const lengthMs = timestamps.at(-1)! - timestamps[0]!;
  const gapMaxMs = (GAP_FACTOR * lengthMs) / timestamps.length;
  const ranges: [number, number][] = [];
  for (const timestampMs of timestamps) {
    const last = ranges.at(-1);
    if (last === undefined || timestampMs - last[1] > gapMaxMs) {
      ranges.push([timestampMs, timestampMs]);
    } else last[1] = timestampMs;
  }
  return ranges;
}
