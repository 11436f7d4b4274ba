import { durationOf } from '../model/duration.ts';
import { TIME_MAX_MS, TIME_MIN_MS } from '../model/time-range.ts';

/** Epoch numbers below this size are seconds, others milliseconds: 1e11 s is the year 5138. */
const EPOCH_SECONDS_LIMIT = 1e11;

const ISO_DATE = '(?:\\d{4}|[+-]\\d{6})-(\\d{2})-(\\d{2})';
const ISO_CLOCK = '\\d{2}:\\d{2}(?::\\d{2}(?:\\.\\d{1,9})?)?';
const ISO = new RegExp(`^(${ISO_DATE})(?:[Tt ](${ISO_CLOCK})([Zz]|[+-]\\d{2}:?\\d{2})?)?$`);
const EPOCH = /^[+-]?\d+(?:\.\d+)?$/;
const RELATIVE = /^(?:now)?([+-])(.+)$/;

/** What `durationOf` reads, for messages. */
export const DURATION_SYNTAX = 'e.g. 500ms, 10s, 5m, 1h or 2d';

/** What `timeMsOf` reads, for messages. */
export const TIME_SYNTAX = 'ISO 8601, epoch seconds or milliseconds, now, or e.g. -1h';

/**
 * Reads an instant: ISO 8601 (UTC unless a zone is given), epoch seconds or milliseconds (numbers of a
 * size below 1e11 are seconds), `now`, or relative to it (`-1h`, `+5m`, `now-1h`). Null when it is none of
 * these, or no instant that a `Date` can hold.
 */
export function timeMsOf(text: string, now: Date): number | null {
  const timeMs = anyTimeMsOf(text.trim(), now);
  return timeMs !== null && timeMs >= TIME_MIN_MS && timeMs <= TIME_MAX_MS ? timeMs : null;
}

function anyTimeMsOf(text: string, now: Date): number | null {
  if (text === 'now') return now.getTime();
  if (EPOCH.test(text)) return Math.round(epochMs(Number(text)));
  const iso = isoTimeMs(text);
  if (iso !== null) return iso;
  const relative = RELATIVE.exec(text);
  if (relative === null) return null;
  const lengthMs = durationOf(relative[2]!);
  if (lengthMs === null) return null;
  return now.getTime() + (relative[1] === '-' ? -lengthMs : lengthMs);
}

/** Milliseconds of a number that is seconds where its size says so, and else milliseconds. */
export function epochMs(value: number): number {
  return Math.abs(value) < EPOCH_SECONDS_LIMIT ? value * 1000 : value;
}

/** Reads an instant of ISO 8601, of UTC unless a zone is given; null when it is none. */
export function isoTimeMs(text: string): number | null {
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
