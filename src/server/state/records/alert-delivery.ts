import { z } from 'zod';
import type { Json } from '../../../model/tags.ts';
import type { CollectionDefinition } from '../collection.ts';
import { jsonSchema, timeMsSchema } from './json.ts';

/** Something that is to be told to one destination, once. */
export interface AlertDelivery {
  /** Receivers know a repeat by it. */
  readonly id: string;
  readonly ruleId: string;
  /** What must arrive in order: all that one destination is told of one stream by one rule. */
  readonly lane: string;
  /** Place in the lane. */
  readonly seq: number;
  readonly destination: Json;
  readonly message: Json;
  readonly outcome: 'waiting' | 'delivered' | 'failed';
  readonly createdAtMs: number;
  readonly tryCount: number;
  readonly nextTryMs: number;
  /** Until then, a process that sends it keeps the others from it; 0: nobody does. */
  readonly claimedUntilMs: number;
  readonly lastError: string | null;
  /** Null: still waiting. */
  readonly endedAtMs: number | null;
}

const schema: z.ZodType<AlertDelivery> = z.object({
  id: z.string(),
  ruleId: z.string(),
  lane: z.string(),
  seq: z.number().int(),
  destination: jsonSchema,
  message: jsonSchema,
  outcome: z.enum(['waiting', 'delivered', 'failed']),
  createdAtMs: timeMsSchema,
  tryCount: z.number().int(),
  nextTryMs: timeMsSchema,
  claimedUntilMs: timeMsSchema,
  lastError: z.string().nullable(),
  endedAtMs: timeMsSchema.nullable(),
});

export const ALERT_DELIVERIES: CollectionDefinition<AlertDelivery, 'outcome' | 'rule'> = {
  name: 'alert-deliveries',
  noun: 'delivery',
  version: 1,
  schema,
  indexes: {
    outcome: { valuesOf: ({ outcome }) => [outcome] },
    rule: { valuesOf: ({ ruleId }) => [ruleId] },
  },
};
