import { z } from 'zod';
import type { Tags } from '../../../model/tags.ts';
import { jsonSchema } from '../../state/records/json.ts';

export const streamIdSchema = z.uuid().describe('Id of a stream.');

const tagsSchema = z
  .record(z.string(), jsonSchema)
  .transform((tags) => tags as Tags)
  .describe('Tags: a JSON object, nested as deep as wanted.');

const granularityStepSchema = z.strictObject({
  every: z.number(),
  unit: z.string(),
  timeZone: z.string().optional(),
});

/** A name, or units as in `{ "every": 15, "unit": "minutes" }`. */
const granularitySchema = z
  .union([z.string().max(100), granularityStepSchema])
  .transform((given) => given as string);

const retentionSchema = z
  .record(z.string(), z.string().nullable())
  .nullable()
  .describe('Per level (`raw`, `minutes`, …) for how long, as in `30d`; null: for ever.');

const deriveSourceSchema = z.union([
  streamIdSchema,
  z.strictObject({
    name: z.string().optional(),
    stream: streamIdSchema,
    granularity: granularitySchema.optional(),
  }),
]);

const deriveFromSchema = z.union([
  deriveSourceSchema,
  z.array(deriveSourceSchema),
  z.strictObject({ query: tagsSchema }),
]);

const derivationFields = {
  deriveFrom: deriveFromSchema.optional(),
  deriveOp: z.string().optional(),
  deriveArgs: z.record(z.string(), z.unknown()).optional(),
  deriveBackprocess: z.boolean().optional(),
};

const names = z.array(z.string());
const granularities = z.array(granularitySchema);

/** Finds or creates a stream. */
export const ensureStreamSchema = z.strictObject({
  query: tagsSchema.describe('Tags by which the stream is found; it gets them when it is created.'),
  tags: tagsSchema.optional().describe('Further tags.'),
  valueDownsamplers: names.optional(),
  highestGranularity: z.string().optional(),
  valueType: z.enum(['numeric', 'nominal', 'graph']).optional(),
  valueTypeOptions: z.strictObject({ highAccuracy: z.boolean().optional() }).optional(),
  timeZone: z.string().optional(),
  levels: granularities.optional(),
  retention: retentionSchema.optional(),
  ...derivationFields,
});

/** Changes what a stream is. Tags replace those that are there. */
export const changeStreamSchema = z.strictObject({
  tags: tagsSchema.optional(),
  valueDownsamplers: z
    .union([names, z.strictObject({ add: names.optional(), drop: names.optional() })])
    .optional(),
  levels: z
    .union([
      granularities,
      z.strictObject({ add: granularities.optional(), drop: granularities.optional() }),
    ])
    .optional(),
  timeZone: z.string().optional(),
  heartbeat: z.number().nullable().optional(),
  retention: retentionSchema.optional(),
  ...derivationFields,
});

const instantSchema = z.string().nullable().describe('ISO 8601, in UTC.');

/** What the service tells about a stream. */
export const streamSchema = z
  .object({
    id: streamIdSchema,
    version: z.string().describe('Another one after every change of the stream or its datapoints.'),
    tags: z.record(z.string(), jsonSchema),
    valueType: z.string(),
    valueTypeOptions: z.object({ highAccuracy: z.boolean().optional() }),
    valueDownsamplers: names,
    timeDownsamplers: names,
    highestGranularity: z.string(),
    levels: names,
    timeZone: z.string(),
    earliestDatapoint: instantSchema,
    latestDatapoint: instantSchema,
    downsampledUntil: z.record(z.string(), instantSchema),
    derivedFrom: z
      .object({
        op: z.string(),
        args: z.record(z.string(), jsonSchema),
        sources: z.array(
          z.object({
            name: z.string().nullable(),
            stream: z.string().nullable().describe('Null: whoever asks may not see it.'),
            hidden: z.literal(true).optional(),
            granularity: z.string(),
          }),
        ),
        query: z.record(z.string(), jsonSchema).optional(),
      })
      .nullable(),
    contributesTo: z.array(
      z.object({ streamId: z.string(), op: z.string(), args: z.record(z.string(), jsonSchema) }),
    ),
    pendingBackprocess: z.boolean(),
    retention: z.record(z.string(), z.string().nullable()).nullable(),
    expiredUntil: z.record(z.string(), z.string()),
    permissions: names.describe('What whoever asks may do with the stream.'),
  })
  .meta({ id: 'Stream' });

export type StreamBody = z.output<typeof streamSchema>;

export const streamListSchema = z.object({
  streams: z.array(streamSchema),
  next: z.string().nullable().describe('Cursor of the next page; null at the end.'),
});
