import { z } from 'zod';
import type { CollectionDefinition } from '../collection.ts';
import { timeMsSchema } from './json.ts';

/** The id of the only one. */
export const SETUP_LINK_ID = 'first-admin';

/** The link that makes the first admin, once. */
export interface SetupLink {
  readonly id: typeof SETUP_LINK_ID;
  /** SHA-256 of the token in the link, hexadecimal. */
  readonly hash: string;
  readonly expiresAtMs: number;
}

const schema: z.ZodType<SetupLink> = z.object({
  id: z.literal(SETUP_LINK_ID),
  hash: z.string(),
  expiresAtMs: timeMsSchema,
});

export const SETUP_LINKS: CollectionDefinition<SetupLink> = {
  name: 'setup-links',
  noun: 'setup link',
  version: 1,
  schema,
  indexes: {},
};
