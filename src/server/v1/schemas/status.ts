import { z } from 'zod';
import { jsonSchema } from '../../state/records/json.ts';

const instant = z.string().describe('ISO 8601, in UTC.');
const rangeSchema = z.object({ start: instant, end: instant.describe('Excluded.') });

/** What maintenance has to do for a stream. */
export const streamStatusSchema = z
  .object({
    stream: z.string(),
    tags: z.record(z.string(), jsonSchema),
    pendingBackprocess: z.boolean(),
    derived: z.array(rangeSchema).describe('Where the inputs of a derived stream have changed.'),
    levels: z.array(
      z.object({
        granularity: z.string(),
        ranges: z.array(rangeSchema),
        bucketCount: z.number(),
      }),
    ),
    oldest: instant.nullable().describe('Start of the oldest stale range.'),
    bucketCount: z.number().describe('Buckets to compute.'),
  })
  .meta({ id: 'StreamStatus' });

export const statusSchema = z
  .object({
    streamCount: z.number().describe('Streams that whoever asks may see.'),
    staleCount: z.number().describe('Those with work to come.'),
    bucketCount: z.number().describe('Buckets to compute, of all of them.'),
    oldest: instant.nullable(),
    streams: z.array(streamStatusSchema).describe('Those with work to come, up to the limit.'),
  })
  .meta({ id: 'Status' });
