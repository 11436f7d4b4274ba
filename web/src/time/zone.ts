/** A time on the clock and calendar of some zone. Months count from 1. */
export interface ClockTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Whether the platform knows a zone of this name. */
export function isTimeZone(name: string): boolean {
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/** What a clock in the zone shows. @throws {RangeError} when there is no such zone. */
export function clockTime(instantMs: number, zone: string): ClockTime {
  return fieldsOf(localMs(instantMs, zone));
}

/** What a clock in the zone shows, as milliseconds since it showed 1970: arithmetic of days and hours is plain there. */
export function localMs(instantMs: number, zone: string): number {
  return instantMs + zoneOffsetMs(instantMs, zone);
}

/** How far the zone's clock is ahead of UTC. */
function zoneOffsetMs(instantMs: number, zone: string): number {
  if (zone === 'UTC') return 0;
  const parts: Record<string, number> = {};
  for (const { type, value } of formatOf(zone).formatToParts(instantMs))
    parts[type] = Number(value);
  const { year, month, day, hour, minute, second } = parts as Record<string, number>;
  const shownMs = Date.UTC(year!, month! - 1, day!, hour! % 24, minute!, second!);
  return shownMs - Math.floor(instantMs / 1000) * 1000;
}

/**
 * When a clock in the zone shows a time. Of a time that it shows twice, the first; of one that it skips, the instant
 * as long after the change.
 */
export function instantOfLocal(shownMs: number, zone: string): number {
  const before = zoneOffsetMs(shownMs - 86_400_000, zone);
  const after = zoneOffsetMs(shownMs + 86_400_000, zone);
  const early = shownMs - before;
  if (zoneOffsetMs(early, zone) === before) return early;
  const late = shownMs - after;
  return zoneOffsetMs(late, zone) === after ? late : early;
}

/** The parts of local milliseconds. */
export function fieldsOf(shownMs: number): ClockTime {
  const date = new Date(shownMs);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    millisecond: date.getUTCMilliseconds(),
  };
}

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(zone, format);
  }
  return format;
}
