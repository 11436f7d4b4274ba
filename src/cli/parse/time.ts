import { durationOf } from '../../model/duration.ts';
import { TIME_MAX_MS, TIME_MIN_MS } from '../../model/time-range.ts';
import { usageError } from '../cli-error.ts';

/** Epoch numbers below this size are seconds, others milliseconds: 1e11 s is the year 5138. */
const EPOCH_SECONDS_LIMIT = 1e11;

const ISO_DATE = '(?:\\d{4}|[+-]\\d{6})-(\\d{2})-(\\d{2})';
const ISO_CLOCK = '\\d{2}:\\d{2}(?::\\d{2}(?:\\.\\d{1,9})?)?';
const ISO = new RegExp(`^(${ISO_DATE})(?:[Tt ](${ISO_CLOCK})([Zz]|[+-]\\d{2}:?\\d{2})?)?$`);
const EPOCH = /^[+-]?\d+(?:\.\d+)?$/;
const RELATIVE = /^(?:now)?([+-])(.+)$/;

/**
 * Reads a length of time as `durationOf` does, such as `500ms`, `10s`, `5m`, `1h30m`, `2d`, `1w`, in milliseconds;
 * more than 0.
 * @throws {CliError} USAGE when it is not one.
 */
export function parseDuration(text: string): number {
  const durationMs = durationOf(text);
  if (durationMs !== null) return durationMs;
  throw usageError(
    `Not a duration: ${JSON.stringify(text)}; expected e.g. 500ms, 10s, 5m, 1h or 2d.`,
  );
}

/**
 * Reads an instant: ISO 8601 (UTC unless a zone is given), epoch seconds or milliseconds (numbers of a
 * size below 1e11 are seconds), `now`, or relative to it (`-1h`, `+5m`, `now-1h`).
 * @throws {CliError} USAGE when it is none of these.
 */
export function parseTime(text: string, now: Date): Date {
  const timeMs = timeMsOf(text.trim(), now);
  if (timeMs !== null && timeMs >= TIME_MIN_MS && timeMs <= TIME_MAX_MS) return new Date(timeMs);
  throw usageError(
    `Not a time: ${JSON.stringify(text)}; expected ISO 8601, epoch seconds or milliseconds, now, or e.g. -1h.`,
  );
}

function timeMsOf(text: string, now: Date): number | null {
  if (text === 'now') return now.getTime();
  if (EPOCH.test(text)) {
    const value = Number(text);
    return Math.round(Math.abs(value) < EPOCH_SECONDS_LIMIT ? value * 1000 : value);
  }
  const iso = isoTimeMs(text);
  if (iso !== null) return iso;
  const relative = RELATIVE.exec(text);
  if (relative === null) return null;
  const lengthMs = parseDuration(relative[2]!);
  return now.getTime() + (relative[1] === '-' ? -lengthMs : lengthMs);
}

function isoTimeMs(text: string): number | null {
  const match = ISO.exec(text);
  if (match === null) return null;
  const [, date, month, day, clock, zone] = match;
  const timeMs = Date.parse(`${date}T${clock ?? '00:00'}${(zone ?? 'Z').toUpperCase()}`);
  if (Number.isNaN(timeMs)) return null;
  // Date.parse rolls 31 February over into March; the day of the month must survive.
  const dayMs = Date.parse(`${date}T00:00Z`);
  const parsed = new Date(dayMs);
  const isSameDay =
    parsed.getUTCMonth() + 1 === Number(month) && parsed.getUTCDate() === Number(day);
  return isSameDay ? timeMs : null;
}
