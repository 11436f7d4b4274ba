import type { FastifyReply } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Datapoints } from '../../api/datapoints.ts';
import type { DatapointColumns, DataRange, Stream } from '../../api/types.ts';
import type { Json } from '../../model/tags.ts';
import { TIME_MIN_MS } from '../../model/time-range.ts';
import { isRelative, notModified, setCaching, versionOf } from '../http/caching.ts';
import { columnsJson } from '../http/columns-json.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { csvLines, equalTailCount } from '../http/data-columns.ts';
import { instant } from '../http/instants.ts';
import { Problem, refusingArguments } from '../http/problem.ts';
import { rowsJson } from '../http/rows-json.ts';
import { sendText } from '../http/send-text.ts';
import { assertThinnable } from '../http/thinning.ts';
import { streamFor } from '../http/viewer.ts';
import type { Service } from '../service.ts';
import { type DataQuery, dataQuerySchema, dataSchema, rangeQuerySchema } from './schemas/data.ts';
import { streamIdSchema } from './schemas/streams.ts';

const PAGE_ROW_COUNT = 1000;

const paramsSchema = z.object({ id: streamIdSchema });

/** Behind the last row of a page: its timestamp, and how many rows of that timestamp were given. */
const placeSchema = z.strictObject({ t: z.number(), n: z.int().min(0) });

/** Datapoints of one stream: read, delete. Writing is with the other writes. */
export const dataRoutes: FastifyPluginCallbackZod<{ service: Service }> = (
  app,
  { service: { datastream, config, now } },
  done,
) => {
  app.get(
    '/streams/:id/data',
    {
      config: { access: { scope: 'view' } },
      schema: {
        tags: ['datapoints'],
        summary: 'Reads datapoints of a level',
        params: paramsSchema,
        querystring: dataQuerySchema(config.limits),
        response: { 200: dataSchema, 304: z.null() },
      },
    },
    async ({ params: { id }, query, viewer, headers }, reply) => {
      const stream = await streamFor({ datastream, viewer }, id, 'view');
      setCaching(reply, {
        version: versionOf(datastream, stream),
        named: query.version,
        isLasting: !isRelative(query) && query.live !== true,
      });
      if (notModified(reply, headers['if-none-match'])) return reply.code(304).send(null);
      const place = query.cursor === undefined ? null : decodeCursor(query.cursor, placeSchema);
      const { granularity, maxPoints } = query;
      const named =
        granularity ?? (maxPoints === undefined ? stream.highestGranularity.name : 'auto');
      const range = rangeOf(query, { place, now: now() });
      const data = await refusingArguments(() => datastream.getData(id, named, range));
      // What maxPoints picks has few enough.
      if (query.thin !== undefined && maxPoints === undefined) {
        const read = { streamId: id, granularity: named, range, field: 'thin' };
        await refusingArguments(() => assertThinnable(datastream, read, config.limits.thinnedRows));
      }
      const skip = query.offset + (place?.n ?? 0);
      return sendData(reply, { stream, data, query, place, skip });
    },
  );

  app.delete(
    '/streams/:id/data',
    {
      config: { access: { scope: 'change' } },
      schema: {
        tags: ['datapoints'],
        summary: 'Deletes the datapoints of a range of time',
        description: 'Levels and derived streams follow with the next maintenance run.',
        params: paramsSchema,
        querystring: rangeQuerySchema,
        response: { 204: z.null() },
      },
    },
    async ({ params: { id }, query, viewer }, reply) => {
      await streamFor({ datastream, viewer }, id, 'change');
      const range = boundsOf(query, now());
      await refusingArguments(() => datastream.deleteData(id, range));
      viewer.changed(id, { action: 'stream.erase', after: { ...query } as Json });
      return reply.code(204).send(null);
    },
  );

  done();
};

type Place = z.output<typeof placeSchema>;

interface Answer {
  readonly stream: Stream;
  readonly data: Datapoints;
  readonly query: DataQuery;
  readonly place: Place | null;
  readonly skip: number;
}

async function sendData(reply: FastifyReply, answer: Answer): Promise<FastifyReply> {
  const { stream, data, query, skip } = answer;
  const { format, limit } = query;
  const isPicked = query.maxPoints !== undefined || query.thin !== undefined;
  const isWhole = limit === undefined && (isPicked || format === 'csv' || format === 'ndjson');
  const count = limit ?? PAGE_ROW_COUNT;
  const part = isWhole ? data.slice(skip) : data.slice(skip, skip + count);
  const granularity = await refusingArguments(() => data.granularity());
  reply.header('x-granularity', granularity.name);
  if (format === 'csv') {
    const { valueDownsamplers: values, timeDownsamplers: times } = query;
    const names = { values: values ?? stream.valueDownsamplers, times: times ?? [] };
    return sendText(reply, { type: 'text/csv; charset=utf-8', parts: csvLines(part, names) });
  }
  if (format === 'ndjson') {
    return sendText(reply, { type: 'application/x-ndjson', parts: ndjsonLines(part) });
  }
  const head = `{"stream":"${stream.id}","granularity":${JSON.stringify(granularity.name)}`;
  if (format === 'columns') {
    const columns = await refusingArguments(() => part.columns());
    const next = isWhole ? null : nextPlace(columns, answer, count);
    return reply
      .type('application/json; charset=utf-8')
      .send(`${head},${columnsJson(columns)},${nextJson(next)}}`);
  }
  const parts = rowsPage(part, { head, answer, count: isWhole ? null : count });
  return sendText(reply, { type: 'application/json; charset=utf-8', parts });
}

