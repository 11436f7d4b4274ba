import type { z } from 'zod';
import { Problem } from './problem.ts';

/** A place in a list as text that clients give back as they got it. */
export function encodeCursor(place: unknown): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** @throws {Problem} 400 when the text is none of our cursors. */
export function decodeCursor<Place>(text: string, schema: z.ZodType<Place>): Place {
  let place: unknown;
  try {
    place = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    place = undefined;
  }
  const parsed = schema.safeParse(place);
  if (parsed.success) return parsed.data;
  throw new Problem(400, 'cursor: not a cursor of this list; leave it out to begin anew.', {
    code: 'INVALID_CURSOR',
    field: 'cursor',
  });
}
