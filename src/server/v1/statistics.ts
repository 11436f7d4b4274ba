import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Stream } from '../../api/types.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { isoOf } from '../http/iso.ts';
import { readVisible } from '../http/stream-search.ts';
import { TagFilter } from '../http/tag-filter.ts';
import type { Service } from '../service.ts';
import {
  statisticsSchema,
  streamStatisticsListSchema,
  type streamStatisticsSchema,
} from './schemas/statistics.ts';
import { tagQuerySchema } from './schemas/tag-query.ts';

/** Each stream is measured. */
const PAGE_STREAM_COUNT = 50;
const PAGE_STREAM_COUNT_MAX = 200;

const placeSchema = z.int().min(0);
const tags = ['operations'];
const config = { access: 'admin' } as const;

/** How much there is, how fast it grows and whose it is, for admins. */
export const statisticsRoutes: FastifyPluginCallbackZod<{ service: Service }> = (
  app,
  { service },
  done,
) => {
  const { datastream, statistics, access, live, openedAt, now } = service;

  app.get(
    '/statistics',
    {
      config,
      schema: {
        tags,
        summary: 'Tells the size of the store and what comes into it',
        response: { 200: statisticsSchema },
      },
    },
    async () => {
      const storeSizeBytes = await statistics.storeSizeBytes();
      const { totals } = statistics;
      return {
        openedAt: openedAt.toISOString(),
        uptimeMs: now().getTime() - openedAt.getTime(),
        storeSizeBytes,
        totals: totals && {
          streamCount: totals.streamCount,
          datapointCount: totals.count,
          certainty: totals.certainty,
          countedAt: isoOf(totals.atMs),
        },
        appendedPerMinute: statistics.appends.perMinute,
        eventStreamCount: live.counts.readers,
      };
    },
  );

  const ownerOf = (streamId: string): { id: string; name: string } | null => {
    const userId = access.grants.ownerIdOf(streamId);
    if (userId === null) return null;
    const { id, name } = access.users.get(userId);
    return { id, name };
  };

  const bodyOf = async (stream: Stream): Promise<z.output<typeof streamStatisticsSchema>> => {
    const { count, certainty, sizeBytes, ratePerMinute } = await statistics.of(stream);
    return {
      stream: stream.id,
      tags: stream.tags as z.output<typeof streamStatisticsSchema>['tags'],
      datapointCount: count,
      certainty,
      latestDatapoint: stream.latestDatapoint?.toISOString() ?? null,
      ratePerMinute,
      sizeBytes,
      owner: ownerOf(stream.id),
    };
  };

  app.get(
    '/statistics/streams',
    {
      config,
      schema: {
        tags,
        summary: 'Tells how much each stream has, in creation order',
        description: 'Parameters `tags__name=value` ask for tags, as in the list of streams.',
        querystring: tagQuerySchema({
          q: z.string().max(200).optional().describe('Text that some tag contains.'),
          limit: z.coerce
            .number()
            .int()
            .min(1)
            .max(PAGE_STREAM_COUNT_MAX)
            .default(PAGE_STREAM_COUNT),
          cursor: z.string().max(200).optional(),
        }),
        response: { 200: streamStatisticsListSchema },
      },
    },
    async ({ query, viewer }) => {
      const { q, limit, cursor } = query;
      const { streams, next } = await readVisible(datastream, {
        filter: TagFilter.parse(query),
        text: q ?? null,
        viewer,
        after: cursor === undefined ? undefined : decodeCursor(cursor, placeSchema),
        offset: 0,
        limit,
      });
      const bodies = [];
      // One after the other: a page of large streams must not keep the process from everything else.
      for (const stream of streams) bodies.push(await bodyOf(stream));
      return { streams: bodies, next: next === null ? null : encodeCursor(next) };
    },
  );

  done();
};
