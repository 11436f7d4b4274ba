import type { Block } from '../model/block.ts';
import { floats } from './downsampler.ts';

/** Columns of bucket states that totals are computed from. */
export const HELD_COMPONENTS = ['z', 'ar', 'hd', 'ta', 'tz'] as const;

/** The value of a datapoint that is held until the next one. */
export interface HeldValue {
  readonly value: number;
  readonly timestampMs: number;
}

/** What was held in each bucket of a range, those without data too. */
export interface HeldTotals {
  /** Values times the seconds for which they were held. */
  readonly areas: Float64Array;
  /** For how long there was a value. */
  readonly heldMs: Float64Array;
  readonly durationsMs: Float64Array;
}

export interface HeldRange {
  /** Of the buckets that have data; with the columns of `HELD_COMPONENTS`, if there are rows. */
  readonly block: Block;
  /** Where the buckets begin, ascending, and where the last one ends. */
  readonly boundsMs: Float64Array;
  /** The last datapoint before the range; null when there is none. */
  readonly before: HeldValue | null;
  /** When the last value ceases to be held, in buckets that are not over then. */
  readonly untilMs: number;
  /** For how long a value is held, at most; Infinity: until the next one. */
  readonly heartbeatMs: number;
}

/**
 * Adds up values held until the next datapoint. The state of a bucket says what happens between its first and
 * its last datapoint; what is held when it begins, and until it ends, is added here, so that a datapoint makes no
 * bucket stale but its own.
 */
export function heldTotals({
  block,
  boundsMs,
  before,
  untilMs,
  heartbeatMs,
}: HeldRange): HeldTotals {
  const bucketCount = boundsMs.length - 1;
  const areas = new Float64Array(bucketCount);
  const heldMs = new Float64Array(bucketCount);
  const durationsMs = new Float64Array(bucketCount);
  const { timestamps } = block;
  const rows = timestamps.length === 0 ? null : stateColumns(block);
  let value = before?.value ?? 0;
  let holdEndMs = before === null ? Number.NEGATIVE_INFINITY : before.timestampMs + heartbeatMs;
  const hold = (bucket: number, fromMs: number, toMs: number): void => {
    const durationMs = Math.min(toMs, holdEndMs) - fromMs;
    if (durationMs <= 0) return;
    areas[bucket]! += value * (durationMs / 1000);
    heldMs[bucket]! += durationMs;
  };
  let row = 0;
  for (let bucket = 0; bucket < bucketCount; bucket++) {
    const startMs = boundsMs[bucket]!;
    const endMs = Math.min(boundsMs[bucket + 1]!, untilMs);
    durationsMs[bucket] = boundsMs[bucket + 1]! - startMs;
    if (rows === null || timestamps[row] !== startMs) {
      hold(bucket, startMs, endMs);
      continue;
    }
    hold(bucket, startMs, startMs + rows.ta[row]!);
    areas[bucket]! += rows.ar[row]!;
    heldMs[bucket]! += rows.hd[row]!;
    const lastMs = startMs + rows.tz[row]!;
    value = rows.z[row]!;
    holdEndMs = lastMs + heartbeatMs;
    hold(bucket, lastMs, endMs);
    row++;
  }
  return { areas, heldMs, durationsMs };
}

/** The last datapoint of a block of bucket states; null when it has no rows. */
export function lastHeld(block: Block): HeldValue | null {
  const row = block.timestamps.length - 1;
  if (row < 0) return null;
  const { z, tz } = stateColumns(block);
  return { value: z[row]!, timestampMs: block.timestamps[row]! + tz[row]! };
}

type HeldComponent = (typeof HELD_COMPONENTS)[number];

/** Rows from before the stream kept a component do not know it: nor do those after them, up to the next datapoint. */
function stateColumns({
  timestamps,
  columns,
}: Block): Readonly<Record<HeldComponent, Float64Array>> {
  const stateOf = (name: HeldComponent): Float64Array =>
    columns[name] === undefined
      ? new Float64Array(timestamps.length).fill(Number.NaN)
      : floats(columns, name);
  return {
    z: stateOf('z'),
    ar: stateOf('ar'),
    hd: stateOf('hd'),
    ta: stateOf('ta'),
    tz: stateOf('tz'),
  };
}
