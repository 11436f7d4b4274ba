import type { FastifyPluginAsync } from 'fastify';
import type { Service } from '../service.ts';
import { dataRoutes } from './data.ts';
import { jobRoutes } from './jobs.ts';
import { sessionRoutes } from './session.ts';
import { streamRoutes } from './streams.ts';
import { writeRoutes } from './write.ts';

/** Our own API, with its description at `/openapi.json`. */
export const v1Routes: FastifyPluginAsync<{ service: Service }> = async (app, { service }) => {
  await app.register(sessionRoutes, { service });
  await app.register(streamRoutes, { service });
  await app.register(dataRoutes, { service });
  await app.register(writeRoutes, { service });
  await app.register(jobRoutes, { service });
  app.get('/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, () => {
    return app.swagger();
  });
};
