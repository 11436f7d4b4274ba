import { z } from 'zod';
import type { CollectionDefinition } from '../collection.ts';
import { timeMsSchema } from './json.ts';
import { nameKey } from './user.ts';

/** Users who are granted things together; the users know their groups. */
export interface Group {
  readonly id: string;
  readonly name: string;
  readonly createdAtMs: number;
}

const schema: z.ZodType<Group> = z.object({
  id: z.string(),
  name: z.string(),
  createdAtMs: timeMsSchema,
});

export const GROUPS: CollectionDefinition<Group, 'name'> = {
  name: 'groups',
  noun: 'group',
  version: 1,
  schema,
  indexes: {
    name: {
      valuesOf: ({ name }) => [nameKey(name)],
      takenMessage: ({ name }) => `There is already a group named ${JSON.stringify(name)}.`,
    },
  },
};
