import type { FastifyRequest } from 'fastify';
import type { Stream } from '../../../api/types.ts';
import { hasScope, isAdminWithin } from '../../access/identity.ts';
import { Problem } from '../../http/problem.ts';
import type { Permission } from '../../http/viewer.ts';
import type { Feed, FeedAxis } from './feed-record.ts';
import type { Feeds } from './feeds.ts';

/** Who asks, and for which axis. */
export interface AxisRequest {
  readonly feed: Feed;
  readonly axis: FeedAxis;
  readonly stream: Stream;
}

/** An axis by the names in the address. @throws {Problem} 404 when there is none, 403 where it is another's. */
export async function axisFor(
  feeds: Feeds,
  request: Pick<FastifyRequest, 'params' | 'viewer'>,
  permission: Permission,
): Promise<AxisRequest> {
  const { feed: feedName, axis: axisName } = request.params as { feed: string; axis: string };
  const feed = feeds.find(feedName);
  const axis = feed?.axes.find(({ name }) => name === axisName);
  const stream = axis === undefined ? null : await feeds.streamOf(axis);
  if (feed === null || axis === undefined || stream === null) {
    throw new Problem(404, 'Please specify a valid feed and feed axis.');
  }
  if (!request.viewer.can(permission, stream)) {
    throw new Problem(403, `You may not ${permission} ${feedName}/${axisName}.`);
  }
  return { feed, axis, stream };
}

/** Whether he may add and remove axes, and remove the feed. */
export function mayManage({ identity }: Pick<FastifyRequest, 'identity'>, feed: Feed): boolean {
  if (isAdminWithin(identity)) return true;
  const isOwner = feed.ownerId !== null && feed.ownerId === identity.userId;
  return isOwner && hasScope(identity, 'change');
}

/** A feed with those of its axes that he may view; null where he sees nothing of it. */
export async function visibleFeed(
  feeds: Feeds,
  request: Pick<FastifyRequest, 'identity' | 'viewer'>,
  feed: Feed,
): Promise<{ readonly feed: Feed; readonly axes: readonly AxisRequest[] } | null> {
  const axes: AxisRequest[] = [];
  for (const axis of feed.axes) {
    const stream = await feeds.streamOf(axis);
    if (stream !== null && request.viewer.can('view', stream)) axes.push({ feed, axis, stream });
  }
  return axes.length > 0 || mayManage(request, feed) ? { feed, axes } : null;
}
