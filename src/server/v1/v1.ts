import type { FastifyPluginAsync } from 'fastify';
import type { Service } from '../service.ts';
import { alertRuleRoutes } from './alert-rules.ts';
import { alertRoutes } from './alerts.ts';
import { auditRoutes } from './audit.ts';
import { dashboardRoutes } from './dashboards.ts';
import { dataRoutes } from './data.ts';
import { eventRoutes } from './events.ts';
import { grantRoutes } from './grants.ts';
import { groupRoutes } from './groups.ts';
import { jobRoutes } from './jobs.ts';
import { sessionRoutes } from './session.ts';
import { statisticsRoutes } from './statistics.ts';
import { statusRoutes } from './status.ts';
import { streamRoutes } from './streams.ts';
import { tokenRoutes } from './tokens.ts';
import { userRoutes } from './users.ts';
import { writeRoutes } from './write.ts';

const ROUTES = [
  sessionRoutes,
  streamRoutes,
  dataRoutes,
  writeRoutes,
  eventRoutes,
  statusRoutes,
  statisticsRoutes,
  dashboardRoutes,
  userRoutes,
  groupRoutes,
  tokenRoutes,
  grantRoutes,
  auditRoutes,
  jobRoutes,
  alertRuleRoutes,
  alertRoutes,
];

/** Our own API, with its description at `/openapi.json`. */
export const v1Routes: FastifyPluginAsync<{ service: Service }> = async (app, { service }) => {
  for (const routes of ROUTES) await app.register(routes, { service });
  app.get('/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, () => {
    return app.swagger();
  });
};
