import type { FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { actorOf } from '../access/fastify-hooks.ts';
import {
  clearSessionCookie,
  sessionCookieName,
  setSessionCookie,
} from '../access/session-cookie.ts';
import type { OpenSession } from '../access/sessions.ts';
import type { UserView } from '../access/users.ts';
import type { Service } from '../service.ts';
import {
  credentialsSchema,
  passwordChangeSchema,
  sessionSchema,
  setupSchema,
} from './schemas/session.ts';

type SessionBody = z.output<typeof sessionSchema>;

/** Logging in and out, and the first admin. */
export const sessionRoutes: FastifyPluginCallbackZod<{ service: Service }> = (
  app,
  { service: { access } },
  done,
) => {
  const tags = ['session'];
  const settings = access.settings.session;

  const stateOf = (request: FastifyRequest): SessionBody => {
    const { identity, session } = request;
    const isNobody = identity.kind === 'anonymous' && !identity.isAdmin;
    return {
      ...common(),
      user: isNobody
        ? null
        : {
            id: identity.userId,
            name: identity.name,
            isAdmin: identity.isAdmin,
            groups: [...identity.groupIds],
            scopes: identity.scopes && [...identity.scopes],
          },
      csrfToken: session?.csrfToken ?? null,
    };
  };

  const opened = (user: UserView, { csrfToken }: OpenSession): SessionBody => {
    const { id, name, isAdmin, groupIds } = user;
    return {
      ...common(),
      user: { id, name, isAdmin, groups: [...groupIds], scopes: null },
      csrfToken,
    };
  };

  const common = (): Pick<SessionBody, 'mode' | 'publicRead' | 'needsSetup'> => ({
    mode: access.settings.isOpen ? 'open' : 'users',
    publicRead: access.settings.publicRead,
    needsSetup: !access.hasAdmin,
  });

  app.get(
    '/session',
    {
      config: { access: 'public' },
      schema: { tags, summary: 'Says who asks', response: { 200: sessionSchema } },
    },
    (request, reply) => {
      reply.header('cache-control', 'no-store');
      return stateOf(request);
    },
  );

  app.post(
    '/session',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Logs a browser in',
        body: credentialsSchema,
        response: { 200: sessionSchema },
      },
    },
    async (request, reply) => {
      const replaces = request.cookies[sessionCookieName(request, settings)] ?? null;
      const { user, session } = await access.login({
        ...request.body,
        address: request.ip,
        replaces,
      });
      setSessionCookie(request, reply, { session, settings });
      return opened(user, session);
    },
  );

  app.delete(
    '/session',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Logs a browser out; with `everywhere`, all of the user',
        querystring: z.strictObject({ everywhere: z.enum(['true', 'false']).optional() }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { session, identity, query } = request;
      if (session !== null) {
        const by = actorOf(request);
        if (query.everywhere === 'true') access.sessions.closeAll(identity.userId!, by);
        else access.sessions.close(session.id, by);
      }
      clearSessionCookie(request, reply, settings);
      return reply.code(204).send(null);
    },
  );

  app.put(
    '/session/password',
    {
      config: { access: 'signed-in' },
      schema: {
        tags,
        summary: 'Changes the own password; other sessions end',
        body: passwordChangeSchema,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const keptSessionId = request.session?.id ?? null;
      await access.changeOwnPassword({ ...request.body, keptSessionId }, actorOf(request));
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/setup',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Makes the first admin, by the link that the service prints',
        body: setupSchema,
        response: { 200: sessionSchema },
      },
    },
    async (request, reply) => {
      const { token: secret, name, password } = request.body;
      await access.setupLink.redeem({ secret, name, password }, request.ip);
      const { user, session } = await access.login({ name, password, address: request.ip });
      setSessionCookie(request, reply, { session, settings });
      return opened(user, session);
    },
  );

  done();
};
