import { z } from 'zod';
import { jsonSchema } from '../../state/records/json.ts';

const instantSchema = z.string().describe('ISO 8601, in UTC.');

/** A job as the service tells of it. */
export const jobSchema = z
  .object({
    name: z.string(),
    title: z.string(),
    schedule: z.string().describe('A cron expression.'),
    isEnabled: z.boolean().describe('Whether this process runs it by its schedule.'),
    pause: z.object({ since: instantSchema, by: z.string() }).nullable(),
    runningSince: instantSchema.nullable(),
    lastRun: z
      .object({
        start: instantSchema,
        durationMs: z.number(),
        outcome: z.enum(['succeeded', 'failed', 'interrupted']),
        error: z.string().nullable(),
        result: jsonSchema,
      })
      .nullable()
      .describe('Of this process; null: none since it was started.'),
    nextRun: instantSchema.nullable(),
  })
  .meta({ id: 'Job' });

export type JobBody = z.output<typeof jobSchema>;

export const jobListSchema = z.object({ jobs: z.array(jobSchema) });
