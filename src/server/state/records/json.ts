import { z } from 'zod';
import { isTagObject, type Json, type Tags } from '../../../model/tags.ts';

/**
 * Any JSON value. What is inside of lists and objects came as JSON, or becomes some: `z.json()` would look at all of it,
 * and the description of the API would refer to a schema that has no name in it.
 */
export const jsonSchema: z.ZodType<Json, Json> = z
  .union([
    z.string(),
    z.number(),
    z.boolean(),
    z.null(),
    z.array(z.unknown()),
    z.record(z.string(), z.unknown()),
  ])
  .meta({ id: 'Json', description: 'Any JSON.' }) as unknown as z.ZodType<Json, Json>;

/** A JSON object, whatever its keys. */
export const tagsSchema: z.ZodType<Tags> = jsonSchema.refine(isTagObject, {
  error: 'expected a JSON object',
}) as z.ZodType<Tags>;

/** An instant in epoch milliseconds. */
export const timeMsSchema: z.ZodType<number> = z.number().int();
