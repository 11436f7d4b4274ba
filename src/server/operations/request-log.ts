import type { FastifyInstance } from 'fastify';
import type { ServiceMetrics } from './metrics.ts';

/** The route of requests that have none: their paths could be anything. */
const NO_ROUTE = '(none)';

/**
 * Counts every request, and logs it when it is answered: by its path alone, as queries may hold credentials,
 * and so may headers and bodies.
 */
export function noteRequests(app: FastifyInstance, metrics: ServiceMetrics): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method, url, ip, identity, routeOptions } = request;
    const { statusCode: status, elapsedTime: durationMs } = reply;
    const route = request.is404 ? NO_ROUTE : (routeOptions.url ?? NO_ROUTE);
    metrics.noteRequest({ method, route, status, durationMs });
    const details = {
      method,
      path: url.split('?', 1)[0],
      status,
      durationMs: Math.round(durationMs * 10) / 10,
      address: ip,
      who: identity?.name ?? null,
    };
    request.log.info(details, 'request');
  });
}
