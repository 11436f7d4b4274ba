import type { FastifyPluginAsync } from 'fastify';
import { newStreamsOf } from '../../http/write-options.ts';
import type { Service } from '../../service.ts';
import { openorgAdminRoutes } from './admin-routes.ts';
import { openorgPublicRoutes } from './public-routes.ts';
import { OpenorgSeries } from './series.ts';

/** The time-series API of OpenOrg, at `/openorg/`. */
export const openorgPlugin: FastifyPluginAsync<{ service: Service }> = async (app, { service }) => {
  const { datastream, config } = service;
  const series = new OpenorgSeries({ datastream, newStreams: newStreamsOf(config.ingest) });
  await app.register(openorgPublicRoutes, { prefix: '/openorg', service, series });
  await app.register(openorgAdminRoutes, { prefix: '/openorg/admin', service, series });
};
