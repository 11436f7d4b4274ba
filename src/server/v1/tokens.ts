import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { actorOf } from '../access/fastify-hooks.ts';
import type { TokenView } from '../access/tokens.ts';
import { instant } from '../http/instants.ts';
import { isoOf, isoOrNull } from '../http/iso.ts';
import type { Service } from '../service.ts';
import { ServiceError } from '../state/service-error.ts';
import {
  createdTokenSchema,
  idParamsSchema,
  newTokenSchema,
  tokenSchema,
} from './schemas/access.ts';

const tags = ['access'];
const signedIn = { access: 'signed-in' as const };

/** API tokens: everybody sees to his own, admins to all. */
export const tokenRoutes: FastifyPluginCallbackZod<{ service: Service }> = (
  app,
  {
    service: {
      access: { tokens },
      now,
    },
  },
  done,
) => {
  app.get(
    '/tokens',
    {
      config: signedIn,
      schema: {
        tags,
        summary: 'Lists tokens, newest first',
        querystring: z.strictObject({
          user: z.string().max(100).optional().describe('Id of a user, or `all`; default: own.'),
        }),
        response: { 200: z.object({ tokens: z.array(tokenSchema) }) },
      },
    },
    (request) => {
      const { user = request.identity.userId } = request.query;
      const list = tokens.list({ userId: user === 'all' ? null : user }, actorOf(request));
      return { tokens: list.map(bodyOf) };
    },
  );

  app.post(
    '/tokens',
    {
      config: signedIn,
      schema: {
        tags,
        summary: 'Makes a token',
        body: newTokenSchema,
        response: { 201: createdTokenSchema },
      },
    },
    async (request, reply) => {
      const { name, scopes, expires, user: userId = request.identity.userId } = request.body;
      if (userId === null) {
        throw new ServiceError('FORBIDDEN', 'A token belongs to a user; there is none yet.');
      }
      const expiresAtMs =
        expires === null ? null : instant(expires, { field: 'expires', now: now() }).getTime();
      const by = actorOf(request);
      const { secret, token } = tokens.create({ userId, name, scopes, expiresAtMs }, by);
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ secret, token: bodyOf(token) });
    },
  );

  app.delete(
    '/tokens/:id',
    {
      config: signedIn,
      schema: {
        tags,
        summary: 'Revokes a token',
        params: idParamsSchema,
        response: { 200: tokenSchema },
      },
    },
    (request) => bodyOf(tokens.revoke(request.params.id, actorOf(request))),
  );

  done();
};

function bodyOf(token: TokenView): z.output<typeof tokenSchema> {
  const { id, userId, name, scopes, createdAtMs, expiresAtMs, lastUsedAtMs, revokedAtMs } = token;
  return {
    id,
    user: userId,
    name,
    scopes: [...scopes],
    createdAt: isoOf(createdAtMs),
    expiresAt: isoOrNull(expiresAtMs),
    lastUsedAt: isoOrNull(lastUsedAtMs),
    revokedAt: isoOrNull(revokedAtMs),
  };
}
