import { z } from 'zod';
import { streamIdSchema } from './streams.ts';

const time = z
  .string()
  .max(100)
  .describe('ISO 8601, epoch seconds or milliseconds, `now`, or relative to it as in `-1h`.');

export const flagSchema = z
  .enum(['true', 'false', ''])
  .transform((text) => text !== 'false')
  .describe('`true` or `false`; no value is `true`.');

const namesOf = z
  .string()
  .max(2000)
  .transform((text) => text.split(',').filter((name) => name !== ''))
  .describe('Names between commas.');

const fill = z
  .union([z.enum(['null', 'previous', 'linear']), z.coerce.number()])
  .describe('What buckets without data show: `null`, `previous`, `linear`, or a number.');

/** What of a stream's datapoints is wanted; `limits` are those of the configuration. */
export function dataQuerySchema({
  pageRows,
  chartPoints,
}: {
  readonly pageRows: number;
  readonly chartPoints: number;
}) {
  return z.strictObject({
    granularity: z.string().max(100).optional().describe("Default: the stream's highest."),
    start: time.optional(),
    startExclusive: time.optional(),
    end: time.optional().describe('Included.'),
    endExclusive: time.optional(),
    reverse: flagSchema.optional(),
    live: flagSchema.optional().describe('With buckets that are stale or not complete.'),
    fallback: flagSchema
      .optional()
      .describe('Where it has expired, the finest level that is left.'),
    maxPoints: z.coerce.number().int().min(1).max(chartPoints).optional(),
    thin: z.coerce.number().int().min(2).max(chartPoints).optional(),
    thinMethod: z.enum(['lttb', 'even']).optional(),
    thinBy: z.string().max(100).optional(),
    fill: fill.optional(),
    valueDownsamplers: namesOf.optional(),
    timeDownsamplers: namesOf.optional(),
    format: z.enum(['rows', 'columns', 'ndjson', 'csv']).default('rows'),
    limit: z.coerce.number().int().min(0).max(pageRows).optional(),
    offset: z.coerce.number().int().min(0).default(0),
    cursor: z.string().max(200).optional(),
    version: z
      .string()
      .max(100)
      .optional()
      .describe('The `version` of the stream: the answer may then be kept for ever.'),
  });
}

export type DataQuery = z.output<ReturnType<typeof dataQuerySchema>>;

const cell = z.unknown();

/** Rows, or columns, of one level of a stream. */
export const dataSchema = z
  .object({
    stream: streamIdSchema,
    granularity: z.string(),
    datapoints: z
      .array(z.object({ bucket: z.string().optional(), t: cell, v: cell }))
      .optional()
      .describe('As rows: `t` and `v` are objects of letters below the highest granularity.'),
    timestamps: z.array(z.number()).optional().describe('As columns: epoch milliseconds.'),
    values: z.array(cell).optional(),
    v: z.record(z.string(), z.array(cell)).optional(),
    t: z.record(z.string(), z.array(cell)).optional(),
    live: z.array(z.number()).optional(),
    next: z.string().nullable().describe('Cursor of the next page; null at the end.'),
  })
  .meta({ id: 'Data' });

export const rangeQuerySchema = z.strictObject({
  start: time.optional(),
  startExclusive: time.optional(),
  end: time.optional(),
  endExclusive: time.optional(),
});
