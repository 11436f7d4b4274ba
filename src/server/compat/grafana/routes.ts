import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import type { Stream } from '../../../api/types.ts';
import { exactJson } from '../../../text/exact-json.ts';
import { instant } from '../../http/instants.ts';
import { readVisible } from '../../http/stream-search.ts';
import { TagFilter } from '../../http/tag-filter.ts';
import type { Viewer } from '../../http/viewer.ts';
import type { Service } from '../../service.ts';
import {
  annotationsSchema,
  metricsSchema,
  payloadOptionsSchema,
  type QueryBody,
  querySchema,
  searchSchema,
  type Target,
  tagValuesSchema,
  variableSchema,
} from './schemas.ts';
import { pointsOf, type SeriesRequest } from './series.ts';
import { tagNames, tagValues } from './tag-names.ts';
import { streamName, streamsOfTarget } from './targets.ts';

/** What a panel without a width asks for. */
const POINT_COUNT = 1000;
/** Streams of one target, at most: nobody could tell more lines apart. */
const TARGET_STREAM_COUNT_MAX = 100;
const ANNOTATION_COUNT_MAX = 1000;

const view = { access: { scope: 'view' as const } };
const tags = ['compatibility'];

/**
 * What Grafana's JSON data source (simpod-json-datasource) asks for: its address is `/grafana`.
 * @see https://github.com/simPod/GrafanaJsonDatasource
 */
export const grafanaRoutes: FastifyPluginCallbackZod<{ service: Service }> = (
  app,
  { service },
  done,
) => {
  const { datastream, config, now } = service;
  const { pageStreams, chartPoints, answerPoints } = config.limits;

  const visible = async (viewer: Viewer, text: string | null): Promise<readonly Stream[]> => {
    const filter = TagFilter.parse({});
    const search = { filter, text, viewer, after: undefined, offset: 0, limit: pageStreams };
    return (await readVisible(datastream, search)).streams;
  };

  const rangeOf = ({ range }: Pick<QueryBody, 'range'>): { start: Date; end: Date } => ({
    start: instant(range.from, { field: 'range.from', now: now() }),
    end: instant(range.to, { field: 'range.to', now: now() }),
  });

  app.get(
    '/',
    { config: view, schema: { tags, summary: 'Says that the data source is there (Grafana)' } },
    async () => ({ status: 'ok' }),
  );

  app.post(
    '/search',
    {
      config: view,
      schema: { tags, summary: 'Streams to choose from (Grafana)', body: searchSchema },
    },
    async ({ body, viewer }) => {
      const streams = await visible(viewer, body?.target || null);
      return streams.map((stream) => ({ text: streamName(stream), value: stream.id }));
    },
  );

  app.post(
    '/metrics',
    {
      config: view,
      schema: { tags, summary: 'Streams with what may be asked of them', body: metricsSchema },
    },
    async ({ body, viewer }) => {
      const streams = await visible(viewer, body?.metric || null);
      return streams.map((stream) => ({
        label: streamName(stream),
        value: stream.id,
        payloads: [
          {
            name: 'statistic',
            label: 'Statistic',
            type: 'select',
            options: stream.valueDownsamplers.map(choice),
          },
          {
            name: 'granularity',
            label: 'Granularity',
            type: 'select',
            options: granularityNames(stream).map(choice),
          },
        ],
      }));
    },
  );

  app.post(
    '/metric-payload-options',
    {
      config: view,
      schema: { tags, summary: 'Values of an option of a stream', body: payloadOptionsSchema },
    },
    async ({ body, viewer }) => {
      const [stream] = await streamsOfTarget(service, {
        target: body.metric ?? '',
        filters: [],
        viewer,
        limit: 1,
      });
      if (stream === undefined) return [];
      if (body.name === 'statistic') return stream.valueDownsamplers.map(choice);
      return body.name === 'granularity' ? granularityNames(stream).map(choice) : [];
    },
  );

  app.post(
    '/query',
    {
      config: view,
      schema: { tags, summary: 'Points for panels and tables (Grafana)', body: querySchema },
    },
    async ({ body, viewer }, reply) => {
      const range = rangeOf(body);
      const filters = body.adhocFilters ?? [];
      const asked: TargetStreams[] = [];
      for (const target of body.targets) {
        // A new panel has a target without anything in it.
        if (target.hide === true || !target.target?.trim()) continue;
        const limit = TARGET_STREAM_COUNT_MAX;
        const named = { target: target.target, filters, viewer, limit };
        asked.push({ target, streams: await streamsOfTarget(service, named) });
      }
      const streamCount = asked.reduce((sum, { streams }) => sum + streams.length, 0);
      const maxPoints = Math.min(
        Math.floor(body.maxDataPoints ?? POINT_COUNT),
        chartPoints,
        Math.floor(answerPoints / Math.max(1, streamCount)),
      );
      const parts: object[] = [];
      for (const each of asked) {
        parts.push(
          ...(await answer(service, each, { ...range, maxPoints: Math.max(2, maxPoints) })),
        );
      }
      return reply.type('application/json; charset=utf-8').send(exactJson(parts));
    },
  );

  app.post(
    '/annotations',
    {
      config: view,
      schema: {
        tags,
        summary: 'Datapoints of streams as notes on charts (Grafana)',
        body: annotationsSchema,
      },
    },
    async ({ body, viewer }) => {
      const { start, end } = rangeOf(body);
      const streams = await streamsOfTarget(service, {
        target: body.annotation.query ?? '',
        filters: [],
        viewer,
        limit: TARGET_STREAM_COUNT_MAX,
      });
      const notes: object[] = [];
      for (const stream of streams) {
        if (end < start) break;
        const data = datastream.getData(stream.id, stream.highestGranularity, { start, end });
        const title = streamName(stream);
        for await (const { t, v } of data.slice(0, ANNOTATION_COUNT_MAX - notes.length)) {
          const text = typeof v === 'string' ? v : exactJson(v);
          notes.push({ annotation: body.annotation, time: t.getTime(), title, text, tags: [] });
        }
      }
      return notes;
    },
  );

  app.post(
    '/variable',
    {
      config: view,
      schema: { tags, summary: 'Values of a variable (Grafana)', body: variableSchema },
    },
    async ({ body: { payload }, viewer }) => {
      const { target, tag } = typeof payload === 'string' ? { target: payload } : (payload ?? {});
      const streams = await streamsOfTarget(service, {
        target: target || '*',
        filters: [],
        viewer,
        limit: pageStreams,
      });
      if (!tag) {
        return streams.map((stream) => ({ __text: streamName(stream), __value: stream.id }));
      }
      return tagValues(
        streams.map((stream) => stream.tags),
        tag,
      ).map((value) => ({ __text: value, __value: value }));
    },
  );

  app.post(
    '/tag-keys',
    { config: view, schema: { tags, summary: 'Names of tags, for filters (Grafana)' } },
    async ({ viewer }) => {
      const streams = await visible(viewer, null);
      return tagNames(streams.map((stream) => stream.tags)).map((text) => ({
        type: 'string',
        text,
      }));
    },
  );

  app.post(
    '/tag-values',
    {
      config: view,
      schema: { tags, summary: 'Values of a tag, for filters (Grafana)', body: tagValuesSchema },
    },
    async ({ body, viewer }) => {
      const streams = await visible(viewer, null);
      return tagValues(
        streams.map((stream) => stream.tags),
        body.key,
      ).map((text) => ({ text }));
    },
  );

  done();
};

