import { assert } from './assert.ts';

/** Epoch milliseconds of the earliest instant that a `Date` holds. */
export const TIME_MIN_MS = -8.64e15;
/** Epoch milliseconds of the latest instant that a `Date` holds. */
export const TIME_MAX_MS = 8.64e15;
/** Exclusive end of all time: a range that ends here has no end. */
export const TIME_END_MS: number = TIME_MAX_MS + 1;

/** Half-open `[startMs, endMs)` in epoch milliseconds. */
export interface TimeRange {
  readonly startMs: number;
  readonly endMs: number;
}

export const ALL_TIME: TimeRange = Object.freeze({ startMs: TIME_MIN_MS, endMs: TIME_END_MS });

/** An empty one. */
export const NO_RANGE: TimeRange = Object.freeze({ startMs: 0, endMs: 0 });

export function isEmptyRange(range: TimeRange): boolean {
  return range.endMs <= range.startMs;
}

/**
 * What is left of a range that is worked off from its start, once it is done up to an instant. The work must get
 * on: else it would have no end.
 */
export function restOfRange({ startMs, endMs }: TimeRange, doneMs: number): TimeRange {
  assert(doneMs > startMs, 'what is worked off part by part gets on with each of them');
  return { startMs: doneMs, endMs };
}

export function intersectRanges(a: TimeRange, b: TimeRange): TimeRange {
  return { startMs: Math.max(a.startMs, b.startMs), endMs: Math.min(a.endMs, b.endMs) };
}

/** What the timestamps of raw datapoints are cut to, unless their stream keeps milliseconds. */
export const SECOND_MS = 1000;

/** Cuts an instant to the whole second at or before it, also before 1970. */
export function cutToSecond(timestampMs: number): number {
  return Math.floor(timestampMs / 1000) * 1000;
}
