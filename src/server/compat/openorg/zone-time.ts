import { ZoneOffsets } from '../../../model/zone-offsets.ts';

const MINUTE_MS = 60_000;

/** ISO 8601 as clocks of a time zone show it, with their offset: `2011-10-30T01:30:00+01:00`. */
export function zonedText(timestampMs: number, timeZone: string): string {
  const { offsetMs } = ZoneOffsets.of(timeZone).spanAt(timestampMs);
  const local = new Date(timestampMs + offsetMs).toISOString().replace(/(?:\.000)?Z$/, '');
  const minutes = Math.round(Math.abs(offsetMs) / MINUTE_MS);
  const two = (count: number): string => String(count).padStart(2, '0');
  const sign = offsetMs < 0 ? '-' : '+';
  return `${local}${sign}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** Without the offset, as in `2011-10-30 01:30:00`. */
export function clockText(timestampMs: number, timeZone: string): string {
  return zonedText(timestampMs, timeZone).slice(0, -6).replace('T', ' ');
}
