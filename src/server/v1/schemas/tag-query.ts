import { z } from 'zod';

const TAG_PREFIX = 'tags__';

/**
 * A query string with parameters of its own, and `tags__…` beside them. Others are refused: a filter with a slip in its
 * name must not mean all streams.
 */
export function tagQuerySchema<Shape extends z.ZodRawShape>(
  shape: Shape,
): z.ZodObject<Shape, z.core.$loose> {
  const known = new Set(Object.keys(shape));
  return z.looseObject(shape).superRefine((query, context) => {
    for (const name of Object.keys(query)) {
      if (known.has(name) || name.startsWith(TAG_PREFIX)) continue;
      const message = `Unrecognized key: "${name}"; expected ${[...known].join(', ')} or ${TAG_PREFIX}NAME`;
      context.addIssue({ code: 'custom', path: [name], message });
    }
  });
}
