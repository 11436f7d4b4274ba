import type { FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { actorOf } from '../../access/fastify-hooks.ts';
import { hasScope } from '../../access/identity.ts';
import { hidingStreams } from '../../http/hidden-streams.ts';
import { Problem } from '../../http/problem.ts';
import type { Service } from '../../service.ts';
import { type Feed, type FeedAxis, Y_CASTS } from './feed-record.ts';
import type { Feeds } from './feeds.ts';
import { checkedName } from './inputs.ts';
import { mayManage, visibleFeed } from './permissions.ts';
import type { SineDemoSwitch } from './sine-demo.ts';

const name = z.string().max(400);
const feedParams = z.object({ feed: z.string().max(200) });
const newFeedSchema = z.strictObject({
  name,
  x_cast: z.literal('datetime').optional(),
  y_cast: z.enum(Y_CASTS),
  axes: z.array(name).max(100).default([]),
});
const newAxisSchema = z.strictObject({ name });
const tags = ['compatibility'];
const signedIn = { access: 'signed-in' as const };
const admin = { access: 'admin' as const };

/** Creating and deleting feeds and axes, and what admins see of them. */
export const feedManageRoutes: FastifyPluginCallbackZod<{
  service: Service;
  feeds: Feeds;
  demo: SineDemoSwitch;
}> = (app, { service, feeds, demo }, done) => {
  const { access, datastream, state } = service;

  const bodyOf = async (request: FastifyRequest, feed: Feed) => {
    const seen = await visibleFeed(feeds, request, feed);
    if (seen === null) throw new Problem(404, 'No feed found for selected input');
    return {
      id: feed.id,
      name: feed.name,
      x_cast: 'datetime',
      y_cast: feed.yCast,
      owner: ownerName(feed),
      axes: seen.axes.map(({ axis, stream }) => ({ name: axis.name, id: stream.id })),
    };
  };

  const ownerName = ({ ownerId }: Feed): string | null =>
    ownerId === null ? null : (state.users.get(ownerId)?.name ?? null);

  /** @throws {Problem} 404 403 */
  const managed = async (request: FastifyRequest & { params: { feed: string } }): Promise<Feed> => {
    const feed = feeds.find(request.params.feed);
    if (feed !== null && mayManage(request, feed)) return feed;
    if (feed === null || (await visibleFeed(feeds, request, feed)) === null) {
      throw new Problem(404, 'No feed found for selected input');
    }
    throw new Problem(403, `The feed ${feed.name} is another user’s.`);
  };

  /** @throws {Problem} 403 */
  const assertMayCreate = (request: FastifyRequest, feed: string, axis: string): void => {
    if (request.viewer.canCreate(feeds.axisTags(feed, axis))) return;
    throw new Problem(403, 'You may not create streams of feeds.', { code: 'NOT_ALLOWED' });
  };

  const addAxis = async (request: FastifyRequest, feed: Feed, axis: string): Promise<void> => {
    const streamId = await feeds.addAxis(feed, axis);
    await request.viewer.created([streamId]);
  };

  /** @throws {Problem} 403, before anything is deleted. */
  const removeAxes = async (
    request: FastifyRequest,
    feed: Feed,
    axes: readonly FeedAxis[],
  ): Promise<void> => {
    for (const axis of axes) {
      const stream = await feeds.streamOf(axis);
      if (stream === null || request.viewer.can('delete', stream)) continue;
      throw new Problem(403, `You may not delete ${feed.name}/${axis.name}.`);
    }
    for (const axis of axes) {
      await hidingStreams({ datastream, viewer: request.viewer }, () =>
        feeds.removeAxis(feed, axis),
      );
      await request.viewer.deleted([axis.streamId]);
    }
  };

  const record = (request: FastifyRequest, action: string, { id, name: feedName }: Feed): void =>
    access.audit.record({ action, target: { kind: 'feed', id, name: feedName } }, actorOf(request));

  app.get(
    '/service/feeds',
    { config: signedIn, schema: { tags, summary: 'Feeds of which one sees something' } },
    async (request) => {
      const seen = [];
      for (const feed of feeds.all()) {
        if ((await visibleFeed(feeds, request, feed)) !== null)
          seen.push(await bodyOf(request, feed));
      }
      return { feeds: seen };
    },
  );

  app.post(
    '/service/feeds',
    { config: signedIn, schema: { tags, summary: 'Creates a feed', body: newFeedSchema } },
    async (request, reply) => {
      const { body, identity } = request;
      if (!hasScope(identity, 'change')) throw new Problem(403, 'This needs the scope change.');
      const feedName = checkedName(body.name, 'feed');
      const axes = body.axes.map((axis) => checkedName(axis, 'axis'));
      const twice = axes.find((axis, index) => axes.indexOf(axis) !== index);
      if (twice !== undefined) {
        throw new Problem(409, `axes: ${JSON.stringify(twice)} is there twice.`, { field: 'axes' });
      }
      for (const axis of axes.length === 0 ? [''] : axes) assertMayCreate(request, feedName, axis);
      const feed = feeds.create({
        name: feedName,
        yCast: body.y_cast,
        ownerId: identity.userId,
      });
      record(request, 'feed.add', feed);
      for (const axis of axes) await addAxis(request, feeds.find(feed.id)!, axis);
      return reply
        .code(201)
        .header('location', `/service/feeds/${feed.id}`)
        .send(await bodyOf(request, feeds.find(feed.id)!));
    },
  );

  app.get(
    '/service/feeds/:feed',
    { config: signedIn, schema: { tags, summary: 'Reads a feed', params: feedParams } },
    async (request) => {
      const feed = feeds.find(request.params.feed);
      if (feed === null) throw new Problem(404, 'No feed found for selected input');
      return bodyOf(request, feed);
    },
  );

  app.delete(
    '/service/feeds/:feed',
    {
      config: signedIn,
      schema: { tags, summary: 'Deletes a feed with its axes and rows', params: feedParams },
    },
    async (request, reply) => {
      const feed = await managed(request);
      await removeAxes(request, feed, feed.axes);
      feeds.remove(feed);
      record(request, 'feed.remove', feed);
      return reply.code(204).send();
    },
  );

  app.post(
    '/service/feeds/:feed/axes',
    {
      config: signedIn,
      schema: { tags, summary: 'Adds an axis', params: feedParams, body: newAxisSchema },
    },
    async (request, reply) => {
      const feed = await managed(request);
      const axis = checkedName(request.body.name, 'axis');
      assertMayCreate(request, feed.name, axis);
      await addAxis(request, feed, axis);
      return reply.code(201).send(await bodyOf(request, feeds.find(feed.id)!));
    },
  );

  app.delete(
    '/service/feeds/:feed/axes/:axis',
    {
      config: signedIn,
      schema: {
        tags,
        summary: 'Deletes an axis with its rows',
        params: feedParams.extend({ axis: z.string().max(200) }),
      },
    },
    async (request, reply) => {
      const feed = await managed(request);
      const axis = feed.axes.find(({ name: axisName }) => axisName === request.params.axis);
      if (axis === undefined) throw new Problem(404, `${feed.name} has no such axis.`);
      await removeAxes(request, feed, [axis]);
      return reply.code(204).send();
    },
  );

  for (const url of ['/service/admin_dashboard', '/service/admin_dashboard.json']) {
    app.get(
      url,
      { config: admin, schema: { tags, summary: 'All axes with the number of their rows' } },
      async () => {
        const rows = [];
        for (const feed of feeds.all()) {
          const owner = ownerName(feed);
          for (const axis of [...feed.axes].sort((a, b) => (a.name < b.name ? -1 : 1))) {
            const stream = await feeds.streamOf(axis);
            const count = stream === null ? 0 : await feeds.rowsOf(stream).count();
            rows.push({ feed_name: feed.name, axis_name: axis.name, count, owner });
          }
        }
        return { rows };
      },
    );
  }

  app.get(
    '/tools/state_sin_wave',
    { config: admin, schema: { tags, summary: 'Whether the sine demo is on' } },
    async () => ({ state: demo.isOn }),
  );

  app.post(
    '/tools/toggle_sin_wave',
    { config: admin, schema: { tags, summary: 'Switches the sine demo on or off' } },
    async (request) => {
      const isOn = await demo.toggle(request.identity.userId);
      access.audit.record(
        { action: 'feed.demo', target: { kind: 'job', id: 'demo' }, after: isOn },
        actorOf(request),
      );
      return { state: isOn };
    },
  );

  done();
};
