import { parse } from 'node:querystring';
import type { FastifyPluginAsync } from 'fastify';
import type { Service } from '../../service.ts';
import { sendFeedError } from './errors.ts';
import { feedManageRoutes } from './manage-routes.ts';
import { feedRoutes } from './routes.ts';

const FORM_SIZE_MAX_BYTES = 16_384;

/** All that has to do with feeds, with errors as their clients know them. */
export const feedsPlugin: FastifyPluginAsync<{ service: Service }> = async (app, { service }) => {
  const { feeds, demo } = service.feeds;
  app.setErrorHandler((error, request, reply) => sendFeedError(error, request, reply));
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: FORM_SIZE_MAX_BYTES },
    (_request, body, parsed) => parsed(null, parse(String(body))),
  );
  await app.register(feedRoutes, { service, feeds });
  await app.register(feedManageRoutes, { service, feeds, demo });
};
