import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { StreamChanges } from '../../api/types.ts';
import type { Json } from '../../model/tags.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { readVisible } from '../http/stream-search.ts';
import { TAG_OPERATORS, TagFilter } from '../http/tag-filter.ts';
import { streamFor } from '../http/viewer.ts';
import type { Service } from '../service.ts';
import { assertMayDerive } from './derivation-rights.ts';
import { ensuredStream } from './ensured-stream.ts';
import {
  changeStreamSchema,
  ensureStreamSchema,
  streamIdSchema,
  streamListSchema,
  streamSchema,
} from './schemas/streams.ts';
import { tagQuerySchema } from './schemas/tag-query.ts';
import { streamBodies, streamBody } from './stream-body.ts';
import { assertMayRetag, noteTags, refusing } from './stream-changes.ts';

const PAGE_STREAM_COUNT = 100;

const placeSchema = z.int().min(0);
const paramsSchema = z.object({ id: streamIdSchema });
const tags = ['streams'];

/** Streams: list, create, read, change, delete. */
export const streamRoutes: FastifyPluginCallbackZod<{ service: Service }> = (
  app,
  { service: { datastream, config, writer } },
  done,
) => {
  const { pageStreams } = config.limits;

  app.get(
    '/streams',
    {
      config: { access: { scope: 'view' } },
      schema: {
        tags,
        summary: 'Lists streams in creation order',
        description:
          'Parameters `tags__name=value` ask for tags; nested names and an operator follow after `__`, as in ' +
          `\`tags__site__name__in=a,b\`. Operators: ${TAG_OPERATORS.join(', ')}.`,
        querystring: tagQuerySchema({
          q: z.string().max(200).optional().describe('Text that some tag contains.'),
          limit: z.coerce.number().int().min(1).max(pageStreams).default(PAGE_STREAM_COUNT),
          offset: z.coerce.number().int().min(0).default(0),
          cursor: z.string().max(200).optional(),
        }),
        response: { 200: streamListSchema },
      },
    },
    async ({ query, viewer }) => {
      const { q, limit, offset, cursor } = query;
      const { streams, next } = await readVisible(datastream, {
        filter: TagFilter.parse(query),
        text: q ?? null,
        viewer,
        after: cursor === undefined ? undefined : decodeCursor(cursor, placeSchema),
        offset,
        limit,
      });
      return {
        streams: await streamBodies(streams, { datastream, viewer }),
        next: next === null ? null : encodeCursor(next),
      };
    },
  );

  app.post(
    '/streams',
    {
      config: { access: { scope: 'change' } },
      schema: {
        tags,
        summary: 'Finds a stream by its tags, or creates it',
        description:
          'With the header `If-None-Match: *`, one that is there is refused (412), and left as it is.',
        body: ensureStreamSchema,
        response: { 200: streamSchema, 201: streamSchema },
      },
    },
    async ({ body, viewer, headers }, reply) => {
      const mustBeNew = headers['if-none-match'] === '*';
      const parts = { datastream, config, writer, viewer, mustBeNew };
      const { stream, isNew } = await ensuredStream(parts, body);
      return reply
        .code(isNew ? 201 : 200)
        .header('location', `/api/v1/streams/${stream.id}`)
        .send(await streamBody(stream, { datastream, viewer }));
    },
  );

  app.get(
    '/streams/:id',
    {
      config: { access: { scope: 'view' } },
      schema: {
        tags,
        summary: 'Reads a stream',
        params: paramsSchema,
        response: { 200: streamSchema },
      },
    },
    async ({ params, viewer }) => {
      const stream = await streamFor({ datastream, viewer }, params.id, 'view');
      return streamBody(stream, { datastream, viewer });
    },
  );

  app.patch(
    '/streams/:id',
    {
      config: { access: { scope: 'change' } },
      schema: {
        tags,
        summary: 'Changes what a stream is',
        description:
          'What follows from it is filled by the next maintenance run. `tags` replaces all tags of the stream.',
        params: paramsSchema,
        body: changeStreamSchema,
        response: { 200: streamSchema },
      },
    },
    async ({ params: { id }, body, viewer }) => {
      const stream = await streamFor({ datastream, viewer }, id, 'change');
      const { tags: newTags, ...changes } = body;
      if (newTags !== undefined) assertMayRetag(viewer, stream, newTags);
      await assertMayDerive({ datastream, viewer }, changes.deriveFrom);
      if (Object.keys(changes).length > 0) {
        await refusing({ datastream, viewer }, () =>
          datastream.updateStream(id, changes as StreamChanges),
        );
        viewer.changed(id, { action: 'stream.change', after: changes as Json });
      }
      if (newTags !== undefined) {
        await refusing({ datastream, viewer }, () => datastream.replaceTags(id, newTags));
        noteTags(viewer, id, [stream.tags, newTags]);
      }
      writer.forget([id]);
      return streamBody(await datastream.getStream(id), { datastream, viewer });
    },
  );

  app.delete(
    '/streams/:id',
    {
      config: { access: { scope: 'delete' } },
      schema: {
        tags,
        summary: 'Deletes a stream with all of its data',
        params: paramsSchema,
        response: { 204: z.null() },
      },
    },
    async ({ params: { id }, viewer }, reply) => {
      await streamFor({ datastream, viewer }, id, 'delete');
      await refusing({ datastream, viewer }, () => datastream.deleteStreams({ stream_id: id }));
      writer.forget([id]);
      await viewer.deleted([id]);
      return reply.code(204).send(null);
    },
  );

  done();
};
