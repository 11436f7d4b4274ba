import { z } from 'zod';
import type { CollectionDefinition } from '../collection.ts';
import { timeMsSchema } from './json.ts';

/** A login by a browser. */
export interface Session {
  /** SHA-256 of what the cookie holds, hexadecimal. */
  readonly id: string;
  readonly userId: string;
  readonly createdAtMs: number;
  /** Coarse: requests within a minute of it do not change it. */
  readonly lastSeenAtMs: number;
  /** Where the login came from. */
  readonly address: string | null;
}

const schema: z.ZodType<Session> = z.object({
  id: z.string(),
  userId: z.string(),
  createdAtMs: timeMsSchema,
  lastSeenAtMs: timeMsSchema,
  address: z.string().nullable(),
});

export const SESSIONS: CollectionDefinition<Session, 'user'> = {
  name: 'sessions',
  noun: 'session',
  version: 1,
  schema,
  indexes: { user: { valuesOf: ({ userId }) => [userId] } },
};
