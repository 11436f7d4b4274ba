import { operatorOf } from '../derive/registry.ts';
import { InvalidTimestamp } from '../exceptions/errors.ts';
import {
  bucketCeilMs,
  bucketStartMs,
  Granularity,
  type GranularityName,
} from '../model/granularity.ts';
import { ladderOf, type Rung } from '../model/ladder.ts';
import { type Expiry, expiredUntilMs, rowsFromMs } from '../model/retention.ts';
import type { Derivation, DeriveSource, StreamRecord } from '../model/stream.ts';
import { TIME_MAX_MS } from '../model/time-range.ts';
import { outputOffsetMs } from './output-offset.ts';

/** What tells where a stream begins. */
export interface StreamExtent {
  readonly record: StreamRecord;
  readonly earliestMs: number | null;
}

/** The first datapoint that the stream ever had, be it expired; null when there is none. */
export function originMs({ record, earliestMs }: StreamExtent): number | null {
  return record.expiry?.originMs ?? earliestMs;
}

/** Start of the first bucket of a level that is there, or will be; null while there are no datapoints. */
export function levelStartMs(stream: StreamExtent, granularity: Granularity): number | null {
  const firstMs = originMs(stream);
  if (firstMs === null) return null;
  return Math.max(bucketStartMs(firstMs, granularity), rowsFromMs(stream.record, granularity.name));
}

/** Start of the first bucket of a level that can be computed from what the stream still has. */
export function computableFromMs(
  record: StreamRecord,
  { granularity, finer }: Pick<Rung, 'granularity' | 'finer'>,
): number {
  const { expiry } = record;
  if (expiry === undefined) return Number.NEGATIVE_INFINITY;
  return Math.max(
    expiredUntilMs(record, granularity.name),
    // Finer rows are kept back to the start of the bucket in which they begin to expire.
    bucketStartMs(expiredUntilMs(record, finer.name), granularity),
    expiry.filledMs?.[granularity.name] ?? Number.NEGATIVE_INFINITY,
  );
}

/**
 * Start of the first bucket of each level that can be computed from raw datapoints through all levels
 * between; null when nothing has expired.
 */
export function fillableFromMs(
  record: StreamRecord,
): Readonly<Partial<Record<GranularityName, number>>> | null {
  if (record.expiry === undefined) return null;
  const { rungs, raw } = ladderOf(record);
  const untilMs = expiredUntilMs(record, raw.name);
  const fillable: Partial<Record<GranularityName, number>> = {};
  if (untilMs === Number.NEGATIVE_INFINITY) return null;
  for (const { granularity, finer, isFromRaw } of rungs) {
    fillable[granularity.name] = isFromRaw
      ? bucketStartMs(untilMs, granularity)
      : bucketCeilMs(fillable[finer.name]!, granularity);
  }
  return fillable;
}

/** What is known of expiry once the levels of a stream begin where they can be computed. */
export function withLevelsFrom(
  expiry: Expiry,
  levels: Readonly<Partial<Record<GranularityName, number>>>,
): Expiry {
  return { ...expiry, untilMs: { ...expiry.untilMs, ...levels } };
}

/**
 * The instant of the first input of which a derived stream can be computed: before it, inputs or its own outputs
 * have expired, or the bucket begins in which they did. -Infinity when nothing has.
 * @param list what it derives from. @param sources the streams of these, in their order.
 */
export function derivableFromMs(
  record: StreamRecord,
  list: readonly DeriveSource[],
  sources: readonly Pick<StreamExtent, 'record'>[],
): number {
  const { derivation, highestGranularity } = record;
  if (derivation === null) return Number.NEGATIVE_INFINITY;
  // Of its own outputs, the instants of the inputs that they come from.
  let fromMs = expiredUntilMs(record, highestGranularity) - outputOffsetMs(derivation);
  for (const [index, { granularity }] of list.entries()) {
    fromMs = Math.max(fromMs, expiredUntilMs(sources[index]!.record, granularity));
  }
  // Inputs of a bucket in which they begin to expire are kept.
  return operatorOf(derivation.op).reach.kind === 'bucket'
    ? bucketStartMs(fromMs, Granularity.byName(highestGranularity))
    : fromMs;
}

/**
 * A new derivation, whose sources count from where they have not expired: rows that are left of what has are those
 * that others needed. What goes on from its own outputs begins where these are kept, too: the others are of an
 * older definition.
 * @param own the derived stream as it is; null for a new one. @param sources those that it names, in their order.
 */
export function withKeptStarts(
  derivation: Derivation,
  own: StreamRecord | null,
  sources: readonly StreamRecord[],
): Derivation {
  const isRunning = operatorOf(derivation.op).reach.kind === 'running';
  const ownFromMs =
    isRunning && own !== null
      ? expiredUntilMs(own, own.highestGranularity)
      : Number.NEGATIVE_INFINITY;
  return {
    ...derivation,
    sources: derivation.sources.map((source, index) => {
      const fromMs = Math.max(expiredUntilMs(sources[index]!, source.granularity), ownFromMs);
      const afterMs = Math.max(source.afterMs ?? Number.NEGATIVE_INFINITY, fromMs - 1);
      return afterMs === Number.NEGATIVE_INFINITY ? source : { ...source, afterMs };
    }),
  };
}

/** @throws {InvalidTimestamp} when raw datapoints of that instant have expired. */
export function assertKept(record: StreamRecord, timestampMs: number): void {
  const untilMs = expiredUntilMs(record, record.highestGranularity);
  if (timestampMs >= untilMs) return;
  throw new InvalidTimestamp(
    `Raw datapoints of stream ${record.id} before ${new Date(untilMs).toISOString()} have expired, and ` +
      'what was computed from them cannot follow changes any more: ' +
      `nothing at ${isoOf(timestampMs)} can be changed.`,
  );
}

function isoOf(timestampMs: number): string {
  return Math.abs(timestampMs) <= TIME_MAX_MS ? new Date(timestampMs).toISOString() : 'its time';
}
