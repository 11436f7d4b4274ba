import { z } from 'zod';
import type { CollectionDefinition } from '../collection.ts';
import { SCOPES, type Scope } from '../permissions.ts';
import { timeMsSchema } from './json.ts';

/** An API token of a user. The token itself is not stored. */
export interface Token {
  readonly id: string;
  readonly userId: string;
  /** What its owner calls it. */
  readonly name: string;
  /** SHA-256 of the token, hexadecimal. */
  readonly hash: string;
  readonly scopes: readonly Scope[];
  readonly createdAtMs: number;
  /** Null: never. */
  readonly expiresAtMs: number | null;
  /** Coarse; null: never. */
  readonly lastUsedAtMs: number | null;
  readonly revokedAtMs: number | null;
}

const schema: z.ZodType<Token> = z.object({
  id: z.string(),
  userId: z.string(),
  name: z.string(),
  hash: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  createdAtMs: timeMsSchema,
  expiresAtMs: timeMsSchema.nullable(),
  lastUsedAtMs: timeMsSchema.nullable(),
  revokedAtMs: timeMsSchema.nullable(),
});

export const TOKENS: CollectionDefinition<Token, 'hash' | 'user'> = {
  name: 'tokens',
  noun: 'token',
  version: 1,
  schema,
  indexes: {
    hash: { valuesOf: ({ hash }) => [hash], takenMessage: () => 'There is already such a token.' },
    user: { valuesOf: ({ userId }) => [userId] },
  },
};
