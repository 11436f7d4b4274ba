import { z } from 'zod';
import type { Json } from '../../../model/tags.ts';
import type { CollectionDefinition } from '../collection.ts';
import { jsonSchema, timeMsSchema } from './json.ts';

/** A person, or a program, that logs in or owns tokens. */
export interface User {
  readonly id: string;
  readonly name: string;
  /** As argon2 writes it, with its parameters; null: no login by password. */
  readonly passwordHash: string | null;
  readonly isAdmin: boolean;
  readonly isDisabled: boolean;
  readonly groupIds: readonly string[];
  /** What the dashboard remembers for its user: time zone, theme. */
  readonly preferences: Readonly<Record<string, Json>>;
  readonly createdAtMs: number;
}

const schema: z.ZodType<User> = z.object({
  id: z.string(),
  name: z.string(),
  passwordHash: z.string().nullable(),
  isAdmin: z.boolean(),
  isDisabled: z.boolean(),
  groupIds: z.array(z.string()),
  preferences: z.record(z.string(), jsonSchema),
  createdAtMs: timeMsSchema,
});

export const USERS: CollectionDefinition<User, 'name' | 'group'> = {
  name: 'users',
  noun: 'user',
  version: 1,
  schema,
  indexes: {
    name: {
      valuesOf: ({ name }) => [nameKey(name)],
      takenMessage: ({ name }) => `There is already a user named ${JSON.stringify(name)}.`,
    },
    group: { valuesOf: ({ groupIds }) => groupIds },
  },
};

/** Names that a person could take for each other are the same. */
export function nameKey(name: string): string {
  return name.normalize('NFKC').toLowerCase();
}
