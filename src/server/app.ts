import compress from '@fastify/compress';
import cookie from '@fastify/cookie';
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
import { setAnswerHeaders } from './http/answer-headers.ts';
import { apiDescription } from './http/api-description.ts';
import { answerClientError, sendFrameworkError } from './http/bare-answers.ts';
import { limitJsonDepth } from './http/json-body.ts';
import { refuseWithoutRoute } from './http/no-route.ts';
import { sendProblem } from './http/problem.ts';
import { limitRequests } from './http/request-limit.ts';
import { viewerOf } from './http/request-viewer.ts';
import { isPublicSecure, readTls, trustedProxies } from './operations/listening.ts';
import { operationRoutes } from './operations/operations.ts';
import { noteRequests } from './operations/request-log.ts';
import type { Service } from './service.ts';
import { v1Routes } from './v1/v1.ts';
import { serveDashboard } from './web.ts';

/** Answers below this size are sent as they are. */
const COMPRESSED_SIZE_BYTES = 2048;

const SLOW_CHECK_MAX_MS = 30_000;
const HEADERS_TIME_MAX_MS = 60_000;

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
  const { requestTime } = config.limits;
  const connections = {
    // Whoever is too slow is looked for as often as somebody can be.
    connectionsCheckingInterval: Math.min(requestTime, SLOW_CHECK_MAX_MS),
    // Of the two limits Node.js takes the longer one for whole requests.
    headersTimeout: Math.min(requestTime, HEADERS_TIME_MAX_MS),
    requestTimeout: requestTime,
  };
  const app = Fastify({
    ...(logger !== undefined && { loggerInstance: logger }),
    // Our own lines say less: queries may hold credentials.
    logController: new LogController({ disableRequestLogging: true }),
    ...(tls === null ? { http: connections } : { https: { ...tls, ...connections } }),
    bodyLimit: config.limits.bodyBytes,
    requestTimeout: requestTime,
    trustProxy: trustedProxies(config),
    frameworkErrors: sendFrameworkError,
    clientErrorHandler: answerClientError,
    // Ids of our own: those of clients could be anything.
    requestIdHeader: false,
    routerOptions: { maxParamLength: 200 },
    return503OnClosing: true,
    forceCloseConnections: 'idle',
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  limitJsonDepth(app as unknown as FastifyInstance);
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
  refuseWithoutRoute(app as unknown as FastifyInstance);
  noteRequests(app as unknown as FastifyInstance, service.metrics);
  await setAnswerHeaders(app as unknown as FastifyInstance, {
    isSecure: tls !== null || isPublicSecure(config),
  });
  await limitRequests(app as unknown as FastifyInstance, config);
  await app.register(cookie);
  protectRoutes(app as unknown as FastifyInstance, service.access);
  app.decorateRequest('viewer');
  app.addHook('onRequest', async (request) => {
    request.viewer = viewerOf(request, service.access);
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
