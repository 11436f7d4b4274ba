import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, WEEK_MS, YEAR_MS } from './units.ts';
import { type ClockTime, clockTime } from './zone.ts';

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

export function pad2(value: number): string {
  return String(value).padStart(2, '0');
}

/** As in `22 Nov 2026`. */
export function dateText({ year, month, day }: ClockTime): string {
  return `${day} ${MONTHS[month - 1]} ${year}`;
}

/** As in `22 Nov`. */
export function dayText({ month, day }: ClockTime): string {
  return `${day} ${MONTHS[month - 1]}`;
}

export function monthText({ month }: ClockTime): string {
  return MONTHS[month - 1]!;
}

/** As in `14:05:30`; with milliseconds where there are some. */
export function clockText({ hour, minute, second, millisecond }: ClockTime): string {
  const fraction = millisecond === 0 ? '' : `.${String(millisecond).padStart(3, '0')}`;
  return `${pad2(hour)}:${pad2(minute)}:${pad2(second)}${fraction}`;
}

/** As in `22 Nov 2026 14:05:30`. */
export function instantText(instantMs: number, zone: string): string {
  const time = clockTime(instantMs, zone);
  return `${dateText(time)} ${clockText(time)}`;
}

/** An ISO 8601 instant in whole seconds. */
export function secondText(iso: string, zone: string): string {
  return instantText(Math.floor(Date.parse(iso) / SECOND_MS) * SECOND_MS, zone);
}

/** A window without what both ends have in common: `22 Nov 2026 14:00 – 15:30`. */
export function windowText(
  { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
  zone: string,
): string {
  const start = clockTime(startMs, zone);
  const end = clockTime(endMs, zone);
  const hasSeconds = endMs - startMs < 10 * MINUTE_MS;
  const clock = (time: ClockTime): string =>
    hasSeconds ? clockText({ ...time, millisecond: 0 }) : `${pad2(time.hour)}:${pad2(time.minute)}`;
  const isOneDay = dateText(start) === dateText(end);
  const from = `${start.year === end.year && !isOneDay ? dayText(start) : dateText(start)} ${clock(start)}`;
  return `${from} – ${isOneDay ? '' : `${dateText(end)} `}${clock(end)}`;
}

/** How long, in at most two units: `3 d 4 h`, `12 s`, `350 ms`. */
export function durationText(durationMs: number): string {
  if (durationMs < SECOND_MS) return `${Math.round(durationMs)} ms`;
  const units = [
    ['y', YEAR_MS],
    ['d', DAY_MS],
    ['h', HOUR_MS],
    ['min', MINUTE_MS],
    ['s', SECOND_MS],
  ] as const;
  const first = units.findIndex(([, unitMs]) => durationMs >= unitMs);
  const [name, unitMs] = units[first]!;
  const count = Math.floor(durationMs / unitMs);
  const next = units[first + 1];
  const rest = next === undefined ? 0 : Math.floor((durationMs % unitMs) / next[1]);
  return rest === 0 || next === undefined
    ? `${count} ${name}`
    : `${count} ${name} ${rest} ${next[0]}`;
}

/** How long ago, in one unit: `now`, `12 s ago`, `3 weeks ago`. */
export function agoText(durationMs: number): string {
  if (durationMs < -MINUTE_MS) return `in ${oneUnit(-durationMs)}`;
  return durationMs < 2 * SECOND_MS ? 'now' : `${oneUnit(durationMs)} ago`;
}

function oneUnit(durationMs: number): string {
  if (durationMs < MINUTE_MS) return `${Math.floor(durationMs / SECOND_MS)} s`;
  if (durationMs < HOUR_MS) return `${Math.floor(durationMs / MINUTE_MS)} min`;
  if (durationMs < 2 * DAY_MS) return `${Math.floor(durationMs / HOUR_MS)} h`;
  if (durationMs < 2 * WEEK_MS) return `${Math.floor(durationMs / DAY_MS)} days`;
  if (durationMs < YEAR_MS) return `${Math.floor(durationMs / WEEK_MS)} weeks`;
  return `${Math.floor(durationMs / YEAR_MS)} years`;
}
