import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Access } from '../access/access.ts';
import { identifyAgain } from '../access/fastify-hooks.ts';
import { Problem } from '../http/problem.ts';
import { TagFilter } from '../http/tag-filter.ts';
import { sseTexts } from '../live/sse.ts';
import type { Service } from '../service.ts';
import { EventStreamCounts } from './event-stream-counts.ts';
import { tagQuerySchema } from './schemas/tag-query.ts';

/** Then the reader comes back by himself, and is asked again who he is. */
const CONNECTION_MAX_MS = 5 * 60_000;

/** What becomes of streams, as server-sent events. */
export const eventRoutes: FastifyPluginCallbackZod<{ service: Service }> = (
  app,
  { service: { access, live, config, ending, metrics } },
  done,
) => {
  const counts = new EventStreamCounts(config.limits);

  app.get(
    '/events',
    {
      // A compressor would hold events back.
      compress: false,
      config: { access: { scope: 'view' } },
      schema: {
        tags: ['datapoints'],
        summary: 'Tells what becomes of streams, as it happens',
        description:
          'Server-sent events: `ready` with the streams and their positions, then `appended`, `changed`, `expired`, ' +
          '`levels`, `created`, `tags`, `left` and `deleted`. Who comes back with `Last-Event-ID` goes on behind it; ' +
          '`reset` says to read again. Without parameters, of all streams that may be seen; `tags__…` as in the ' +
          'list of streams.',
        querystring: tagQuerySchema({
          streams: z.string().max(100_000).optional().describe('Ids, with commas between them.'),
          after: z.coerce.number().int().min(0).optional().describe('As `Last-Event-ID`.'),
          positions: z.stringbool().default(true).describe('Whether `ready` lists the streams.'),
        }),
        produces: ['text/event-stream'],
      },
    },
    async (request, reply) => {
      const { query, headers, viewer } = request;
      const hasTags = Object.keys(query).some((name) => name.startsWith('tags__'));
      const filter = TagFilter.parse(query);
      const after = lastEventId(headers['last-event-id']) ?? query.after;
      const closed = counts.open(request);
      const gone = new AbortController();
      metrics.noteEventStreamOpened();
      // Of the answer: a request is over as soon as it is read.
      const asking = setInterval(() => {
        void askAgain(request, access, gone);
      }, config.live.heartbeat).unref();
      reply.raw.on('close', () => {
        clearInterval(asking);
        closed();
        metrics.noteEventStreamClosed();
        gone.abort();
      });
      const subscription = await live.subscribe({
        ...(query.streams === undefined ? {} : { streamIds: query.streams.split(',') }),
        ...(hasTags ? { isWanted: (tags) => filter.matches(tags) } : {}),
        ...(after === undefined ? {} : { after }),
        withStreams: query.positions,
        canView: (stream) => viewer.can('view', stream),
        signal: AbortSignal.any([ending, gone.signal, AbortSignal.timeout(CONNECTION_MAX_MS)]),
      });
      const texts = sseTexts(subscription, { heartbeatMs: config.live.heartbeat });
      return (
        reply
          .header('content-type', 'text/event-stream; charset=utf-8')
          .header('cache-control', 'no-store, no-transform')
          .header('x-accel-buffering', 'no')
          // An answer that ends with the service must not leave a connection that holds it up.
          .header('connection', 'close')
          .send(Readable.from(texts, { objectMode: false }))
      );
    },
  );
  done();
};

/** Who has logged out meanwhile, or whose token has ended, hears no more; whoever gets other groups, other things. */
async function askAgain(
  request: FastifyRequest,
  access: Access,
  gone: AbortController,
): Promise<void> {
  const identity = await identifyAgain(request, access).catch(() => null);
  if (identity === null) gone.abort();
  else request.identity = identity;
}

/** @throws {Problem} 400 when it is none of ours. */
function lastEventId(given: string | string[] | undefined): number | undefined {
  if (given === undefined || given === '') return undefined;
  const sequence = Number(given);
  if (Number.isSafeInteger(sequence) && sequence >= 0) return sequence;
  throw new Problem(400, 'Last-Event-ID is not the id of one of our events.', {
    field: 'Last-Event-ID',
  });
}
