import { z } from 'zod';
import type { Tags } from '../../../model/tags.ts';
import type { CollectionDefinition } from '../collection.ts';
import { GRANT_PERMISSIONS, type GrantPermission } from '../permissions.ts';
import { tagsSchema, timeMsSchema } from './json.ts';

/** Who gets something. */
export type GrantSubject =
  | { readonly kind: 'user'; readonly userId: string }
  | { readonly kind: 'group'; readonly groupId: string }
  | { readonly kind: 'public' };

/** On what: one stream, or all streams that have the tags, now and later. */
export type GrantTarget =
  | { readonly kind: 'stream'; readonly streamId: string }
  | { readonly kind: 'query'; readonly tags: Tags };

export interface Grant {
  readonly id: string;
  readonly subject: GrantSubject;
  readonly permissions: readonly GrantPermission[];
  readonly target: GrantTarget;
  /** The user who gave it; null: the service or an admin on the command line, or it is not known. */
  readonly giverId: string | null;
  readonly createdAtMs: number;
}

const subjectSchema: z.ZodType<GrantSubject> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('user'), userId: z.string() }),
  z.object({ kind: z.literal('group'), groupId: z.string() }),
  z.object({ kind: z.literal('public') }),
]);

const targetSchema: z.ZodType<GrantTarget> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('stream'), streamId: z.string() }),
  z.object({ kind: z.literal('query'), tags: tagsSchema }),
]);

const schema: z.ZodType<Grant> = z.object({
  id: z.string(),
  subject: subjectSchema,
  permissions: z.array(z.enum(GRANT_PERMISSIONS)).min(1),
  target: targetSchema,
  // Grants of before do not say it.
  giverId: z.string().nullable().default(null),
  createdAtMs: timeMsSchema,
});

export const GRANTS: CollectionDefinition<Grant, 'subject' | 'stream' | 'giver'> = {
  name: 'grants',
  noun: 'grant',
  version: 1,
  isFollowed: true,
  schema,
  indexes: {
    subject: { valuesOf: ({ subject }) => [subjectKey(subject)] },
    stream: { valuesOf: ({ target }) => (target.kind === 'stream' ? [target.streamId] : []) },
    giver: { valuesOf: ({ giverId }) => (giverId === null ? [] : [giverId]) },
  },
};

/** What grants are found by: equal subjects have equal keys. */
export function subjectKey(subject: GrantSubject): string {
  if (subject.kind === 'user') return `user ${subject.userId}`;
  if (subject.kind === 'group') return `group ${subject.groupId}`;
  return 'public';
}
