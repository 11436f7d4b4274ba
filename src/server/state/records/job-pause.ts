import { z } from 'zod';
import type { CollectionDefinition } from '../collection.ts';
import { timeMsSchema } from './json.ts';

/** A job that does not run until somebody lets it. */
export interface JobPause {
  /** Name of the job. */
  readonly id: string;
  readonly pausedAtMs: number;
  /** Name of who paused it. */
  readonly pausedBy: string;
}

const schema: z.ZodType<JobPause> = z.object({
  id: z.string(),
  pausedAtMs: timeMsSchema,
  pausedBy: z.string(),
});

export const JOB_PAUSES: CollectionDefinition<JobPause> = {
  name: 'job-pauses',
  noun: 'paused job',
  version: 1,
  schema,
  indexes: {},
};
