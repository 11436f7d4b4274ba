import { z } from 'zod';
import { isTagObject, type Json, type Tags } from '../../../model/tags.ts';

/** Any JSON value. */
export const jsonSchema: z.ZodType<Json> = z.json();

/** A JSON object, whatever its keys. */
export const tagsSchema: z.ZodType<Tags> = jsonSchema.refine(isTagObject, {
  error: 'expected a JSON object',
}) as z.ZodType<Tags>;

/** An instant in epoch milliseconds. */
export const timeMsSchema: z.ZodType<number> = z.number().int();
