import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Json } from '../../model/tags.ts';
import { actorOf } from '../access/fastify-hooks.ts';
import { hasScope, isAdminWithin } from '../access/identity.ts';
import { assertRoomForOne } from '../access/user-limits.ts';
import { isoOf } from '../http/iso.ts';
import type { Service } from '../service.ts';
import type { Dashboard } from '../state/records/dashboard.ts';
import { ServiceError } from '../state/service-error.ts';
import { idParamsSchema } from './schemas/access.ts';
import { dashboardSchema, newDashboardSchema } from './schemas/dashboards.ts';

/** Characters of what one shows, as JSON. */
const CONTENT_LENGTH_MAX = 200_000;

const tags = ['dashboards'];
const view = { access: { scope: 'view' as const } };
const signedIn = { access: 'signed-in' as const };

/** Saved dashboards: everybody has his own, and sees those that are shared. */
export const dashboardRoutes: FastifyPluginCallbackZod<{ service: Service }> = (
  app,
  { service: { state, access, config, now } },
  done,
) => {
  const mayChange = ({ identity }: FastifyRequest, { ownerId }: Dashboard): boolean =>
    isAdminWithin(identity) ||
    (ownerId !== null && ownerId === identity.userId && hasScope(identity, 'change'));

  const maySee = (request: FastifyRequest, dashboard: Dashboard): boolean =>
    mayChange(request, dashboard) ||
    (dashboard.ownerId !== null && dashboard.ownerId === request.identity.userId) ||
    (dashboard.isShared && request.identity.kind !== 'anonymous');

  /** @throws {ServiceError} NOT_FOUND {ServiceError} FORBIDDEN */
  const assertMayChange = (request: FastifyRequest, dashboard: Dashboard): void => {
    if (mayChange(request, dashboard)) return;
    if (!maySee(request, dashboard)) throw notFound(dashboard.id);
    throw new ServiceError('FORBIDDEN', 'This dashboard is another user’s.');
  };

  const audit = (
    request: FastifyRequest,
    action: 'add' | 'change' | 'remove',
    { id, name, isShared }: Dashboard,
  ): void =>
    access.audit.record(
      {
        action: `dashboard.${action}`,
        target: { kind: 'dashboard', id, name },
        after: { isShared },
      },
      actorOf(request),
    );

  const bodyOf = (
    { identity }: FastifyRequest,
    dashboard: Dashboard,
  ): z.output<typeof dashboardSchema> => {
    const { id, name, isShared, ownerId, content, createdAtMs, updatedAtMs } = dashboard;
    return {
      id,
      name,
      isShared,
      isOwn: ownerId === identity.userId,
      content: content as z.output<typeof dashboardSchema>['content'],
      createdAt: isoOf(createdAtMs),
      updatedAt: isoOf(updatedAtMs),
    };
  };

  app.get(
    '/dashboards',
    {
      config: view,
      schema: {
        tags,
        summary: 'Lists the dashboards that whoever asks may see, by name',
        response: { 200: z.object({ dashboards: z.array(dashboardSchema) }) },
      },
    },
    (request) => {
      const seen = state.dashboards.all().filter((dashboard) => maySee(request, dashboard));
      seen.sort((a, b) => (a.name < b.name ? -1 : 1));
      return { dashboards: seen.map((dashboard) => bodyOf(request, dashboard)) };
    },
  );

  app.get(
    '/dashboards/:id',
    {
      config: view,
      schema: {
        tags,
        summary: 'Reads a dashboard',
        params: idParamsSchema,
        response: { 200: dashboardSchema },
      },
    },
    (request) => {
      const { id } = request.params;
      const dashboard = state.dashboards.get(id);
      if (dashboard === null || !maySee(request, dashboard)) throw notFound(id);
      return bodyOf(request, dashboard);
    },
  );

  app.post(
    '/dashboards',
    {
      config: signedIn,
      schema: {
        tags,
        summary: 'Saves a dashboard',
        body: newDashboardSchema,
        response: { 201: dashboardSchema },
      },
    },
    async (request, reply) => {
      const { identity, body } = request;
      if (!hasScope(identity, 'change')) {
        throw new ServiceError('FORBIDDEN', 'This needs the scope change.');
      }
      const nowMs = now().getTime();
      const content = checkedContent(body);
      const { userId } = identity;
      const dashboard = state.write(() => {
        const limit = {
          heldCount: userId === null ? 0 : state.dashboards.count('owner', userId),
          countMax: config.limits.dashboardsPerUser,
          what: 'saved dashboards',
          setting: 'limits.dashboardsPerUser',
        };
        assertRoomForOne(limit, actorOf(request));
        const added = state.dashboards.insert({
          id: randomUUID(),
          ...content,
          ownerId: userId,
          createdAtMs: nowMs,
          updatedAtMs: nowMs,
        });
        audit(request, 'add', added);
        return added;
      });
      return reply.code(201).send(bodyOf(request, dashboard));
    },
  );

  app.put(
    '/dashboards/:id',
    {
      config: signedIn,
      schema: {
        tags,
        summary: 'Changes a dashboard',
        params: idParamsSchema,
        body: newDashboardSchema,
        response: { 200: dashboardSchema },
      },
    },
    (request) => {
      const content = checkedContent(request.body);
      const changed = state.dashboards.update(request.params.id, (dashboard) => {
        assertMayChange(request, dashboard);
        return { ...dashboard, ...content, updatedAtMs: now().getTime() };
      });
      audit(request, 'change', changed);
      return bodyOf(request, changed);
    },
  );

  app.delete(
    '/dashboards/:id',
    {
      config: signedIn,
      schema: {
        tags,
        summary: 'Deletes a dashboard',
        params: idParamsSchema,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      state.write(() => {
        const dashboard = state.dashboards.require(id);
        assertMayChange(request, dashboard);
        state.dashboards.remove(id);
        audit(request, 'remove', dashboard);
      });
      return reply.code(204).send(null);
    },
  );

  done();
};

function checkedContent({
  name,
  isShared,
  content,
}: z.output<typeof newDashboardSchema>): Pick<Dashboard, 'name' | 'isShared' | 'content'> {
  if (JSON.stringify(content).length > CONTENT_LENGTH_MAX) {
    throw new ServiceError(
      'INVALID_FIELD',
      `A dashboard has at most ${CONTENT_LENGTH_MAX} characters of JSON.`,
      { field: 'content' },
    );
  }
  return { name, isShared, content: content as Json };
}

function notFound(id: string): ServiceError {
  return new ServiceError('NOT_FOUND', `No dashboard ${JSON.stringify(id)}.`);
}
