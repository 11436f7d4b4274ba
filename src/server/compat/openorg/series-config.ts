import { z } from 'zod';
import { checkTimeZone } from '../../../model/granularity.ts';
import { isTagObject, type Json, type Tags } from '../../../model/tags.ts';
import { isoTimeMs } from '../../../text/time.ts';
import { AGGREGATIONS, type BucketGrid, calendarGrid, evenGrid } from './buckets.ts';
import { SERIES_TYPES } from './segments.ts';

const TIME_MAX_MS = 8.64e15;
const INTERVAL_MAX_S = 366 * 86_400;
const COUNT_MAX = 10_000_000;
const CALENDAR_UNITS = ['days', 'weeks', 'months', 'quarters', 'years'] as const;

export const slugSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,100}$/, 'expected 1 to 100 letters, digits, - and _');

const instantSchema = z.union([z.number(), z.string()]).transform((given, context) => {
  const timeMs = typeof given === 'number' ? given : isoTimeMs(given.trim());
  if (timeMs !== null && Math.abs(timeMs) <= TIME_MAX_MS) return Math.floor(timeMs);
  context.addIssue('expected ISO 8601, or epoch milliseconds');
  return z.NEVER;
});

const zoneSchema = z.string().transform((name, context) => {
  try {
    return checkTimeZone(name);
  } catch {
    context.addIssue(`there is no time zone ${JSON.stringify(name.slice(0, 60))}`);
    return z.NEVER;
  }
});

const archiveSchema = z
  .strictObject({
    aggregation_type: z.enum(AGGREGATIONS),
    /** How many intervals a bucket has. */
    aggregation: z.int().min(1).max(COUNT_MAX).optional(),
    /** In its place: units of the calendar, in the time zone of the series. */
    calendar: z.enum(CALENDAR_UNITS).optional(),
    /** Buckets that are given, the last ones. */
    count: z.int().min(1).max(COUNT_MAX),
    threshold: z.number().min(0).max(1).default(0.5),
  })
  .refine(
    ({ aggregation, calendar }) => (aggregation === undefined) !== (calendar === undefined),
    'expected either aggregation or calendar',
  );

export type Archive = z.output<typeof archiveSchema>;

/** Of a series that is read, or, as far as it says how to read it, of a virtual one. Never changes. */
export const configSchema = z
  .strictObject({
    start: instantSchema,
    interval: z.int().min(1).max(INTERVAL_MAX_S),
    series_type: z.enum(SERIES_TYPES),
    timezone_name: zoneSchema,
    archives: z.array(archiveSchema).min(1).max(50),
    /** Seconds before a reading of which it says something, at most. */
    heartbeat: z.number().positive().max(INTERVAL_MAX_S).nullable().default(null),
    counter_wrap: z.number().positive().nullable().default(null),
  })
  // Buckets and readings begin together.
  .transform((config) => {
    const intervalMs = config.interval * 1000;
    return { ...config, start: Math.floor(config.start / intervalMs) * intervalMs };
  });

export type SeriesConfig = z.output<typeof configSchema>;

/** What a stream says about the series that it is. */
export interface SeriesDetails {
  readonly slug: string;
  readonly title: string;
  readonly notes: string;
  readonly is_public: boolean;
  readonly config: SeriesConfig;
  /** Null: it is no virtual one. */
  readonly equation: string | null;
}

export const titleSchema = z.string().max(80);
export const notesSchema = z.string().max(10_000);

const detailsSchema = z.object({
  slug: slugSchema,
  title: titleSchema,
  notes: notesSchema,
  is_public: z.boolean(),
  config: configSchema,
  equation: z.string().nullable(),
});

const TAG = 'openorg';

/** Some of what a stream says. */
export type SomeDetails = {
  readonly [Name in keyof SeriesDetails]?: SeriesDetails[Name] | undefined;
};

/** The tags of the stream that is the series; other parts of the service know a stream by its `title`. */
export function tagsOf(details: SomeDetails): Tags {
  const { title } = details;
  // Members that are not there are no JSON.
  const own = JSON.parse(JSON.stringify(details)) as Json;
  return { ...(title !== undefined && { title }), [TAG]: own };
}

/** Null for a stream that is no series. */
export function detailsOf(tags: Tags): SeriesDetails | null {
  const stored = Object.hasOwn(tags, TAG) ? tags[TAG] : undefined;
  if (!isTagObject(stored)) return null;
  const parsed = detailsSchema.safeParse(stored);
  return parsed.success ? parsed.data : null;
}

/** What an archive is asked for by: seconds, or units of the calendar. */
export function resolutionOf(
  { interval }: Pick<SeriesConfig, 'interval'>,
  { aggregation, calendar }: Archive,
): number | string {
  return calendar ?? aggregation! * interval;
}

export function gridOf(config: SeriesConfig, archive: Archive): BucketGrid {
  const { calendar, aggregation } = archive;
  if (calendar !== undefined) return calendarGrid(calendar, config.timezone_name);
  return evenGrid(aggregation! * config.interval * 1000);
}
