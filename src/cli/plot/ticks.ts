import type { TimeSpan } from './columns.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Of the Gregorian calendar, on average. */
const YEAR_MS = 365.2425 * DAY_MS;

/** A distance between time labels: a length of time, or whole years of the calendar. */
export interface TickStep {
  readonly lengthMs: number;
  /** Absent: the ticks are multiples of the length since 1970. */
  readonly yearCount?: number;
}

/** Distances between time labels that people count in; the last one is longer than all of time. */
const TICK_STEPS: readonly TickStep[] = [
  ...[1, 2, 5, 10, 15, 30].map((count) => ({ lengthMs: count * SECOND_MS })),
  ...[1, 2, 5, 10, 15, 30].map((count) => ({ lengthMs: count * MINUTE_MS })),
  ...[1, 2, 3, 6, 12].map((count) => ({ lengthMs: count * HOUR_MS })),
  ...[1, 2, 7, 14, 30, 90].map((count) => ({ lengthMs: count * DAY_MS })),
  ...[1, 10, 100, 1000, 10_000, 100_000]
    .flatMap((power) => [power, 2 * power, 5 * power])
    .concat(1_000_000)
    .map((yearCount) => ({ yearCount, lengthMs: yearCount * YEAR_MS })),
];

/** The smallest step whose labels do not touch. */
export function tickStep(
  span: TimeSpan,
  { columnCount, labelDistance }: { readonly columnCount: number; readonly labelDistance: number },
): TickStep {
  const lengthMs = span.endMs - span.startMs;
  const fitting = TICK_STEPS.find((step) => {
    const labelLength = Math.max(
      tickLabel(span.startMs, step, span).length,
      tickLabel(span.endMs, step, span).length,
    );
    return (step.lengthMs / lengthMs) * (columnCount - 1) >= labelLength + labelDistance;
  });
  return fitting ?? TICK_STEPS.at(-1)!;
}

/** The ticks of a span, ascending; may be none. */
export function* tickTimes(
  { lengthMs, yearCount }: TickStep,
  { startMs, endMs }: TimeSpan,
): Generator<number, void, undefined> {
  if (yearCount === undefined) {
    const firstMs = Math.ceil(startMs / lengthMs) * lengthMs;
    for (let timeMs = firstMs; timeMs <= endMs; timeMs += lengthMs) yield timeMs;
    return;
  }
  const endYear = new Date(endMs).getUTCFullYear();
  let year = Math.ceil(new Date(startMs).getUTCFullYear() / yearCount) * yearCount;
  for (; year <= endYear; year += yearCount) {
    // Date.UTC() takes years below 100 for those of the 20th century. NaN before the first of all days.
    const timeMs = new Date(0).setUTCFullYear(year, 0, 1);
    if (timeMs >= startMs && timeMs <= endMs) yield timeMs;
  }
}

/** What stands below a tick: a year, a date, or a time of the day with a date where days differ. */
export function tickLabel(timeMs: number, step: TickStep, span: TimeSpan): string {
  const time = new Date(timeMs);
  if (step.yearCount !== undefined) return String(time.getUTCFullYear());
  const [date, clock] = time.toISOString().split('T') as [string, string];
  if (step.lengthMs >= DAY_MS) return date;
  const text = step.lengthMs % MINUTE_MS === 0 ? clock.slice(0, 5) : clock.slice(0, 8);
  const isOneDay = Math.floor(span.startMs / DAY_MS) === Math.floor(span.endMs / DAY_MS);
  return isOneDay ? text : `${date.slice(-5)} ${text}`;
}
