import compress from '@fastify/compress';
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import swagger from '@fastify/swagger';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import {
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { protectRoutes } from './access/fastify-hooks.ts';
import { serveApiDocs } from './api-docs.ts';
import { datastreamRoutes } from './compat/datastream/routes.ts';
import { feedsPlugin } from './compat/feeds/feeds-plugin.ts';
import { grafanaRoutes } from './compat/grafana/routes.ts';
import { influxRoutes } from './compat/influx.ts';
import { openorgPlugin } from './compat/openorg/plugin.ts';
import { prometheusRoutes } from './compat/prometheus/routes.ts';
import { apiDescription } from './http/api-description.ts';
import { limitJsonDepth } from './http/json-body.ts';
import { refuseWithoutRoute } from './http/no-route.ts';
import { sendProblem } from './http/problem.ts';
import { limitRequests } from './http/request-limit.ts';
import { viewerOf } from './http/request-viewer.ts';
import { refuseUnreadable } from './http/unreadable.ts';
import { readTls } from './operations/listening.ts';
import { operationRoutes } from './operations/operations.ts';
import { noteRequests } from './operations/request-log.ts';
import type { Service } from './service.ts';
import { v1Routes } from './v1/v1.ts';
import { serveDashboard } from './web.ts';

/** Answers below this size are sent as they are. */
const COMPRESSED_SIZE_BYTES = 2048;

export interface AppOptions {
  /** Default: nothing is logged. */
  readonly logger?: FastifyBaseLogger;
}

/** The service's HTTP side as a value: tests call it without a port. The caller closes the service itself. */
export async function buildApp(
  service: Service,
  { logger }: AppOptions = {},
): Promise<FastifyInstance> {
  const { config } = service;
  const tls = readTls(config);
  const app = Fastify({
    ...(logger !== undefined && { loggerInstance: logger }),
    // Our own lines say less: queries may hold credentials.
    logController: new LogController({ disableRequestLogging: true }),
    ...(tls !== null && { https: tls }),
    bodyLimit: config.limits.bodyBytes,
    trustProxy: config.trustProxy,
    // Ids of our own: those of clients could be anything.
    requestIdHeader: false,
    routerOptions: { maxParamLength: 200 },
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    // What is wrong with a request before it has a route.
    frameworkErrors: sendProblem,
    clientErrorHandler: refuseUnreadable,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  limitJsonDepth(app as unknown as FastifyInstance);
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
  refuseWithoutRoute(app as unknown as FastifyInstance);
  noteRequests(app as unknown as FastifyInstance, service.metrics);
  await limitRequests(app as unknown as FastifyInstance, config);
  await app.register(cookie);
  protectRoutes(app as unknown as FastifyInstance, service.access);
  app.decorateRequest('viewer');
  app.addHook('onRequest', async (request) => {
    request.viewer = viewerOf(request, service.access);
  });
  await app.register(helmet, {
    contentSecurityPolicy: CONTENT_POLICY,
    strictTransportSecurity: tls !== null,
  });
  // Bodies are decompressed where they are read, with a limit.
  await app.register(compress, {
    global: true,
    threshold: COMPRESSED_SIZE_BYTES,
    globalDecompression: false,
  });
  await app.register(swagger, apiDescription(app as unknown as FastifyInstance));
  await serveDashboard(app as unknown as FastifyInstance);
  await serveApiDocs(app as unknown as FastifyInstance);
  await app.register(operationRoutes, { service });
  await app.register(v1Routes, { prefix: '/api/v1', service });
  await app.register(influxRoutes, { service });
  await app.register(prometheusRoutes, { service });
  await app.register(grafanaRoutes, { prefix: '/grafana', service });
  await app.register(datastreamRoutes, { service });
  await app.register(feedsPlugin, { service });
  await app.register(openorgPlugin, { service });
  return app as unknown as FastifyInstance;
}

/** Pages load nothing from anywhere else, and run no script that stands in a page. */
const CONTENT_POLICY = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'", 'data:', 'blob:'],
    fontSrc: ["'self'"],
    connectSrc: ["'self'"],
    manifestSrc: ["'self'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
    baseUri: ["'none'"],
  },
};
