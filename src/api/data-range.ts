import { bucketEndMs, bucketStartMs, type Granularity } from '../model/granularity.ts';
import { shownValue } from '../model/shown-value.ts';
import { TIME_END_MS, TIME_MIN_MS, type TimeRange } from '../model/time-range.ts';
import { instantMs } from '../model/timestamp.ts';
import { checkFlag, checkKeys, checkNames, checkWhole } from './option-checks.ts';
import type { DataRange, Thinning, TimeBounds } from './types.ts';

const BOUND_KEYS: readonly (keyof TimeBounds)[] = Object.freeze([
  'start',
  'startExclusive',
  'end',
  'endExclusive',
]);
const BOUND_KEY_SET: ReadonlySet<string> = new Set(BOUND_KEYS);
const KEYS: ReadonlySet<string> = new Set<keyof DataRange>([
  ...BOUND_KEYS,
  'reverse',
  'live',
  'fallback',
  'fill',
  'maxPoints',
  'thin',
  'valueDownsamplers',
  'timeDownsamplers',
]);

const THINNING_KEYS: ReadonlySet<string> = new Set<keyof Thinning>(['points', 'method', 'by']);
const FILLS: readonly unknown[] = Object.freeze(['null', 'previous', 'linear']);

/** Bounds of a read, checked: instants in epoch milliseconds. */
export interface CheckedRange {
  readonly startMs: number;
  readonly isStartExclusive: boolean;
  /** Excluded. */
  readonly endMs: number;
}

/**
 * Checks the bounds that a caller gave.
 * @throws {TypeError} {RangeError} unless there is exactly one start and at most one end; with `maxPoints` the start
 * may be left out.
 * @throws {InvalidTimestamp} when a bound is not an instant.
 */
export function checkRange(range: DataRange): CheckedRange {
  checkKeys(range, KEYS, 'getData');
  checkFlag(range.reverse, 'reverse');
  checkFlag(range.live, 'live');
  checkFlag(range.fallback, 'fallback');
  checkFill(range.fill);
  checkNames(range.valueDownsamplers, 'valueDownsamplers');
  checkNames(range.timeDownsamplers, 'timeDownsamplers');
  checkThinning(range.thin);
  const { start, startExclusive, maxPoints } = range;
  if (maxPoints !== undefined) checkWhole(maxPoints, 'maxPoints', 1);
  const isOpen = start === undefined && startExclusive === undefined && maxPoints !== undefined;
  return checkedBounds(isOpen ? { ...range, start: TIME_MIN_MS } : range, 'getData');
}

function checkThinning(thin: Thinning | undefined): void {
  if (thin === undefined) return;
  checkKeys(thin, THINNING_KEYS, 'thin');
  const { points, method = 'lttb', by } = thin;
  checkWhole(points, 'thin.points', 2);
  if (method !== 'lttb' && method !== 'even') {
    throw new TypeError(`thin.method is 'lttb' or 'even', not ${shownValue(method)}.`);
  }
  if (by !== undefined && (typeof by !== 'string' || method === 'even')) {
    throw new TypeError("thin.by names the value downsampler whose shape the method 'lttb' keeps.");
  }
}

function checkFill(fill: unknown): void {
  if (fill === undefined || FILLS.includes(fill) || Number.isFinite(fill)) return;
  throw new TypeError(
    `fill is ${FILLS.map((name) => `'${name}'`).join(', ')} or a finite number, not ${shownValue(fill)}.`,
  );
}

/**
 * The bounds of raw datapoints, given alone.
 * @throws as `checkRange` does.
 */
export function checkRawBounds(bounds: TimeBounds, what: string): CheckedRange {
  checkKeys(bounds, BOUND_KEY_SET, what);
  return checkedBounds(bounds, what);
}

function checkedBounds(
  { start, startExclusive, end, endExclusive }: TimeBounds,
  what: string,
): CheckedRange {
  if ((start === undefined) === (startExclusive === undefined)) {
    throw new TypeError(`${what} takes exactly one of start and startExclusive.`);
  }
  if (end !== undefined && endExclusive !== undefined) {
    throw new TypeError(`${what} takes at most one of end and endExclusive.`);
  }
  return {
    startMs: instantMs(start ?? startExclusive),
    isStartExclusive: start === undefined,
    endMs: checkEnd(end, endExclusive),
  };
}

function checkEnd(end: unknown, endExclusive: unknown): number {
  if (end !== undefined) return instantMs(end) + 1;
  return endExclusive === undefined ? TIME_END_MS : instantMs(endExclusive);
}

/**
 * Of raw datapoints. Mostly their timestamps are whole seconds: a start within a second takes that second in.
 * @param stepMs what timestamps are cut to.
 */
export function rawRange(
  { startMs, isStartExclusive, endMs }: CheckedRange,
  stepMs: number,
): TimeRange {
  return { startMs: isStartExclusive ? startMs + 1 : Math.floor(startMs / stepMs) * stepMs, endMs };
}

/** Of bucket starts: a start is rounded down to its bucket, an excluded one skips its whole bucket. */
export function bucketRange(
  { startMs, isStartExclusive, endMs }: CheckedRange,
  granularity: Granularity,
): TimeRange {
  const firstMs = (isStartExclusive ? bucketEndMs : bucketStartMs)(startMs, granularity);
  return { startMs: firstMs, endMs };
}
