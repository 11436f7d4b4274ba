import type { FastifyInstance } from 'fastify';

const ALLOWED_METHODS = 'GET, HEAD, OPTIONS';
const MAX_AGE_S = '3600';

/** Lets pages from everywhere read, as long as they send no cookies; also what is refused before it gets here. */
export function allowAllOrigins(app: FastifyInstance): void {
  app.addHook('onSend', async (_request, reply) => {
    reply.headers({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': ALLOWED_METHODS,
      'access-control-allow-headers': 'Content-Type, Authorization',
      'access-control-max-age': MAX_AGE_S,
      'cross-origin-resource-policy': 'cross-origin',
    });
  });
}

/** Answers the other methods of a route: `OPTIONS` with those that there are, the rest with 405. */
export function refuseOtherMethods(app: FastifyInstance, url: string): void {
  app.route({
    method: 'OPTIONS',
    url,
    config: { access: 'public' },
    schema: { hide: true },
    handler: async (_request, reply) =>
      reply.header('allow', ALLOWED_METHODS).type('text/plain').send(ALLOWED_METHODS),
  });
  app.route({
    method: ['POST', 'PUT', 'PATCH', 'DELETE'],
    url,
    config: { access: 'public' },
    schema: { hide: true },
    handler: async (_request, reply) =>
      reply.code(405).header('allow', ALLOWED_METHODS).send({ error: 'Method not allowed.' }),
  });
}
