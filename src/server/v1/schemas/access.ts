import { z } from 'zod';
import type { Tags } from '../../../model/tags.ts';
import { GRANT_PERMISSIONS, SCOPES } from '../../state/permissions.ts';
import { jsonSchema } from '../../state/records/json.ts';
import { streamIdSchema } from './streams.ts';

const instant = z.string().describe('ISO 8601, in UTC.');
const nameSchema = z.string().min(1).max(200);
const passwordSchema = z.string().min(1).max(1000);

export const idParamsSchema = z.object({ id: z.string().min(1).max(100) });

export const newUserSchema = z.strictObject({
  name: nameSchema,
  password: passwordSchema.nullable().describe('Null: the user has tokens only.'),
  isAdmin: z.boolean().optional(),
});

export const userChangesSchema = z.strictObject({
  name: nameSchema.optional(),
  isAdmin: z.boolean().optional(),
  isDisabled: z.boolean().optional(),
  password: passwordSchema.optional(),
});

export const userSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    isAdmin: z.boolean(),
    isDisabled: z.boolean(),
    hasPassword: z.boolean(),
    groups: z.array(z.string()).describe('Ids of groups.'),
    createdAt: instant,
  })
  .meta({ id: 'User' });

export const preferencesSchema = z
  .record(z.string().max(100), jsonSchema)
  .describe('What the dashboard remembers for its user, such as `timeZone` and `theme`.');

export const newGroupSchema = z.strictObject({ name: nameSchema });

export const groupSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    members: z.array(z.string()).describe('Ids of users.'),
    createdAt: instant,
  })
  .meta({ id: 'Group' });

export const newTokenSchema = z.strictObject({
  name: nameSchema,
  scopes: z.array(z.enum(SCOPES)).min(1),
  expires: z.string().nullable().default(null).describe('ISO 8601, or e.g. `+30d`; null: never.'),
  user: z.string().optional().describe('Id of the owner; default: whoever asks.'),
});

export const tokenSchema = z
  .object({
    id: z.string(),
    user: z.string(),
    name: z.string(),
    scopes: z.array(z.string()),
    createdAt: instant,
    expiresAt: instant.nullable(),
    lastUsedAt: instant.nullable(),
    revokedAt: instant.nullable(),
  })
  .meta({ id: 'Token' });

export const createdTokenSchema = z.object({
  secret: z.string().describe('The token itself: told here, and never again.'),
  token: tokenSchema,
});

const named = nameSchema.describe('In the place of the id.');

const subjectSchema = z.union([
  z.strictObject({ kind: z.literal('user'), userId: z.string() }),
  z.strictObject({ kind: z.literal('user'), name: named }),
  z.strictObject({ kind: z.literal('group'), groupId: z.string() }),
  z.strictObject({ kind: z.literal('group'), name: named }),
  z.strictObject({ kind: z.literal('public') }),
]);

const targetSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('stream'), streamId: streamIdSchema }),
  z.strictObject({
    kind: z.literal('query'),
    tags: z.record(z.string(), jsonSchema).transform((tags) => tags as Tags),
  }),
]);

export const newGrantSchema = z.strictObject({
  subject: subjectSchema,
  permissions: z.array(z.enum(GRANT_PERMISSIONS)).min(1),
  target: targetSchema,
});

export const grantSchema = z
  .object({
    id: z.string(),
    subject: z.object({
      kind: z.string(),
      userId: z.string().optional(),
      groupId: z.string().optional(),
      name: z.string().optional().describe('Of the user or the group.'),
    }),
    permissions: z.array(z.string()),
    target: z.object({
      kind: z.string(),
      streamId: z.string().optional(),
      tags: z.record(z.string(), jsonSchema).optional(),
    }),
    createdAt: instant,
  })
  .meta({ id: 'Grant' });

export const auditEntrySchema = z
  .object({
    seq: z.int().describe('Place in the log; never used again.'),
    at: instant,
    actor: z.object({
      kind: z.string(),
      userId: z.string().nullable(),
      name: z.string(),
      address: z.string().nullable(),
    }),
    action: z.string(),
    target: z.object({ kind: z.string(), id: z.string(), name: z.string().nullable() }),
    before: jsonSchema,
    after: jsonSchema,
  })
  .meta({ id: 'AuditEntry' });
