import type { FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { StreamNotFound } from '../../exceptions/errors.ts';
import type { Tags } from '../../model/tags.ts';
import { actorOf } from '../access/fastify-hooks.ts';
import { isAdminWithin } from '../access/identity.ts';
import { isoOf } from '../http/iso.ts';
import { streamFor } from '../http/viewer.ts';
import type { Service } from '../service.ts';
import type { Grant, GrantSubject } from '../state/records/grant.ts';
import { ServiceError } from '../state/service-error.ts';
import { grantSchema, idParamsSchema, newGrantSchema } from './schemas/access.ts';
import { streamIdSchema } from './schemas/streams.ts';

type GrantBody = z.output<typeof grantSchema>;

const tags = ['access'];
const scope = { access: { scope: 'grant' as const } };

/** Who was granted what: for admins, and for whoever may grant on a stream. */
export const grantRoutes: FastifyPluginCallbackZod<{ service: Service }> = (
  app,
  {
    service: {
      access: { grants, users, groups },
      datastream,
    },
  },
  done,
) => {
  /** @throws {ServiceError} NOT_FOUND for a name that nobody has. */
  const subjectOf = (given: z.output<typeof newGrantSchema>['subject']): GrantSubject => {
    if (!('name' in given)) return given;
    const { kind, name } = given;
    return kind === 'user'
      ? { kind, userId: users.byName(name).id }
      : { kind, groupId: groups.byName(name).id };
  };

  const nameOf = (subject: GrantSubject): { name?: string } => {
    if (subject.kind === 'public') return {};
    const { name } =
      subject.kind === 'user' ? users.get(subject.userId) : groups.get(subject.groupId);
    return { name };
  };

  const bodyOf = ({ id, subject, permissions, target, createdAtMs }: Grant): GrantBody => ({
    id,
    subject: { ...subject, ...nameOf(subject) },
    permissions: [...permissions],
    target: { ...target } as GrantBody['target'],
    createdAt: isoOf(createdAtMs),
  });

  /** Permissions may come from the tags of a stream; of one that is gone there are none. */
  const tagsOf = async ({ target }: Pick<Grant, 'target'>): Promise<Tags | null> => {
    if (target.kind === 'query') return null;
    try {
      return (await datastream.getStream(target.streamId)).tags;
    } catch (error) {
      if (error instanceof StreamNotFound) return null;
      throw error;
    }
  };

  app.get(
    '/grants',
    {
      config: scope,
      schema: {
        tags,
        summary: 'Lists grants, oldest first: those that reach one stream, or, for admins, all',
        description: 'Of a stream: those that name it, then those by tags that it has.',
        querystring: z.strictObject({ stream: streamIdSchema.optional() }),
        response: { 200: z.object({ grants: z.array(grantSchema) }) },
      },
    },
    async (request) => {
      const { stream } = request.query;
      if (stream === undefined) {
        assertAdmin(request);
        return { grants: grants.list().map(bodyOf) };
      }
      const { tags: streamTags } = await streamFor(
        { datastream, viewer: request.viewer },
        stream,
        'grant',
      );
      return { grants: [...grants.ofStream(stream), ...grants.ofTags(streamTags)].map(bodyOf) };
    },
  );

  app.post(
    '/grants',
    {
      config: scope,
      schema: {
        tags,
        summary: 'Grants permissions on a stream, or on all with some tags',
        body: newGrantSchema,
        response: { 201: grantSchema },
      },
    },
    async (request, reply) => {
      const { subject, permissions, target } = request.body;
      const on = { target, tags: await tagsOf({ target }) };
      // First: who may not grant is not told who there is.
      grants.assertMayGrant(permissions, on, actorOf(request));
      const grant = grants.add(
        { ...on, permissions, subject: subjectOf(subject) },
        actorOf(request),
      );
      return reply.code(201).send(bodyOf(grant));
    },
  );

  app.delete(
    '/grants/:id',
    {
      config: scope,
      schema: {
        tags,
        summary: 'Takes a grant back',
        params: idParamsSchema,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { target } = grants.get(id);
      const streamTags = await tagsOf({ target });
      assertSeen(request, { id, target, tags: streamTags });
      grants.remove(id, { tags: streamTags }, actorOf(request));
      return reply.code(204).send(null);
    },
  );

  done();
};

/** What is granted on a stream is told of to whoever may view it. @throws {ServiceError} NOT_FOUND */
function assertSeen(
  { viewer, identity }: FastifyRequest,
  { id, target, tags: streamTags }: Pick<Grant, 'id' | 'target'> & { readonly tags: Tags | null },
): void {
  if (target.kind === 'query' || isAdminWithin(identity)) return;
  const stream = { id: target.streamId, tags: streamTags ?? {} };
  if (viewer.can('view', stream) || viewer.can('grant', stream)) return;
  throw new ServiceError('NOT_FOUND', `No grant ${JSON.stringify(id)}.`);
}

function assertAdmin({ identity }: FastifyRequest): void {
  if (isAdminWithin(identity)) return;
  throw new ServiceError('FORBIDDEN', 'All grants are shown to admins; name a stream.', {
    field: 'stream',
  });
}
