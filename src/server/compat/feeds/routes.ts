import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { TIME_MIN_MS } from '../../../model/time-range.ts';
import { Problem } from '../../http/problem.ts';
import { sendText } from '../../http/send-text.ts';
import type { Service } from '../../service.ts';
import { chartData, stateOf } from './chart.ts';
import type { Feeds } from './feeds.ts';
import { ageMsOf, entryText, instantOfX, numberOfY, rowIdOf, xText } from './inputs.ts';
import { axisFor, visibleFeed } from './permissions.ts';
import type { Row, Rows } from './rows.ts';

/** Rows of each axis that a chart begins with, and how old they may be. */
const CACHED_ROW_COUNT = 32;
const CACHED_AGE_HOURS = '12';

const part = z.string().max(200);
const axisParams = z.object({ feed: part, axis: part });
const inputSchema = z.looseObject({ x: part.optional(), y: part.optional() });
const tags = ['compatibility'];
const view = { access: { scope: 'view' as const } };

/**
 * Posting numbers to feeds by an address, and reading them back, as realtime_data_processor has it. Each address may
 * end its first part in `.json`; the answer is JSON in any case.
 */
export const feedRoutes: FastifyPluginCallbackZod<{ service: Service; feeds: Feeds }> = (
  app,
  { service, feeds },
  done,
) => {
  const { config, metrics, now } = service;

  for (const suffix of ['', '.json']) {
    const schemaOf = (summary: string) => ({ tags, summary, hide: suffix !== '' });

    app.route({
      method: ['GET', 'POST'],
      url: `/service/feed_input${suffix}/:feed/:axis`,
      config: { access: { scope: 'append' }, isUnsafe: true },
      // Who asks for the head alone means to store nothing.
      exposeHeadRoute: false,
      schema: {
        ...schemaOf('Posts a number to an axis of a feed'),
        params: axisParams,
        querystring: inputSchema,
      },
      handler: async (request) => {
        const { feed, axis, stream } = await axisFor(feeds, request, 'append');
        const { x, y } = inputOf(request.query, request.body);
        const timestampMs = instantOfX(x, now());
        const value = numberOfY(y, feed.yCast);
        const { row, isDuplicate } = await feeds.post(stream, { timestampMs, value });
        const [accepted, duplicate] = isDuplicate ? [0, 1] : [1, 0];
        metrics.noteIngest('feeds', { accepted, duplicate, dropped: 0 });
        return {
          feed_name: feed.name,
          axis_name: axis.name,
          x: xText(row.timestampMs),
          y: row.value,
          id: row.id,
        };
      },
    });

    app.get(
      `/service/feed_output${suffix}/:feed/:axis`,
      { config: view, schema: { ...schemaOf('All rows of an axis, by id'), params: axisParams } },
      async (request, reply) => {
        const { stream } = await axisFor(feeds, request, 'view');
        const parts = outputParts(feeds.rowsOf(stream), stream.id);
        return sendText(reply, { type: 'application/json; charset=utf-8', parts });
      },
    );

    app.get(
      `/service/feed_live_axis${suffix}/:feed/:axis`,
      { config: view, schema: { ...schemaOf('The newest row of an axis'), params: axisParams } },
      async (request) => {
        const { stream } = await axisFor(feeds, request, 'view');
        const rows = await feeds.rowsOf(stream).last(2, { startMs: TIME_MIN_MS });
        const newest = rows.at(-1);
        if (newest === undefined)
          return { id: null, x: null, y: null, entry_time: null, state: null };
        const { feed_axis_id, ...row } = rowBody(newest, stream.id);
        return { ...row, state: stateOf(newest, rows.at(-2)) };
      },
    );

    for (const age of ['', '/:age']) {
      app.get(
        `/service/feed_cache${suffix}/:feed${age}`,
        {
          config: view,
          schema: {
            ...schemaOf('The last rows of all axes of a feed, for charts'),
            params: z.object({ feed: part, age: part.optional() }),
          },
        },
        async (request) => {
          const { feed: text, age: hours = CACHED_AGE_HOURS } = request.params;
          const startMs = now().getTime() - ageMsOf(hours);
          const feed = feeds.find(text);
          const seen = feed === null ? null : await visibleFeed(feeds, request, feed);
          if (seen === null) throw new Problem(404, 'No feed found for selected input');
          const all = [];
          for (const { axis, stream } of seen.axes) {
            const rows = await feeds.rowsOf(stream).last(CACHED_ROW_COUNT, { startMs });
            all.push({ name: axis.name, rows });
          }
          return {
            x_accessor: 'date',
            y_accessor: all.map(({ name }) => name),
            ...chartData(all),
            max_ids: Object.fromEntries(
              all.map(({ name, rows }) => [name, rows.at(-1)?.id ?? null]),
            ),
          };
        },
      );

      app.get(
        `/service/feed_live_from_data_id${suffix}/:feed/:axis/:id${age}`,
        {
          config: view,
          schema: {
            ...schemaOf('Rows of an axis behind one, for charts'),
            params: z.object({ feed: part, axis: part, id: part, age: part.optional() }),
          },
        },
        async (request) => {
          const { axis, stream } = await axisFor(feeds, request, 'view');
          const { id, age: hours } = request.params;
          const startMs = hours === undefined ? TIME_MIN_MS : now().getTime() - ageMsOf(hours);
          const limit = config.limits.pageRows;
          const rows = await feeds.rowsOf(stream).after(rowIdOf(id), { startMs, limit });
          return { ...chartData([{ name: axis.name, rows }]), max_id: rows.at(-1)?.id ?? null };
        },
      );
    }
  }

  done();
};

/** In the query, or in the body of a form or of JSON. */
function inputOf(
  query: z.output<typeof inputSchema>,
  body: unknown,
): { readonly x: string | undefined; readonly y: string | undefined } {
  const given = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const textOf = (name: 'x' | 'y'): string | undefined => {
    const value = query[name] ?? (Object.hasOwn(given, name) ? given[name] : undefined);
    return value === undefined || value === null ? undefined : String(value);
  };
  return { x: textOf('x'), y: textOf('y') };
}

function rowBody({ id, timestampMs, value }: Row, axisId: string) {
  return {
    id,
    x: xText(timestampMs),
    y: value,
    // When it came is not kept: x stands in for it.
    entry_time: entryText(timestampMs),
    feed_axis_id: axisId,
  };
}

async function* outputParts(rows: Rows, axisId: string): AsyncGenerator<string, void, undefined> {
  yield '{"rows":[';
  let isFirst = true;
  for await (const row of rows.from(TIME_MIN_MS)) {
    yield `${isFirst ? '' : ','}${JSON.stringify(rowBody(row, axisId))}`;
    isFirst = false;
  }
  yield ']}';
}
