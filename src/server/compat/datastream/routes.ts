import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { DataRange, Stream } from '../../../api/types.ts';
import { StreamNotFound } from '../../../exceptions/errors.ts';
import { TIME_MIN_MS } from '../../../model/time-range.ts';
import { logFailure, problemOf, refusingArguments } from '../../http/problem.ts';
import { countVisible, readVisible } from '../../http/stream-search.ts';
import { TagFilter } from '../../http/tag-filter.ts';
import { streamFor, type Viewer } from '../../http/viewer.ts';
import type { Service } from '../../service.ts';
import { allowAllOrigins, refuseOtherMethods } from './cors.ts';
import { FIRST_INSTANT } from './dates.ts';
import { send } from './formats.ts';
import { pageMeta } from './paging.ts';
import {
  boundOf,
  countOf,
  downsamplersOf,
  flagOf,
  granularityOf,
  type Parameters,
} from './parameters.ts';
import { streamObject, streamSchemaObject } from './stream-object.ts';

const LIST = '/api/v1/stream/';
const STREAM_COUNT = 20;
const STREAM_COUNT_MAX = 1000;
const DATAPOINT_COUNT = 100;
const DATAPOINT_COUNT_MAX = 10_000;
/** Streams that one address names, at most. */
const SET_SIZE_MAX = 100;

/** The read-only API of django-datastream, for what is built on it. */
export async function datastreamRoutes(
  app: FastifyInstance,
  { service }: { readonly service: Service },
): Promise<void> {
  const { datastream, config } = service;
  const format = config.compat.datastreamDates;
  const tags = ['compatibility'];
  const view = { access: { scope: 'view' as const } };
  allowAllOrigins(app);
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply));

  app.get(
    '/api/v1/',
    { config: { access: 'public' }, schema: { tags, summary: 'Where the list of streams is' } },
    (request, reply) => {
      const answer = { stream: { list_endpoint: LIST, schema: `${LIST}schema/` } };
      return send(answer, { request, reply, format });
    },
  );

  app.get(
    LIST,
    { config: view, schema: { tags, summary: 'Lists streams (django-datastream)' } },
    async (request, reply) => {
      const parameters = request.query as Parameters;
      const asked = countOf(parameters, 'limit', { byDefault: STREAM_COUNT });
      const limit = asked === 0 ? STREAM_COUNT_MAX : Math.min(asked, STREAM_COUNT_MAX);
      const offset = countOf(parameters, 'offset', { byDefault: 0 });
      const search = {
        filter: TagFilter.parse(parameters, { asksLists: true }),
        viewer: request.viewer,
      };
      const totalCount = await countVisible(datastream, search);
      const { streams } = await readVisible(datastream, {
        ...search,
        text: null,
        after: undefined,
        offset,
        limit,
      });
      const meta = pageMeta({ path: LIST, parameters, totalCount, limit, offset });
      const answer = { meta, objects: streams.map((stream) => streamObject(stream, LIST)) };
      return send(answer, { request, reply, format });
    },
  );

  app.get(
    `${LIST}schema/`,
    { config: { access: 'public' }, schema: { tags, summary: 'Describes streams' } },
    (request, reply) => send(streamSchemaObject(), { request, reply, format }),
  );

  app.get<{ Params: { ids: string } }>(
    `${LIST}set/:ids/`,
    { config: view, schema: { tags, summary: 'Reads several streams' } },
    async (request, reply) => {
      const ids = request.params.ids.split(';').slice(0, SET_SIZE_MAX);
      const found: Stream[] = [];
      const missing: string[] = [];
      for (const id of ids) {
        const stream = await visibleStream(service, { id, viewer: request.viewer });
        if (stream === null) missing.push(id);
        else found.push(stream);
      }
      const objects = found.map((stream) => streamObject(stream, LIST));
      const answer = { objects, ...(missing.length > 0 && { not_found: missing }) };
      return send(answer, { request, reply, format });
    },
  );

  app.get<{ Params: { id: string } }>(
    `${LIST}:id/`,
    { config: view, schema: { tags, summary: 'Reads a stream with its datapoints' } },
    async (request, reply) => {
      const stream = await streamFor(
        { datastream, viewer: request.viewer },
        request.params.id,
        'view',
      );
      const answer = await detailOf(service, { stream, parameters: request.query as Parameters });
      return send(answer, { request, reply, format });
    },
  );

  for (const url of ['/api/v1/', LIST, `${LIST}schema/`, `${LIST}set/:ids/`, `${LIST}:id/`]) {
    refuseOtherMethods(app, url);
  }
}

async function visibleStream(
  { datastream }: Service,
  { id, viewer }: { readonly id: string; readonly viewer: Viewer },
): Promise<Stream | null> {
  try {
    return await streamFor({ datastream, viewer }, id, 'view');
  } catch (error) {
    if (error instanceof StreamNotFound) return null;
    throw error;
  }
}

async function detailOf(
  { datastream }: Service,
  { stream, parameters }: { readonly stream: Stream; readonly parameters: Parameters },
): Promise<object> {
  const asked = granularityOf(parameters) ?? stream.highestGranularity;
  const isRaw = asked.durationMs <= stream.highestGranularity.durationMs;
  const granularity = isRaw ? stream.highestGranularity : asked;
  const start = boundOf(parameters, 'start');
  const end = boundOf(parameters, 'end');
  const reverse = flagOf(parameters, 'reverse');
  const values = downsamplersOf(parameters, 'value');
  const times = downsamplersOf(parameters, 'time');
  const range: DataRange = {
    ...(start.time === null
      ? { start: TIME_MIN_MS }
      : { [start.isExclusive ? 'startExclusive' : 'start']: start.time }),
    ...(end.time !== null && { [end.isExclusive ? 'endExclusive' : 'end']: end.time }),
    reverse,
    ...(values !== null && !isRaw && { valueDownsamplers: values }),
    ...(times !== null && !isRaw && { timeDownsamplers: times }),
  };
  const data = await refusingArguments(() => datastream.getData(stream.id, granularity, range));
  const limit = Math.min(
    countOf(parameters, 'limit', { byDefault: DATAPOINT_COUNT }),
    DATAPOINT_COUNT_MAX,
  );
  const offset = countOf(parameters, 'offset', { byDefault: 0 });
  const totalCount = await refusingArguments(() => data.count());
  const datapoints = limit === 0 ? [] : await data.slice(offset, offset + limit).toArray();
  const object = streamObject(stream, LIST);
  return {
    ...object,
    datapoints: datapoints.map(({ t, v }) => ({ t, v })),
    query_params: {
      granularity: granularity.name,
      start: start.isExclusive ? null : (start.time ?? FIRST_INSTANT),
      end: end.isExclusive ? null : end.time,
      start_exclusive: start.isExclusive ? start.time : null,
      end_exclusive: end.isExclusive ? end.time : null,
      reverse,
      value_downsamplers: values,
      time_downsamplers: times,
    },
    meta: pageMeta({ path: object.resource_uri, parameters, totalCount, limit, offset }),
  };
}

/** As its clients know them: a sentence, and another name for it where there is no such stream. */
function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = problemOf(error);
  if (problem.status >= 500) logFailure(problem, request);
  const { status, message, headers } = problem;
  const name = status === 404 ? 'error_message' : 'error';
  reply
    .code(status)
    .headers(headers)
    .type('application/json')
    .send({ [name]: message });
}
