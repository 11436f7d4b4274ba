import type { Datastream } from '../../api/datastream.ts';
import type { Stream } from '../../api/types.ts';
import { TIME_MIN_MS } from '../../model/time-range.ts';
import type { Threshold } from './rule-definition.ts';

/** Values that are looked at, at once: of more, the newest. */
const VALUE_COUNT_MAX = 10_000;
const RAW = 'raw';

/** Rows among which the first look finds a value: buckets may be empty. */
const FIRST_ROW_COUNT = 100;

interface ObservedValue {
  readonly timeMs: number;
  readonly value: number;
}

export interface Observation {
  readonly values: readonly ObservedValue[];
  /** Of the last row that was looked at, whether it had a value or not; null: there was none. */
  readonly newestMs: number | null;
}

/**
 * The values of a stream, or of one of its levels, behind `seenMs`, in the order of time; null: the newest one
 * alone.
 * Of a level, buckets that maintenance has computed. What is no number, or missing, is left out.
 * @throws {RangeError} when the stream does not have the level, or the value downsampler.
 */
export async function observedValues(
  datastream: Datastream,
  stream: Stream,
  {
    level,
    valueDownsampler,
    seenMs,
  }: Pick<Threshold, 'level' | 'valueDownsampler'> & { readonly seenMs: number | null },
): Promise<Observation> {
  if (level !== RAW) assertHas(stream, { level, valueDownsampler });
  const granularity = level === RAW ? stream.highestGranularity : level;
  const { timestamps, values, v } = await datastream
    .getData(stream.id, granularity, {
      reverse: true,
      ...(seenMs === null ? { start: TIME_MIN_MS } : { startExclusive: seenMs }),
      ...(valueDownsampler !== undefined && { valueDownsamplers: [valueDownsampler] }),
    })
    .slice(0, seenMs === null ? FIRST_ROW_COUNT : VALUE_COUNT_MAX)
    .columns();
  const column = level === RAW ? values : Object.values(v ?? {})[0];
  const observed: ObservedValue[] = [];
  for (let i = timestamps.length - 1; i >= 0; i--) {
    const value = numberOf(column?.[i]);
    if (!Number.isNaN(value)) observed.push({ timeMs: timestamps[i]!, value });
  }
  const newestMs = timestamps[0] ?? null;
  return { values: seenMs === null ? observed.slice(-1) : observed, newestMs };
}

function assertHas(
  { id, levels, valueDownsamplers }: Stream,
  { level, valueDownsampler = '' }: Pick<Threshold, 'level' | 'valueDownsampler'>,
): void {
  const names: readonly string[] = levels.map(({ name }) => name);
  if (!names.includes(level)) {
    throw new RangeError(
      `The stream ${id} has no level ${JSON.stringify(level)}; expected one of ${names.join(', ')}.`,
    );
  }
  if (!valueDownsamplers.includes(valueDownsampler)) {
    const known = valueDownsamplers.join(', ');
    throw new RangeError(
      `The stream ${id} has no value downsampler ${JSON.stringify(valueDownsampler)}; expected one of ${known}.`,
    );
  }
}

/** NaN for whatever is no number; those of high accuracy lose what a threshold does not need. */
function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  if (value === null || value === undefined || typeof value === 'string') return Number.NaN;
  return Number(String(value));
}
