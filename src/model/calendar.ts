import { assert } from './assert.ts';
import { UTC } from './time-zone.ts';
import { ZoneOffsets } from './zone-offsets.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** 1970-01-05, a Monday. */
const FIRST_MONDAY_MS = 4 * DAY_MS;

/** From the shortest to the longest. Weeks are from Monday, as ISO 8601 counts them, or from Sunday. */
export type CalendarUnit =
  | 'milliseconds'
  | 'seconds'
  | 'minutes'
  | 'hours'
  | 'days'
  | 'weeks'
  | 'sunday_weeks'
  | 'months'
  | 'quarters'
  | 'years';

export const CALENDAR_UNITS: readonly CalendarUnit[] = Object.freeze([
  'milliseconds',
  'seconds',
  'minutes',
  'hours',
  'days',
  'weeks',
  'sunday_weeks',
  'months',
  'quarters',
  'years',
]);

/** Buckets of so many units, on the clocks and calendars of a time zone. */
export interface CalendarStep {
  /** Whole, at least 1; a divisor of how many of the units the next larger one has. */
  readonly every: number;
  readonly unit: CalendarUnit;
  /** An IANA name. */
  readonly timeZone: string;
}

/** How long the units are that clocks count, and how many make the next larger unit. */
const CLOCK_UNITS: Readonly<Partial<Record<CalendarUnit, { sizeMs: number; limit: number }>>> = {
  milliseconds: { sizeMs: 1, limit: 1000 },
  seconds: { sizeMs: SECOND_MS, limit: 60 },
  minutes: { sizeMs: MINUTE_MS, limit: 60 },
  hours: { sizeMs: HOUR_MS, limit: 24 },
};
const MONTH_COUNTS: Readonly<Partial<Record<CalendarUnit, number>>> = {
  months: 1,
  quarters: 3,
  years: 12,
};
/** How many of a unit may make one bucket: the divisors of this. */
const EVERY_LIMITS: Readonly<Partial<Record<CalendarUnit, number>>> = { months: 12 };
/** So many of a unit are one of another. */
const LARGER_UNITS: Readonly<
  Partial<Record<CalendarUnit, Readonly<Record<number, CalendarUnit>>>>
> = {
  milliseconds: { 1000: 'seconds' },
  seconds: { 60: 'minutes' },
  minutes: { 60: 'hours' },
  hours: { 24: 'days' },
  months: { 3: 'quarters', 12: 'years' },
};

/** Cuts time into buckets that follow each other without gaps. Instants are epoch milliseconds, and finite. */
export interface Calendar {
  /** Start of the bucket that holds the instant. */
  startMs(instantMs: number): number;
  /** Exclusive end of the bucket that holds the instant: the start of the next. */
  endMs(instantMs: number): number;
}

/** Which numbers of a unit divide evenly into the next larger one, ascending. */
export function evenCounts(unit: CalendarUnit): readonly number[] {
  const limit = CLOCK_UNITS[unit]?.limit ?? EVERY_LIMITS[unit] ?? 1;
  return Array.from({ length: limit }, (_, index) => index + 1).filter(
    (count) => limit % count === 0,
  );
}

/** The one that stands for all steps with the same buckets: 60 seconds are a minute, in every zone. */
export function plainStep(step: CalendarStep): CalendarStep {
  const { every, unit, timeZone } = step;
  const larger = LARGER_UNITS[unit]?.[every];
  if (larger !== undefined) return plainStep({ every: 1, unit: larger, timeZone });
  // Clocks all over the world show the same seconds, but where they showed local mean time.
  return unit === 'milliseconds' || unit === 'seconds' ? { every, unit, timeZone: UTC } : step;
}

/** Whether all buckets are equally long, and begin at multiples of that. */
export function isRegular({ unit, timeZone }: CalendarStep): boolean {
  return timeZone === UTC && (unit === 'days' || CLOCK_UNITS[unit] !== undefined);
}

/** How many months a bucket has; null where it has days, or less. */
export function monthCountOf({ every, unit }: CalendarStep): number | null {
  const monthCount = MONTH_COUNTS[unit];
  return monthCount === undefined ? null : every * monthCount;
}

/** Whether clocks count the unit: it is shorter than a day. */
export function isClockUnit(unit: CalendarUnit): boolean {
  return CLOCK_UNITS[unit] !== undefined;
}

/** How long a bucket is where no clock is changed, months being 30 days and years 365. */
export function nominalDurationMs(step: CalendarStep): number {
  const { every, unit } = step;
  const clockUnit = CLOCK_UNITS[unit];
  if (clockUnit !== undefined) return every * clockUnit.sizeMs;
  const monthCount = monthCountOf(step);
  if (monthCount === null) return unit === 'days' ? DAY_MS : 7 * DAY_MS;
  return monthCount === 12 ? 365 * DAY_MS : monthCount * 30 * DAY_MS;
}

/** How instants become buckets. */
export function calendarOf(step: CalendarStep): Calendar {
  const clockUnit = CLOCK_UNITS[step.unit];
  const zone = ZoneOffsets.of(step.timeZone);
  if (clockUnit !== undefined) return new ClockCalendar(zone, step.every * clockUnit.sizeMs);
  const monthCount = monthCountOf(step);
  if (monthCount !== null) return new DateCalendar(zone, monthSteps(monthCount));
  if (step.unit === 'days') return new DateCalendar(zone, daySteps(1, 0));
  const firstMs = step.unit === 'weeks' ? FIRST_MONDAY_MS : FIRST_MONDAY_MS - DAY_MS;
  return new DateCalendar(zone, daySteps(7, firstMs));
}

