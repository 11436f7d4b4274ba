import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { StaleRange, StreamStatus } from '../../api/types.ts';
import { TagFilter } from '../http/tag-filter.ts';
import type { Service } from '../service.ts';
import { statusSchema, type streamStatusSchema } from './schemas/status.ts';
import { tagQuerySchema } from './schemas/tag-query.ts';

/** What maintenance has to do. */
export const statusRoutes: FastifyPluginCallbackZod<{ service: Service }> = (
  app,
  { service: { datastream } },
  done,
) => {
  app.get(
    '/status',
    {
      config: { access: { scope: 'view' } },
      schema: {
        tags: ['streams'],
        summary: 'Says what is stale, how old it is, and what it costs to come',
        querystring: tagQuerySchema({
          limit: z.coerce.number().int().min(0).max(1000).default(100),
        }),
        response: { 200: statusSchema },
      },
    },
    async ({ query, viewer }) => {
      const filter = TagFilter.parse(query);
      const streams: z.output<typeof streamStatusSchema>[] = [];
      const total = { streamCount: 0, staleCount: 0, bucketCount: 0 };
      let oldest: Date | null = null;
      for await (const status of datastream.status({ queryTags: filter.query })) {
        const stream = { id: status.streamId, tags: status.tags };
        if (!filter.matches(status.tags) || !viewer.can('view', stream)) continue;
        total.streamCount++;
        if (status.oldest === null && !status.pendingBackprocess) continue;
        total.staleCount++;
        total.bucketCount += status.bucketCount;
        if (status.oldest !== null && (oldest === null || status.oldest < oldest)) {
          oldest = status.oldest;
        }
        if (streams.length < query.limit) streams.push(statusBody(status));
      }
      return { ...total, oldest: oldest?.toISOString() ?? null, streams };
    },
  );

  done();
};

function statusBody(status: StreamStatus): z.output<typeof streamStatusSchema> {
  const { streamId, tags, pendingBackprocess, derived, levels, oldest, bucketCount } = status;
  return {
    stream: streamId,
    tags: tags as z.output<typeof streamStatusSchema>['tags'],
    pendingBackprocess,
    derived: derived.map(rangeBody),
    levels: levels.map(({ granularity, ranges, bucketCount: count }) => ({
      granularity: granularity.name,
      ranges: ranges.map(rangeBody),
      bucketCount: count,
    })),
    oldest: oldest?.toISOString() ?? null,
    bucketCount,
  };
}

function rangeBody({ start, end }: StaleRange): { start: string; end: string } {
  return { start: isoText(start), end: isoText(end) };
}

/** A range without an end goes beyond what a date can be. */
function isoText(date: Date): string {
  return Number.isNaN(date.getTime()) ? new Date(8.64e15).toISOString() : date.toISOString();
}