async function* rowsPage(
  part: Datapoints,
  {
    head,
    answer,
    count,
  }: { readonly head: string; readonly answer: Answer; readonly count: number | null },
): AsyncGenerator<string, void, undefined> {
  yield `${head},"datapoints":[`;
  let isFirst = true;
  let givenCount = 0;
  let last: DatapointColumns | null = null;
  let tailCount = 0;
  for await (const columns of part.columnBlocks()) {
    if (columns.timestamps.length === 0) continue;
    for (const text of rowsJson(columns, ',')) {
      yield isFirst ? text : `,${text}`;
      isFirst = false;
    }
    givenCount += columns.timestamps.length;
    const equal = equalTailCount(columns);
    const goesOn =
      equal === columns.timestamps.length && last?.timestamps.at(-1) === columns.timestamps.at(-1);
    tailCount = goesOn ? tailCount + equal : equal;
    last = columns;
  }
  const isFull = count !== null && givenCount === count && last !== null;
  const next = isFull ? placeBehind(last!.timestamps.at(-1)!, tailCount, answer) : null;
  yield `],${nextJson(next)}}`;
}

async function* ndjsonLines(part: Datapoints): AsyncGenerator<string, void, undefined> {
  for await (const columns of part.columnBlocks()) {
    for (const text of rowsJson(columns, '\n')) yield `${text}\n`;
  }
}

function nextPlace(columns: DatapointColumns, answer: Answer, count: number): Place | null {
  if (columns.timestamps.length < count || count === 0) return null;
  return placeBehind(columns.timestamps.at(-1)!, equalTailCount(columns), answer);
}

/** A page that begins and ends inside rows of one timestamp adds to those that were given before. */
function placeBehind(timestampMs: number, tailCount: number, { place, query }: Answer): Place {
  const isSame = place !== null && place.t === timestampMs;
  return { t: timestampMs, n: tailCount + (isSame ? place.n + query.offset : 0) };
}

function nextJson(next: Place | null): string {
  return `"next":${next === null ? 'null' : JSON.stringify(encodeCursor(next))}`;
}

function rangeOf(query: DataQuery, { place, now }: { place: Place | null; now: Date }): DataRange {
  const { reverse, live, fallback, maxPoints, thin, thinMethod, thinBy, fill } = query;
  const { valueDownsamplers, timeDownsamplers } = query;
  if (place !== null && (maxPoints !== undefined || thin !== undefined)) {
    throw new Problem(400, 'cursor: not with maxPoints or thin, which give one page.', {
      field: 'cursor',
    });
  }
  const bounds = boundsOf(query, now);
  return {
    ...(place === null ? bounds : boundsFrom(place, { bounds, isReverse: reverse === true })),
    ...(reverse !== undefined && { reverse }),
    ...(live !== undefined && { live }),
    ...(fallback !== undefined && { fallback }),
    ...(maxPoints !== undefined && { maxPoints }),
    ...(thin !== undefined && {
      thin: {
        points: thin,
        ...(thinMethod !== undefined && { method: thinMethod }),
        ...(thinBy !== undefined && { by: thinBy }),
      },
    }),
    ...(fill !== undefined && { fill }),
    ...(valueDownsamplers !== undefined && { valueDownsamplers }),
    ...(timeDownsamplers !== undefined && { timeDownsamplers }),
  };
}

/** Of a later page, the side where it begins is the place behind the page before. */
function boundsFrom(
  { t }: Place,
  { bounds, isReverse }: { readonly bounds: DataRange; readonly isReverse: boolean },
): DataRange {
  const { start, startExclusive, end, endExclusive } = bounds;
  if (isReverse) {
    return {
      end: t,
      ...(start !== undefined && { start }),
      ...(startExclusive !== undefined && { startExclusive }),
    };
  }
  return {
    start: t,
    ...(end !== undefined && { end }),
    ...(endExclusive !== undefined && { endExclusive }),
  };
}

type BoundNames = 'start' | 'startExclusive' | 'end' | 'endExclusive';

/** Without a start, from the first instant on. */
function boundsOf(query: Pick<DataQuery, BoundNames>, now: Date): DataRange {
  const names = ['start', 'startExclusive', 'end', 'endExclusive'] as const;
  const given = names.flatMap((field) => {
    const text = query[field];
    return text === undefined ? [] : [[field, instant(text, { field, now })] as const];
  });
  const bounds: DataRange = Object.fromEntries(given);
  const hasStart = bounds.start !== undefined || bounds.startExclusive !== undefined;
  return hasStart ? bounds : { ...bounds, start: TIME_MIN_MS };
}
