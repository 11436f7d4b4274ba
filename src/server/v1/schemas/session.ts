import { z } from 'zod';

export const credentialsSchema = z.strictObject({
  name: z.string().min(1).max(200),
  password: z.string().min(1).max(1000),
});

export const setupSchema = credentialsSchema.extend({
  token: z.string().min(1).max(200).describe('What stands behind `#` in the link.'),
});

export const passwordChangeSchema = z.strictObject({
  currentPassword: z.string().min(1).max(1000),
  newPassword: z.string().min(1).max(1000),
});

/** Who asks. */
export const sessionSchema = z
  .object({
    mode: z.enum(['users', 'open']),
    publicRead: z.boolean(),
    needsSetup: z.boolean().describe('Whether there is nobody yet who may manage the service.'),
    user: z
      .object({
        id: z.string().nullable(),
        name: z.string(),
        isAdmin: z.boolean(),
        groups: z.array(z.string()),
        scopes: z.array(z.string()).nullable().describe('Of a token; null: no limits.'),
      })
      .nullable(),
    csrfToken: z
      .string()
      .nullable()
      .describe('Goes into the header `x-csrf-token` of everything that changes something.'),
  })
  .meta({ id: 'Session' });
