import { z } from 'zod';
import { jsonSchema } from '../../state/records/json.ts';

const instant = z.string().describe('ISO 8601, in UTC.');
const certaintySchema = z
  .enum(['exact', 'estimate', 'atLeast'])
  .describe(
    '`estimate`: from the counts of levels, without nulls; `atLeast`: there are more than were counted.',
  );

/** The store as a whole, and what comes into it. */
export const statisticsSchema = z
  .object({
    openedAt: instant.describe('When this process opened the store.'),
    uptimeMs: z.number(),
    storeSizeBytes: z.number().nullable().describe('Null where the store does not know.'),
    totals: z
      .object({
        streamCount: z.int(),
        datapointCount: z.number(),
        certainty: certaintySchema,
        countedAt: instant,
      })
      .nullable()
      .describe('Counted behind everything else, when somebody asks; null before the first time.'),
    appendedPerMinute: z.number().describe('Datapoints of the last minute through this process.'),
    eventStreamCount: z.int().describe('Readers of events now.'),
  })
  .meta({ id: 'Statistics' });

/** One stream of the store. */
export const streamStatisticsSchema = z
  .object({
    stream: z.string(),
    tags: z.record(z.string(), jsonSchema),
    datapointCount: z.number(),
    certainty: certaintySchema,
    latestDatapoint: instant.nullable(),
    ratePerMinute: z.number().describe('On average of the last hour.'),
    sizeBytes: z
      .number()
      .nullable()
      .describe('With its levels, about; null where the store does not know.'),
    owner: z
      .object({ id: z.string(), name: z.string() })
      .nullable()
      .describe('Who may grant on it the longest: mostly who created it.'),
  })
  .meta({ id: 'StreamStatistics' });

export const streamStatisticsListSchema = z.object({
  streams: z.array(streamStatisticsSchema),
  next: z.string().nullable().describe('Cursor of the next page; null at the end.'),
});
