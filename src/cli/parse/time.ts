import { durationOf } from '../../model/duration.ts';
import { DURATION_SYNTAX, TIME_SYNTAX, timeMsOf } from '../../text/time.ts';
import { usageError } from '../cli-error.ts';

/** Reads a length of time, in milliseconds; more than 0. @throws {CliError} USAGE when it is not one. */
export function parseDuration(text: string): number {
  const durationMs = durationOf(text);
  if (durationMs !== null) return durationMs;
  throw usageError(`Not a duration: ${JSON.stringify(text)}; expected ${DURATION_SYNTAX}.`);
}

/** Reads an instant. @throws {CliError} USAGE when it is not one. */
export function parseTime(text: string, now: Date): Date {
  const timeMs = timeMsOf(text, now);
  if (timeMs !== null) return new Date(timeMs);
  throw usageError(`Not a time: ${JSON.stringify(text)}; expected ${TIME_SYNTAX}.`);
}
