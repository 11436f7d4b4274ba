import { z } from 'zod';
import type { Json } from '../../../model/tags.ts';
import type { CollectionDefinition } from '../collection.ts';
import { jsonSchema, timeMsSchema } from './json.ts';

/** A saved dashboard. */
export interface Dashboard {
  readonly id: string;
  readonly name: string;
  /** Null: its owner was removed; admins see to it. */
  readonly ownerId: string | null;
  /** Whether everybody who is signed in sees it, rather than its owner alone. */
  readonly isShared: boolean;
  /** What it shows, as the dashboard's own pages define it. */
  readonly content: Json;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

const schema: z.ZodType<Dashboard> = z.object({
  id: z.string(),
  name: z.string(),
  ownerId: z.string().nullable(),
  isShared: z.boolean(),
  content: jsonSchema,
  createdAtMs: timeMsSchema,
  updatedAtMs: timeMsSchema,
});

export const DASHBOARDS: CollectionDefinition<Dashboard, 'owner'> = {
  name: 'dashboards',
  noun: 'dashboard',
  version: 1,
  schema,
  indexes: { owner: { valuesOf: ({ ownerId }) => (ownerId === null ? [] : [ownerId]) } },
};
