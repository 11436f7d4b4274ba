import { isoTimeMs, timeMsOf } from '../../../text/time.ts';
import { Problem } from '../../http/problem.ts';
import type { YCast } from './feed-record.ts';

const NAME_LENGTH_MAX = 100;
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const INTEGER = /^[+-]?\d+$/;
const HOUR_MS = 3_600_000;
const AGE_MAX_HOURS = 24 * 366 * 100;
/** Rows of one instant that have ids of their own. */
const ROWS_PER_MS = 1000;
const X_MAX_MS = Math.floor(Number.MAX_SAFE_INTEGER / ROWS_PER_MS) - 1;

/** What a member of a chart's items is called beside the names of axes. */
export const DATE_KEY = 'date';

/** The name of a feed or an axis. @throws {Problem} 400 */
export function checkedName(given: string, what: 'feed' | 'axis'): string {
  const name = given.normalize('NFC');
  const isFit = name.length > 0 && name.length <= NAME_LENGTH_MAX && name.trim() === name;
  if (isFit && !/[/\p{Cc}]/u.test(name) && !(what === 'axis' && name === DATE_KEY)) return name;
  throw new Problem(
    400,
    `name: expected 1 to ${NAME_LENGTH_MAX} characters without /${what === 'axis' ? `, and not ${DATE_KEY}` : ''}, not ${quoted(given)}.`,
    { field: 'name' },
  );
}

/** When something was measured; without it, now. @throws {Problem} 400 */
export function instantOfX(text: string | undefined, now: Date): number {
  if (text === undefined || text.trim() === '') return now.getTime();
  const trimmed = text.trim();
  // Relative times are for people who read.
  const timeMs = /^(?:now|[+-].*[a-z])/.test(trimmed) ? isoTimeMs(trimmed) : timeMsOf(trimmed, now);
  if (timeMs !== null && Math.abs(timeMs) <= X_MAX_MS) return timeMs;
  throw new Problem(
    400,
    `x: expected a time such as 2026-11-21 21:14:53.280, ISO 8601 or an epoch number, not ${quoted(text)}.`,
    { field: 'x' },
  );
}

/** @throws {Problem} 400 naming the value and what the feed takes. */
export function numberOfY(text: string | undefined, cast: YCast): number {
  if (text === undefined) throw new Problem(400, 'y: there is no value.', { field: 'y' });
  const trimmed = text.trim();
  const isFit =
    cast === 'int'
      ? INTEGER.test(trimmed) && Number.isSafeInteger(Number(trimmed))
      : NUMBER.test(trimmed) && Number.isFinite(Number(trimmed));
  if (isFit) return Number(trimmed);
  const expected = cast === 'int' ? 'a whole number (int)' : 'a number (float)';
  throw new Problem(400, `y: expected ${expected}, not ${quoted(text)}.`, { field: 'y' });
}

/** How old rows may be, in milliseconds. @throws {Problem} 400 */
export function ageMsOf(text: string): number {
  const hours = NUMBER.test(text) ? Number(text) : Number.NaN;
  if (hours >= 0 && hours <= AGE_MAX_HOURS) return Math.round(hours * HOUR_MS);
  throw new Problem(400, `age: expected hours, not ${quoted(text)}.`, { field: 'age' });
}

/** @throws {Problem} 400 */
export function rowIdOf(text: string): number {
  const id = INTEGER.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(id)) return id;
  throw new Problem(400, `id: expected the id of a row, not ${quoted(text)}.`, { field: 'id' });
}

/**
 * The id of the row that is the so-maniest of its instant, from 0. Ids grow with x, and, at the same x, in the order
 * in which rows came.
 */
export function rowId(timestampMs: number, nth: number): number {
  return timestampMs * ROWS_PER_MS + Math.min(nth, ROWS_PER_MS - 1);
}

/** The instant that an id is of. */
export function instantOfRow(id: number): number {
  return Math.floor(id / ROWS_PER_MS);
}

/** Whether there may be one more row of an instant. */
export function isRoomFor(count: number): boolean {
  return count < ROWS_PER_MS;
}

/** As clients know it: `2026-11-21 21:14:53.280`, in UTC. */
export function xText(timestampMs: number): string {
  return new Date(timestampMs).toISOString().replace('T', ' ').replace('Z', '');
}

/** As `xText`, in whole seconds. */
export function entryText(timestampMs: number): string {
  return xText(timestampMs).replace(/\.\d+$/, '');
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