/**
 * Buckets shorter than a day: a new one begins whenever a clock on the wall comes to a multiple of the
 * step, or skips one. So the hour that is repeated in autumn is two buckets, and each change of clocks
 * lengthens or shortens the bucket of six hours around it.
 */
class ClockCalendar implements Calendar {
  readonly #zone: ZoneOffsets;
  readonly #stepMs: number;

  constructor(zone: ZoneOffsets, stepMs: number) {
    this.#zone = zone;
    this.#stepMs = stepMs;
  }

  startMs(instantMs: number): number {
    assertFinite(instantMs);
    let atMs = instantMs;
    for (;;) {
      const { startMs: spanMs, offsetMs } = this.#zone.spanAt(atMs);
      const startMs = this.#floor(atMs + offsetMs) - offsetMs;
      if (startMs >= spanMs || this.#isSkippedAt(spanMs, offsetMs))
        return Math.max(startMs, spanMs);
      atMs = spanMs - 1;
    }
  }

  endMs(instantMs: number): number {
    assertFinite(instantMs);
    let atMs = instantMs;
    for (;;) {
      const { endMs: spanEndMs, offsetMs } = this.#zone.spanAt(atMs);
      const endMs = this.#floor(atMs + offsetMs) + this.#stepMs - offsetMs;
      if (endMs < spanEndMs) return endMs;
      const next = this.#zone.spanAt(spanEndMs);
      const localMs = spanEndMs + next.offsetMs;
      if (this.#floor(localMs) === localMs || this.#isSkippedAt(spanEndMs, next.offsetMs))
        return spanEndMs;
      atMs = spanEndMs;
    }
  }

  /** Whether clocks went past a multiple of the step when the offset became this one. */
  #isSkippedAt(spanMs: number, offsetMs: number): boolean {
    const before = this.#zone.spanAt(spanMs - 1);
    return this.#floor(spanMs + offsetMs) > this.#floor(spanMs - 1 + before.offsetMs);
  }

  #floor(localMs: number): number {
    return Math.floor(localMs / this.#stepMs) * this.#stepMs;
  }
}

/** Dates, as if they were in UTC. */
interface DateSteps {
  floor(localMs: number): number;
  /** The start of the next bucket after one that starts there. */
  next(startLocalMs: number): number;
}

/**
 * Buckets of days and more. One begins when clocks first reach its first midnight, or skip it; where they
 * are then set back over midnight, it goes on.
 */
class DateCalendar implements Calendar {
  readonly #zone: ZoneOffsets;
  readonly #steps: DateSteps;

  constructor(zone: ZoneOffsets, steps: DateSteps) {
    this.#zone = zone;
    this.#steps = steps;
  }

  startMs(instantMs: number): number {
    return this.#boundsOf(instantMs).startMs;
  }

  endMs(instantMs: number): number {
    return this.#boundsOf(instantMs).endMs;
  }

  #boundsOf(instantMs: number): { readonly startMs: number; readonly endMs: number } {
    assertFinite(instantMs);
    const { offsetMs } = this.#zone.spanAt(instantMs);
    let localMs = this.#steps.floor(instantMs + offsetMs);
    let startMs = this.#firstAt(localMs);
    for (;;) {
      localMs = this.#steps.next(localMs);
      const endMs = this.#firstAt(localMs);
      // A date that clocks were set back from has begun already; one that no clock ever showed is empty.
      if (endMs > instantMs) return { startMs, endMs };
      startMs = endMs;
    }
  }

  /** The first instant at which clocks show that time, or a later one. */
  #firstAt(localMs: number): number {
    // Offsets are less than a day, but dates have been left out: clocks jumped by one.
    let span = this.#zone.spanAt(localMs - 2 * DAY_MS);
    for (;;) {
      const instantMs = Math.max(span.startMs, localMs - span.offsetMs);
      if (instantMs < span.endMs) return instantMs;
      span = this.#zone.spanAt(span.endMs);
    }
  }
}

/** From another instant, the way to the next bucket would have no end. */
function assertFinite(instantMs: number): void {
  assert(Number.isFinite(instantMs), 'calendars cut instants that are finite');
}

function daySteps(dayCount: number, firstMs: number): DateSteps {
  const sizeMs = dayCount * DAY_MS;
  return {
    floor: (localMs) => Math.floor((localMs - firstMs) / sizeMs) * sizeMs + firstMs,
    next: (startMs) => startMs + sizeMs,
  };
}

/** After so many milliseconds, 400 years, the calendar begins again. */
const CYCLE_MS = 146_097 * DAY_MS;
const CYCLE_MONTHS = 400 * 12;

/** Months count from the year 0. Cycle by cycle, as dates reach beyond those that a `Date` can hold. */
function monthSteps(monthCount: number): DateSteps {
  const at = (month: number): number => {
    const cycle = Math.floor(month / CYCLE_MONTHS);
    const monthOfCycle = month - cycle * CYCLE_MONTHS;
    const date = new Date(0);
    // `Date.UTC` takes years below 100 for those of the last century.
    date.setUTCFullYear(Math.floor(monthOfCycle / 12), monthOfCycle % 12, 1);
    return date.getTime() + cycle * CYCLE_MS;
  };
  const monthOf = (localMs: number): number => {
    const cycle = Math.floor(localMs / CYCLE_MS);
    const date = new Date(localMs - cycle * CYCLE_MS);
    return date.getUTCFullYear() * 12 + date.getUTCMonth() + cycle * CYCLE_MONTHS;
  };
  return {
    floor: (localMs) => at(Math.floor(monthOf(localMs) / monthCount) * monthCount),
    next: (startMs) => at(monthOf(startMs) + monthCount),
  };
}
