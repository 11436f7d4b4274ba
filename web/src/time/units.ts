export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
export const WEEK_MS = 7 * DAY_MS;
/** Means of the calendar: windows of these lengths, never bounds of buckets. */
export const MONTH_MS = 30 * DAY_MS;
export const YEAR_MS = 365 * DAY_MS;

const UNIT_MS: Readonly<Record<string, number>> = {
  milliseconds: 1,
  seconds: SECOND_MS,
  minutes: MINUTE_MS,
  hours: HOUR_MS,
  days: DAY_MS,
  weeks: WEEK_MS,
  months: MONTH_MS,
  quarters: 3 * MONTH_MS,
  years: YEAR_MS,
};

/** Length of a bucket by the name of its level, as in `10minutes` or `days@Europe/Paris`; 0 for an unknown name. */
export function granularityMs(name: string): number {
  const match = /^(\d*)([a-z]+?)s?(?:@|$)/.exec(name);
  if (match === null) return 0;
  const [, count = '', unit = ''] = match;
  return (count === '' ? 1 : Number(count)) * (UNIT_MS[`${unit}s`] ?? 0);
}
