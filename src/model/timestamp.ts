import { InvalidTimestamp } from '../exceptions/errors.ts';
import { shownValue } from './shown-value.ts';
import { SECOND_MS, TIME_MAX_MS, type TimeRange } from './time-range.ts';

/**
 * Reads what a caller gave as an instant, cut to the whole second, or other step, at or before it.
 * @throws {InvalidTimestamp} when it is no `Date` or number of milliseconds, or outside the range.
 */
export function parseTimestamp(
  value: unknown,
  range: TimeRange,
  stepMs: number = SECOND_MS,
): number {
  const timestampMs = instantMs(value);
  const cutMs = Math.floor(timestampMs / stepMs) * stepMs;
  if (cutMs < range.startMs || cutMs >= range.endMs) {
    throw new InvalidTimestamp(
      `The timestamp ${describe(timestampMs)} is outside of what the store can hold: ` +
        `${describe(range.startMs)} to ${describe(range.endMs - 1)}.`,
    );
  }
  return cutMs;
}

/**
 * Epoch milliseconds of a `Date` or a finite number.
 * @throws {InvalidTimestamp} when it is neither.
 */
export function instantMs(value: unknown): number {
  const timestampMs = value instanceof Date ? value.getTime() : value;
  if (typeof timestampMs !== 'number' || !Number.isFinite(timestampMs)) {
    throw new InvalidTimestamp(
      `${describe(value)} is not a timestamp: expected a valid Date or a number of epoch milliseconds.`,
    );
  }
  return timestampMs;
}

function describe(value: unknown): string {
  const timestampMs = value instanceof Date ? value.getTime() : value;
  if (Number.isNaN(timestampMs)) return 'An invalid Date';
  if (typeof timestampMs === 'number' && Math.abs(timestampMs) <= TIME_MAX_MS) {
    return new Date(timestampMs).toISOString();
  }
  return shownValue(value);
}
