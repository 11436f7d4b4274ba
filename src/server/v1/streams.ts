import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Stream, StreamChanges, StreamDefinition } from '../../api/types.ts';
import { isEqualJson, type Json, mergeTags, type Tags } from '../../model/tags.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { hidingStreams, type Sight } from '../http/hidden-streams.ts';
import { Problem, refusingArguments } from '../http/problem.ts';
import { readVisible } from '../http/stream-search.ts';
import { TAG_OPERATORS, TagFilter } from '../http/tag-filter.ts';
import { streamFor, type Viewer } from '../http/viewer.ts';
import type { Service } from '../service.ts';
import { assertMayDerive } from './derivation-rights.ts';
import {
  changeStreamSchema,
  ensureStreamSchema,
  streamIdSchema,
  streamListSchema,
  streamSchema,
} from './schemas/streams.ts';
import { streamBodies, streamBody } from './stream-body.ts';

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
        querystring: z.looseObject({
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
      const { query, ...definition } = body;
      const present = await datastream.findStreams(query).slice(0, 2).toArray();
      const isNew = present.length === 0;
      // One that may not be seen is as good as none.
      const isSeen = present.some((stream) => viewer.can('view', stream));
      const isHidden = !isNew && !isSeen && !viewer.can('change', present[0]!);
      if (isHidden || (isNew && !viewer.canCreate(mergeTags(query, definition.tags ?? {})))) {
        throw new Problem(403, 'You may not create streams with these tags.', {
          code: 'NOT_ALLOWED',
        });
      }
      if (!isNew) {
        const stream = await streamFor({ datastream, viewer }, present[0]!.id, 'change');
        if (headers['if-none-match'] === '*') {
          throw new Problem(412, 'There is a stream with these tags already.', {
            code: 'ALREADY_EXISTS',
          });
        }
        // Of one that is there, these become the tags.
        assertMayRetag(viewer, stream, mergeTags(query, definition.tags ?? {}));
      }
      await assertMayDerive({ datastream, viewer }, definition.deriveFrom);
      const id = await refusing({ datastream, viewer }, () =>
        datastream.ensureStream(query, {
          valueDownsamplers: present[0]?.valueDownsamplers ?? config.ingest.valueDownsamplers,
          highestGranularity: present[0]?.highestGranularity ?? config.ingest.granularity,
          ...definition,
        } as StreamDefinition),
      );
      if (isNew) await viewer.created([id]);
      const stream = await datastream.getStream(id);
      const tagsBefore = present[0]?.tags ?? stream.tags;
      if (!isEqualJson(tagsBefore, stream.tags)) noteTags(viewer, id, [tagsBefore, stream.tags]);
      return reply
        .code(isNew ? 201 : 200)
        .header('location', `/api/v1/streams/${id}`)
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

/** Runs what the engine may refuse, for reasons that whoever asks may know. */
function refusing<T>(sight: Sight, call: () => Promise<T>): Promise<T> {
  return refusingArguments(() => hidingStreams(sight, call));
}

function noteTags(viewer: Viewer, streamId: string, [before, after]: readonly [Tags, Tags]): void {
  viewer.changed(streamId, {
    action: 'stream.change',
    before: { tags: before },
    after: { tags: after },
  });
}

/** @throws {Problem} 403 */
function assertMayRetag(viewer: Viewer, stream: Stream, newTags: Tags): void {
  if (viewer.canRetag(stream, newTags)) return;
  throw new Problem(403, 'These tags would give permissions that are not yours to give.', {
    code: 'NOT_ALLOWED',
    field: 'tags',
  });
}
