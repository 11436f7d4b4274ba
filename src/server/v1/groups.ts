import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { actorOf } from '../access/fastify-hooks.ts';
import { isoOf } from '../http/iso.ts';
import type { Service } from '../service.ts';
import type { Group } from '../state/records/group.ts';
import { groupSchema, idParamsSchema, newGroupSchema } from './schemas/access.ts';

const tags = ['access'];
const admin = { access: 'admin' as const };
const memberParamsSchema = idParamsSchema.extend({ userId: z.string().min(1).max(100) });

/** Groups of users, for admins. */
export const groupRoutes: FastifyPluginCallbackZod<{ service: Service }> = (
  app,
  {
    service: {
      access: { groups },
    },
  },
  done,
) => {
  const bodyOf = ({ id, name, createdAtMs }: Group): z.output<typeof groupSchema> => ({
    id,
    name,
    members: [...groups.memberIds(id)],
    createdAt: isoOf(createdAtMs),
  });

  app.get(
    '/groups',
    {
      config: admin,
      schema: {
        tags,
        summary: 'Lists groups by name',
        response: { 200: z.object({ groups: z.array(groupSchema) }) },
      },
    },
    () => ({ groups: groups.list().map(bodyOf) }),
  );

  app.post(
    '/groups',
    {
      config: admin,
      schema: {
        tags,
        summary: 'Adds a group',
        body: newGroupSchema,
        response: { 201: groupSchema },
      },
    },
    async (request, reply) => {
      const group = groups.add(request.body.name, actorOf(request));
      return reply.code(201).send(bodyOf(group));
    },
  );

  app.patch(
    '/groups/:id',
    {
      config: admin,
      schema: {
        tags,
        summary: 'Renames a group',
        params: idParamsSchema,
        body: newGroupSchema,
        response: { 200: groupSchema },
      },
    },
    (request) => bodyOf(groups.rename(request.params.id, request.body.name, actorOf(request))),
  );

  app.delete(
    '/groups/:id',
    {
      config: admin,
      schema: {
        tags,
        summary: 'Removes a group with its grants; its users stay',
        params: idParamsSchema,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      groups.remove(request.params.id, actorOf(request));
      return reply.code(204).send(null);
    },
  );

  for (const [method, isMember] of [
    ['PUT', true],
    ['DELETE', false],
  ] as const) {
    app.route({
      method,
      url: '/groups/:id/members/:userId',
      config: admin,
      schema: {
        tags,
        summary: isMember ? 'Adds a user to a group' : 'Takes a user out of a group',
        params: memberParamsSchema,
        response: { 204: z.null() },
      },
      handler: async (request, reply) => {
        const { id: groupId, userId } = request.params;
        groups.setMember({ groupId, userId, isMember }, actorOf(request));
        return reply.code(204).send(null);
      },
    });
  }

  done();
};