/** A target and what it comes to. */
interface TargetStreams {
  readonly target: Target;
  readonly streams: readonly Stream[];
}

/** One series for each stream of a target; or one table, with a row for each point. */
async function answer(
  service: Service,
  { target, streams }: TargetStreams,
  range: Pick<SeriesRequest, 'start' | 'end' | 'maxPoints'>,
): Promise<readonly object[]> {
  const request = {
    ...range,
    statistic: target.payload?.statistic || null,
    granularity: target.payload?.granularity || null,
  };
  const series: { stream: Stream; points: Awaited<ReturnType<typeof pointsOf>> }[] = [];
  for (const stream of streams) {
    series.push({ stream, points: await pointsOf(service, { stream, request }) });
  }
  const { refId } = target;
  if (target.type !== 'table') {
    return series.map(({ stream, points }) => ({
      target: streamName(stream),
      ...(refId !== undefined && { refId }),
      datapoints: points,
    }));
  }
  const isNumeric = streams.every(({ valueType }) => valueType === 'numeric');
  const columns = [
    { text: 'Time', type: 'time' },
    { text: 'Stream', type: 'string' },
    { text: 'Value', type: isNumeric ? 'number' : 'string' },
  ];
  const rows = series.flatMap(({ stream, points }) =>
    points.map(([value, timestampMs]) => [timestampMs, streamName(stream), value]),
  );
  return [{ type: 'table', ...(refId !== undefined && { refId }), columns, rows }];
}

function choice(name: string): { label: string; value: string } {
  return { label: name, value: name };
}

function granularityNames({ highestGranularity, levels }: Stream): readonly string[] {
  return [...new Set([highestGranularity.name, ...levels.map(({ name }) => name)])];
}
