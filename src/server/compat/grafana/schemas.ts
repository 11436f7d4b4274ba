import { z } from 'zod';

const text = z.string().max(2000);

/** How the streams of a target are read; panels of some versions send it as text. */
const payloadSchema = z
  .looseObject({
    /** Which value downsampler is drawn where a level answers. */
    statistic: z.string().max(100).optional(),
    granularity: z.string().max(100).optional(),
  })
  .nullish()
  .catch(null);

const targetSchema = z.looseObject({
  target: text.nullish(),
  refId: z.string().max(100).optional(),
  hide: z.boolean().nullish(),
  type: z.string().max(100).nullish(),
  payload: payloadSchema,
});

const rangeSchema = z.looseObject({ from: z.string().max(100), to: z.string().max(100) });

const filterSchema = z.looseObject({
  key: z.string().max(200),
  operator: z.string().max(10),
  value: text,
});

/** Panels of Grafana ask so; what else they send means nothing here. */
export const querySchema = z.looseObject({
  range: rangeSchema,
  maxDataPoints: z.number().min(1).optional(),
  targets: z.array(targetSchema).max(100),
  adhocFilters: z.array(filterSchema).max(100).nullish(),
});

export const searchSchema = z.looseObject({ target: text.nullish() }).nullish();

export const metricsSchema = z.looseObject({ metric: text.nullish() }).nullish();

export const payloadOptionsSchema = z.looseObject({
  metric: text.nullish(),
  name: z.string().max(100),
});

/** What a variable of a dashboard takes its values from: streams, or a tag that they have. */
export const variableSchema = z.looseObject({
  payload: z
    .union([text, z.looseObject({ target: text.nullish(), tag: z.string().max(200).nullish() })])
    .nullish(),
});

export const annotationsSchema = z.looseObject({
  range: rangeSchema,
  annotation: z.looseObject({ name: text.nullish(), query: text.nullish() }),
});

export const tagValuesSchema = z.looseObject({ key: z.string().max(200) });

export type QueryBody = z.output<typeof querySchema>;
export type Target = QueryBody['targets'][number];
