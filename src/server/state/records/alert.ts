import { z } from 'zod';
import type { Json } from '../../../model/tags.ts';
import type { CollectionDefinition } from '../collection.ts';
import { jsonSchema, timeMsSchema } from './json.ts';

/** When to raise an alert, and whom to tell. */
export interface AlertRule {
  readonly id: string;
  readonly name: string;
  /** Null: its owner was removed; admins see to it. */
  readonly ownerId: string | null;
  readonly isEnabled: boolean;
  /** The condition and the deliveries, as the evaluation of alerts defines them. */
  readonly definition: Json;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** Where one stream stands by one rule. */
export interface AlertState {
  readonly id: string;
  readonly ruleId: string;
  readonly streamId: string;
  /** A word of the evaluation: `ok`, `pending`, `firing`. */
  readonly state: string;
  readonly sinceMs: number;
  /** What the evaluation needs to go on, and what was delivered. */
  readonly detail: Json;
}

/** A change of an alert's state. */
export interface AlertEvent {
  readonly atMs: number;
  readonly ruleId: string;
  readonly streamId: string;
  readonly state: string;
  readonly detail: Json;
}

const ruleSchema: z.ZodType<AlertRule> = z.object({
  id: z.string(),
  name: z.string(),
  ownerId: z.string().nullable(),
  isEnabled: z.boolean(),
  definition: jsonSchema,
  createdAtMs: timeMsSchema,
  updatedAtMs: timeMsSchema,
});

const stateSchema: z.ZodType<AlertState> = z.object({
  id: z.string(),
  ruleId: z.string(),
  streamId: z.string(),
  state: z.string(),
  sinceMs: timeMsSchema,
  detail: jsonSchema,
});

export const alertEventSchema: z.ZodType<AlertEvent> = z.object({
  atMs: timeMsSchema,
  ruleId: z.string(),
  streamId: z.string(),
  state: z.string(),
  detail: jsonSchema,
});

export const ALERT_RULES: CollectionDefinition<AlertRule, 'owner'> = {
  name: 'alert-rules',
  noun: 'alert rule',
  version: 1,
  schema: ruleSchema,
  indexes: { owner: { valuesOf: ({ ownerId }) => (ownerId === null ? [] : [ownerId]) } },
};

export const ALERT_STATES: CollectionDefinition<AlertState, 'rule' | 'stream'> = {
  name: 'alert-states',
  noun: 'alert state',
  version: 1,
  schema: stateSchema,
  indexes: {
    rule: { valuesOf: ({ ruleId }) => [ruleId] },
    stream: { valuesOf: ({ streamId }) => [streamId] },
  },
};
