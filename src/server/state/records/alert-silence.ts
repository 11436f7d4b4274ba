import { z } from 'zod';
import type { CollectionDefinition } from '../collection.ts';
import { timeMsSchema } from './json.ts';

/** For how long nobody is told of a rule's alerts. */
export interface AlertSilence {
  /** Of the rule, or of the rule and one of its streams: see `silenceId`. */
  readonly id: string;
  readonly ruleId: string;
  /** Null: all streams of the rule. */
  readonly streamId: string | null;
  readonly untilMs: number;
  /** Name of who asked for it. */
  readonly by: string;
  readonly reason: string;
}

const schema: z.ZodType<AlertSilence> = z.object({
  id: z.string(),
  ruleId: z.string(),
  streamId: z.string().nullable(),
  untilMs: timeMsSchema,
  by: z.string(),
  reason: z.string(),
});

export const ALERT_SILENCES: CollectionDefinition<AlertSilence, 'rule'> = {
  name: 'alert-silences',
  noun: 'silence',
  version: 1,
  schema,
  indexes: { rule: { valuesOf: ({ ruleId }) => [ruleId] } },
};

export function silenceId(ruleId: string, streamId: string | null): string {
  return streamId === null ? ruleId : `${ruleId} ${streamId}`;
}
