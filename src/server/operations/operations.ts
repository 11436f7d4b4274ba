import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Service } from '../service.ts';
import { readiness } from './readiness.ts';

/** Cached answers about now would be wrong. */
const NO_CACHING = 'no-store';

/** Whether the service lives and can work, and what it counts: for supervisors and monitoring. */
export const operationRoutes: FastifyPluginCallbackZod<{ service: Service }> = (
  app,
  { service },
  done,
) => {
  const { metrics, config } = service;
  const tags = ['operations'];
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', NO_CACHING);
  });

  app.get(
    '/healthz',
    {
      config: { access: 'public' },
      logLevel: 'warn',
      schema: {
        tags,
        summary: 'Answers as long as the process lives',
        response: { 200: z.object({ status: z.literal('ok') }) },
      },
    },
    async () => ({ status: 'ok' as const }),
  );

  app.get(
    '/readyz',
    {
      config: { access: 'public' },
      logLevel: 'warn',
      schema: {
        tags,
        summary:
          'Whether requests can be answered: the stores answer, and the service does not end',
        response: { 200: readinessSchema, 503: readinessSchema },
      },
    },
    async (_request, reply) => {
      const checks = await readiness(service);
      const isReady = Object.values(checks).every((check) => check === 'ok');
      return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ok' : 'failing', checks });
    },
  );

  app.get(
    '/metrics',
    {
      config: { access: config.access.publicMetrics ? 'public' : 'signed-in' },
      logLevel: 'warn',
      schema: {
        tags,
        summary: 'Metrics in the text format of Prometheus',
        response: { 200: z.string() },
      },
    },
    async (_request, reply) => {
      const text = await metrics.text();
      return reply.type(metrics.contentType).serializer(String).send(text);
    },
  );

  done();
};

const checkSchema = z.enum(['ok', 'failing']);

const readinessSchema = z.object({
  status: checkSchema,
  checks: z.object({ store: checkSchema, state: checkSchema, running: checkSchema }),
});
