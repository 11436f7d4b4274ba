import { UnsupportedGranularity } from '../exceptions/errors.ts';
import { assert } from './assert.ts';
import {
  CALENDAR_UNITS,
  type Calendar,
  type CalendarStep,
  type CalendarUnit,
  calendarOf,
  evenCounts,
  isRegular,
  nominalDurationMs,
  plainStep,
} from './calendar.ts';
import { shownValue } from './shown-value.ts';
import { SECOND_MS, TIME_MIN_MS } from './time-range.ts';
import { timeZoneName, UTC } from './time-zone.ts';

/** Such as `minutes`, `15minutes`, `weeks` in UTC, and `days@Europe/Paris`. */
export type GranularityName =
  | CalendarUnit
  | `${number}${CalendarUnit}`
  | `${CalendarUnit}@${string}`
  | `${number}${CalendarUnit}@${string}`;

/** One resolution of a stream. Its buckets are the same for every stream; they follow each other without gaps. */
export interface Granularity {
  readonly name: GranularityName;
  /** Of those in `Granularity.values` one letter, of others the name. */
  readonly key: string;
  /** How many units a bucket has. */
  readonly every: number;
  readonly unit: CalendarUnit;
  /** An IANA name: whose clocks and calendar the buckets follow. */
  readonly timeZone: string;
  /**
   * Of a bucket. Where buckets differ, of one in which no clock is changed: of 30 days for a month, of 365 for
   * a year.
   */
  readonly durationMs: number;
  /** How buckets are cut that differ, or begin at other instants than multiples of `durationMs`; null for all others. */
  readonly calendar: Calendar | null;
  /** Rounds an instant (also before 1970) down to the start of its bucket. */
  bucketStart(timestamp: Date | number): Date;
  /** The exclusive end of the bucket that holds the instant: the start of the next one. */
  bucketEnd(timestamp: Date | number): Date;
  /** The name, also in JSON and in templates. */
  toString(): GranularityName;
  toJSON(): GranularityName;
}

/** Some units, of a time zone. */
export interface GranularityStep {
  /** A whole number that divides the next larger unit. Default: 1. */
  readonly every?: number;
  readonly unit: CalendarUnit;
  /** An IANA name, such as `Europe/Paris`. Default: UTC. */
  readonly timeZone?: string;
}

/** By name. There is one object for each granularity. */
const KNOWN: Map<string, Granularity> = new Map();

function granularity(step: CalendarStep, letter?: string): Granularity {
  const name = nameOf(step);
  const known = KNOWN.get(name);
  if (known !== undefined) return known;
  const self: Granularity = Object.freeze({
    name,
    key: letter ?? name,
    ...step,
    durationMs: nominalDurationMs(step),
    calendar: isRegular(step) ? null : calendarOf(step),
    bucketStart: (timestamp: Date | number) => new Date(bucketStartMs(Number(timestamp), self)),
    bucketEnd: (timestamp: Date | number) => new Date(bucketEndMs(Number(timestamp), self)),
    toString: () => name,
    toJSON: () => name,
  });
  KNOWN.set(name, self);
  return self;
}

function nameOf({ every, unit, timeZone }: CalendarStep): GranularityName {
  const name = every === 1 ? unit : (`${every}${unit}` as const);
  return timeZone === UTC ? name : `${name}@${timeZone}`;
}

const utc = (every: number, unit: CalendarUnit, letter: string): Granularity =>
  granularity({ every, unit, timeZone: UTC }, letter);

const Milliseconds: Granularity = utc(1, 'milliseconds', 'x');
const Seconds: Granularity = utc(1, 'seconds', 's');
const Seconds10: Granularity = utc(10, 'seconds', 'S');
const Minutes: Granularity = utc(1, 'minutes', 'm');
const Minutes10: Granularity = utc(10, 'minutes', 'M');
const Hours: Granularity = utc(1, 'hours', 'h');
const Hours6: Granularity = utc(6, 'hours', 'H');
const Days: Granularity = utc(1, 'days', 'd');

/** From highest (finest) to lowest (coarsest): those that every stream has, from its highest on. */
const values: readonly Granularity[] = Object.freeze([
  Seconds,
  Seconds10,
  Minutes,
  Minutes10,
  Hours,
  Hours6,
  Days,
]);

/**
 * Finds a granularity by its name.
 * @throws {UnsupportedGranularity} when there is none of that name.
 */
function byName(name: string): Granularity {
  const known = KNOWN.get(name);
  if (known !== undefined) return known;
  const parts = typeof name === 'string' ? /^(\d{1,4})?([a-z_]+)(?:@(.+))?$/.exec(name) : null;
  const unit = CALENDAR_UNITS.find((candidate) => candidate === parts?.[2]);
  if (parts === null || unit === undefined) {
    throw new UnsupportedGranularity(
      `Unknown granularity ${shownValue(name)}: expected one of ${values.join(', ')}, ` +
        'or units of a calendar such as milliseconds, 15minutes, weeks, months@Europe/Paris.',
    );
  }
  const [, every = '1', , timeZone = UTC] = parts;
  return of({ every: Number(every), unit, timeZone });
}

