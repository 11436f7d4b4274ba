import { timeText } from '../../../text/exact-json.ts';

export type DateFormat = 'iso-8601' | 'rfc-2822';

/** How instants are written, whatever language the host speaks. */
export function dateText(date: Date, format: DateFormat): string {
  // ECMAScript has this form for toUTCString, with GMT for the zone.
  return format === 'iso-8601' ? timeText(date) : date.toUTCString().replace(/GMT$/, '+0000');
}

/** What stands for no start: the first instant that the clients know. */
export const FIRST_INSTANT: Date = new Date('0001-01-01T00:00:00Z');

/** The value with every instant in it written. */
export function withDates(value: unknown, format: DateFormat): unknown {
  if (value instanceof Date) return dateText(value, format);
  if (Array.isArray(value)) return value.map((item) => withDates(item, format));
  if (
    typeof value !== 'object' ||
    value === null ||
    Object.getPrototypeOf(value) !== Object.prototype
  ) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, withDates(member, format)]),
  );
}
