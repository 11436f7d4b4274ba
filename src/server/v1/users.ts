import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { actorOf } from '../access/fastify-hooks.ts';
import type { UserView } from '../access/users.ts';
import { isoOf } from '../http/iso.ts';
import type { Service } from '../service.ts';
import { ServiceError } from '../state/service-error.ts';
import {
  idParamsSchema,
  newUserSchema,
  preferencesSchema,
  userChangesSchema,
  userSchema,
} from './schemas/access.ts';

const tags = ['access'];
const admin = { access: 'admin' as const };

/** Users, for admins, and what the dashboard remembers for its user. */
export const userRoutes: FastifyPluginCallbackZod<{ service: Service }> = (
  app,
  {
    service: {
      access: { users },
    },
  },
  done,
) => {
  app.get(
    '/users',
    {
      config: admin,
      schema: {
        tags,
        summary: 'Lists users by name',
        response: { 200: z.object({ users: z.array(userSchema) }) },
      },
    },
    () => ({ users: users.list().map(bodyOf) }),
  );

  app.post(
    '/users',
    {
      config: admin,
      schema: { tags, summary: 'Adds a user', body: newUserSchema, response: { 201: userSchema } },
    },
    async (request, reply) => {
      const { name, password, isAdmin = false } = request.body;
      const user = await users.add({ name, password, isAdmin }, actorOf(request));
      return reply.code(201).send(bodyOf(user));
    },
  );

  app.patch(
    '/users/:id',
    {
      config: admin,
      schema: {
        tags,
        summary: 'Changes a user; with a new password or disabled, his sessions end',
        params: idParamsSchema,
        body: userChangesSchema,
        response: { 200: userSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { name, isAdmin, isDisabled, password } = request.body;
      const changes = {
        ...(password !== undefined && { password }),
        ...(name !== undefined && { name }),
        ...(isAdmin !== undefined && { isAdmin }),
        ...(isDisabled !== undefined && { isDisabled }),
      };
      return bodyOf(await users.change(id, changes, actorOf(request)));
    },
  );

  app.delete(
    '/users/:id',
    {
      config: admin,
      schema: {
        tags,
        summary: 'Removes a user with his sessions, tokens and grants',
        params: idParamsSchema,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      users.remove(request.params.id, actorOf(request));
      return reply.code(204).send(null);
    },
  );

  app.get(
    '/preferences',
    {
      config: { access: 'signed-in' },
      schema: {
        tags,
        summary: 'Reads what the dashboard remembers for whoever asks',
        response: { 200: preferencesSchema },
      },
    },
    ({ identity: { userId } }) => (userId === null ? {} : preferencesOf(users.get(userId))),
  );

  app.put(
    '/preferences',
    {
      config: { access: 'signed-in' },
      schema: {
        tags,
        summary: 'Replaces what the dashboard remembers for whoever asks',
        body: preferencesSchema,
        response: { 200: preferencesSchema },
      },
    },
    (request) => {
      const { userId } = request.identity;
      if (userId === null) {
        throw new ServiceError('FORBIDDEN', 'Only a user has preferences; there is none yet.');
      }
      return preferencesOf(users.setPreferences(userId, request.body, actorOf(request)));
    },
  );

  done();
};

function preferencesOf({ preferences }: UserView): z.output<typeof preferencesSchema> {
  return { ...preferences } as z.output<typeof preferencesSchema>;
}

function bodyOf(user: UserView): z.output<typeof userSchema> {
  const { id, name, isAdmin, isDisabled, hasPassword, groupIds, createdAtMs } = user;
  return {
    id,
    name,
    isAdmin,
    isDisabled,
    hasPassword,
    groups: [...groupIds],
    createdAt: isoOf(createdAtMs),
  };
}