/**
 * The granularity of so many units in a time zone.
 * @throws {UnsupportedGranularity} when there is no such unit or zone, or the units do not divide evenly.
 */
function of(step: GranularityStep): Granularity {
  if (typeof step !== 'object' || step === null) {
    throw new UnsupportedGranularity(
      `Expected a granularity as { every, unit, timeZone }, not ${shownValue(step)}.`,
    );
  }
  const { every = 1, unit, timeZone = UTC } = step;
  if (!CALENDAR_UNITS.includes(unit)) {
    throw new UnsupportedGranularity(
      `Unknown unit ${shownValue(unit)}: expected one of ${CALENDAR_UNITS.join(', ')}.`,
    );
  }
  const counts = evenCounts(unit);
  if (!counts.includes(every)) {
    throw new UnsupportedGranularity(
      `Argument every of ${unit} must be one of the numbers that divide evenly into larger units, ` +
        `${counts.join(', ')}, not ${shownValue(every)}.`,
    );
  }
  return granularity(plainStep({ every, unit, timeZone: checkTimeZone(timeZone) }));
}

/**
 * Gives the name of a time zone as it is written.
 * @throws {UnsupportedGranularity} when there is none of that name.
 */
export function checkTimeZone(timeZone: unknown): string {
  const name = typeof timeZone === 'string' ? timeZoneName(timeZone) : null;
  if (name !== null) return name;
  throw new UnsupportedGranularity(
    `Unknown time zone ${shownValue(timeZone)}: expected an IANA name such as Europe/Paris.`,
  );
}

export const Granularity: {
  /** Of raw datapoints alone: a stream has it as its highest granularity to keep milliseconds. */
  readonly Milliseconds: Granularity;
  readonly Seconds: Granularity;
  readonly Seconds10: Granularity;
  readonly Minutes: Granularity;
  readonly Minutes10: Granularity;
  readonly Hours: Granularity;
  readonly Hours6: Granularity;
  readonly Days: Granularity;
  readonly values: readonly Granularity[];
  byName(name: string): Granularity;
  of(step: GranularityStep): Granularity;
} = Object.freeze({
  Milliseconds,
  Seconds,
  Seconds10,
  Minutes,
  Minutes10,
  Hours,
  Hours6,
  Days,
  values,
  byName,
  of,
});

/** Those that raw datapoints may have, from the finest. */
export const RAW_GRANULARITIES: readonly Granularity[] = Object.freeze([Milliseconds, ...values]);

const LOWER: ReadonlyMap<GranularityName, readonly Granularity[]> = new Map(
  RAW_GRANULARITIES.map(({ name }, index) => [name, Object.freeze(values.slice(index))]),
);

/** Those in `Granularity.values` coarser than `highest`, from finest to coarsest; empty below `days`. */
export function lowerGranularities(highest: GranularityName): readonly Granularity[] {
  const lower = LOWER.get(highest);
  assert(lower !== undefined, 'the highest granularity of a stream is one for raw datapoints');
  return lower;
}

/** What timestamps of raw datapoints are cut to. */
export function timestampStepMs(highest: GranularityName): number {
  return highest === Milliseconds.name ? 1 : SECOND_MS;
}

/** Start of the bucket that holds the instant. Infinite is before, or after, all buckets: it stays. */
export function bucketStartMs(timestampMs: number, { durationMs, calendar }: Granularity): number {
  if (calendar === null) return Math.floor(timestampMs / durationMs) * durationMs;
  if (isInfinite(timestampMs)) return timestampMs;
  // No row can begin earlier.
  return Math.max(calendar.startMs(timestampMs), TIME_MIN_MS);
}

/** Exclusive end of the bucket that holds the instant: the start of the next one. Infinite stays. */
export function bucketEndMs(timestampMs: number, { durationMs, calendar }: Granularity): number {
  if (calendar === null) return Math.floor(timestampMs / durationMs) * durationMs + durationMs;
  return isInfinite(timestampMs) ? timestampMs : calendar.endMs(timestampMs);
}

/** First bucket start at or after the instant. Infinite stays. */
export function bucketCeilMs(timestampMs: number, granularity: Granularity): number {
  const { durationMs, calendar } = granularity;
  if (calendar === null) return Math.ceil(timestampMs / durationMs) * durationMs;
  return bucketStartMs(timestampMs, granularity) === timestampMs
    ? timestampMs
    : calendar.endMs(timestampMs);
}

/** Start of the bucket that ends there. */
export function bucketBeforeMs(endMs: number, granularity: Granularity): number {
  return granularity.calendar === null
    ? endMs - granularity.durationMs
    : bucketStartMs(endMs - 1, granularity);
}

function isInfinite(timestampMs: number): boolean {
  return Math.abs(timestampMs) === Number.POSITIVE_INFINITY;
}
