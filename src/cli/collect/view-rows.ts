import type { Datastream } from '../../api/datastream.ts';
import type { HostStream } from '../../collect/host-streams.ts';
import { Granularity } from '../../model/granularity.ts';

/** How far back the view looks. */
const WINDOW_MS = 60_000;

interface BucketSummary {
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

/** One line of the view. */
export interface ViewRow {
  readonly title: string;
  readonly unit: string;
  /** At the moment of the view; null where the stream has no value then. */
  readonly value: number | null;
  /** Raw values of the last minute, ascending in time. */
  readonly recent: readonly (number | null)[];
  /** Of the 10 s buckets of the last minute; null before the first one. */
  readonly summary: BucketSummary | null;
}

/** Reads the values that streams have at one moment. */
export function readValues(
  datastream: Datastream,
  streams: readonly HostStream[],
  timestamp: Date,
): Promise<readonly ViewRow[]> {
  return Promise.all(
    streams.map(async (stream) => {
      const { recent, value } = await readRecent(datastream, stream, {
        startMs: timestamp.getTime(),
        endMs: timestamp.getTime(),
      });
      return { title: stream.title, unit: stream.unit, value, recent, summary: null };
    }),
  );
}

/** Reads the last minute of streams: values, and the buckets that are downsampled. */
export function readRows(
  datastream: Datastream,
  streams: readonly HostStream[],
  timestamp: Date,
): Promise<readonly ViewRow[]> {
  const endMs = timestamp.getTime();
  const startMs = endMs - WINDOW_MS + 1000;
  return Promise.all(
    streams.map(async (stream) => {
      const { recent, value } = await readRecent(datastream, stream, { startMs, endMs });
      const summary = await readSummary(datastream, stream, startMs);
      return { title: stream.title, unit: stream.unit, value, recent, summary };
    }),
  );
}

async function readRecent(
  datastream: Datastream,
  { streamId }: HostStream,
  { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
): Promise<Pick<ViewRow, 'recent' | 'value'>> {
  const recent: (number | null)[] = [];
  let value: number | null = null;
  const range = { start: startMs, end: endMs };
  for await (const { t, v } of datastream.getData(streamId, Granularity.Seconds, range)) {
    recent.push(v);
    if (t.getTime() === endMs) value = v;
  }
  return { recent, value };
}

async function readSummary(
  datastream: Datastream,
  { streamId }: HostStream,
  startMs: number,
): Promise<BucketSummary | null> {
  let [count, mean] = [0, 0];
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for await (const { v } of datastream.getData(streamId, Granularity.Seconds10, {
    start: startMs,
    valueDownsamplers: ['mean', 'min', 'max', 'count'],
    timeDownsamplers: [],
  })) {
    if (v.c === 0) continue;
    count += v.c;
    mean += (v.m - mean) * (v.c / count);
    min = Math.min(min, v.l);
    max = Math.max(max, v.u);
  }
  return count === 0 ? null : { mean, min, max };
}
