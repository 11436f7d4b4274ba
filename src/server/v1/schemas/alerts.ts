import { z } from 'zod';
import { ruleDefinitionSchema } from '../../alerts/rule-definition.ts';
import { jsonSchema } from '../../state/records/json.ts';

const instantSchema = z.string().describe('ISO 8601, in UTC.');
const idSchema = z.string();

/** What makes a rule. */
export const ruleInputSchema = ruleDefinitionSchema.extend({
  name: z.string().min(1).max(200),
  isEnabled: z.boolean().default(true),
});

export type RuleBodyInput = z.output<typeof ruleInputSchema>;

const silenceSchema = z.object({
  stream: idSchema.nullable().describe('Null: all streams of the rule.'),
  until: instantSchema,
  by: z.string(),
  reason: z.string(),
});

/** A rule as the service tells of it. */
export const ruleSchema = z
  .object({
    id: idSchema,
    name: z.string(),
    isEnabled: z.boolean(),
    ownerId: idSchema.nullable(),
    description: z.string(),
    severity: z.string(),
    target: jsonSchema,
    condition: jsonSchema,
    destinations: jsonSchema,
    notifyResolved: z.boolean(),
    createdAt: instantSchema,
    updatedAt: instantSchema,
    silences: z.array(silenceSchema),
    states: z.record(z.string(), z.int()).describe('How many streams are in which state.'),
  })
  .meta({ id: 'AlertRule' });

export type RuleBody = z.output<typeof ruleSchema>;

export const ruleListSchema = z.object({ rules: z.array(ruleSchema) });

/** Where a stream stands by a rule. */
const alertSchema = z
  .object({
    rule: z.object({ id: idSchema, name: z.string(), severity: z.string() }),
    stream: idSchema,
    tags: z.record(z.string(), jsonSchema),
    state: z.enum(['ok', 'pending', 'firing', 'resolved']),
    since: instantSchema,
    value: z.number().nullable(),
    isSilenced: z.boolean(),
  })
  .meta({ id: 'Alert' });

export type AlertBody = z.output<typeof alertSchema>;

export const alertListSchema = z.object({ alerts: z.array(alertSchema) });

/** A change of state. */
const alertEventSchema = z
  .object({
    seq: z.int(),
    at: instantSchema.describe('When it was noticed.'),
    ruleId: idSchema,
    stream: idSchema,
    state: z.string(),
    detail: jsonSchema,
  })
  .meta({ id: 'AlertEvent' });

export type AlertEventBody = z.output<typeof alertEventSchema>;

export const alertHistorySchema = z.object({
  events: z.array(alertEventSchema),
  next: z.string().nullable().describe('Cursor of the next page; null at the end.'),
});

export const deliveryListSchema = z.object({
  deliveries: z.array(
    z.object({
      id: z.string(),
      destination: jsonSchema,
      event: z.string(),
      stream: idSchema.nullable(),
      outcome: z.enum(['waiting', 'delivered', 'failed']),
      createdAt: instantSchema,
      endedAt: instantSchema.nullable(),
      tryCount: z.int(),
      lastError: z.string().nullable(),
      nextTry: instantSchema.nullable().describe('Of what waits.'),
    }),
  ),
});

export const testResultSchema = z.object({
  destinations: z.array(z.object({ destination: jsonSchema, error: z.string().nullable() })),
});

export const silenceInputSchema = z.strictObject({
  until: z.string().max(50).describe('A time, or from now on, as in `+2h`.'),
  stream: z.uuid().nullable().default(null),
  reason: z.string().max(500).default(''),
});
