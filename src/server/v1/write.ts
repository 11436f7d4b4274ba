import type { FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { mediaTypeOf, takeBodiesAsStreams } from '../http/body.ts';
import { ingestRequest } from '../http/ingest-request.ts';
import { Problem } from '../http/problem.ts';
import { CsvParser } from '../ingest/csv.ts';
import type { IngestBatch } from '../ingest/ingest-batch.ts';
import { JsonParser, NdjsonParser } from '../ingest/json-parsers.ts';
import type { BodyParser } from '../ingest/line-feed.ts';
import { type Series, seriesOfStream } from '../ingest/series.ts';
import { SeriesMemory } from '../ingest/series-memory.ts';
import type { Service } from '../service.ts';
import { streamIdSchema } from './schemas/streams.ts';
import { writeOutcomeSchema, writeQuerySchema } from './schemas/write.ts';

const JSON_TYPE = 'application/json';
const NDJSON_TYPES: readonly string[] = ['application/x-ndjson', 'application/ndjson'];
const CSV_TYPE = 'text/csv';

const WRITE_BODIES = {
  [JSON_TYPE]: {
    description: 'An entry, or a list of them.',
    example: [
      { tags: { host: 'a', metric: 'load' }, t: '2026-01-02T03:04:05Z', v: 0.5 },
      {
        tags: { host: 'b', metric: 'load' },
        timestamps: [1767323045000, 1767323046000],
        values: [1, null],
      },
    ],
  },
  [NDJSON_TYPES[0]!]: {
    description: 'An entry in each line.',
    example: '{"tags":{"host":"a","metric":"load"},"t":1767323045,"v":0.5}\n',
  },
  [CSV_TYPE]: {
    example: 'timestamp,host,metric,value\n2026-01-02T03:04:05Z,a,load,0.5\n',
  },
};
const STREAM_BODIES = {
  [JSON_TYPE]: { example: { t: '2026-01-02T03:04:05Z', v: 0.5 } },
  [NDJSON_TYPES[0]!]: { example: '{"t":1767323045,"v":0.5}\n' },
  [CSV_TYPE]: { example: 'timestamp,value\n2026-01-02T03:04:05Z,0.5\n' },
};

type WriteQuery = z.output<typeof writeQuerySchema>;

/** Writing datapoints of many streams, or of one: JSON, NDJSON, CSV. */
export const writeRoutes: FastifyPluginCallbackZod<{ service: Service }> = (
  app,
  { service },
  done,
) => {
  const { config, now } = service;
  takeBodiesAsStreams(app);
  const memory = new SeriesMemory();

  const write = async (
    request: FastifyRequest & { readonly query: WriteQuery },
    series: Series | null,
  ): Promise<z.output<typeof writeOutcomeSchema>> => {
    const { duplicates, strict } = request.query;
    const type = mediaTypeOf(request);
    const { last, problems, ...counts } = await ingestRequest(request, {
      service,
      protocol: type,
      newParser: parserOf(type, {
        series,
        query: request.query,
        memory,
        nowMs: now().getTime(),
        ingest: config.ingest,
      }),
      options: {
        ...(duplicates !== undefined && { duplicates }),
        ...(strict !== undefined && { isStrict: strict }),
      },
    });
    const outcome = {
      ...counts,
      last: last === null ? null : new Date(last).toISOString(),
      problems: problems.map((problem) => ({ ...problem })),
    };
    const [first] = problems;
    if (strict !== true || first === undefined) return outcome;
    const place = first.line === null ? '' : `, at line ${first.line}`;
    throw new Problem(400, `Nothing is stored${place}: ${first.detail}`, {
      code: first.code,
      members: outcome,
    });
  };

  const tags = ['datapoints'];
  const described = { bodies: WRITE_BODIES };
  const description =
    'Bodies: `application/json` (an entry or a list of them, `{"stream": id | "tags": {…}, "t": …, "v": …}`, or columns ' +
    '`{"tags": {…}, "timestamps": […], "values": […]}`), `application/x-ndjson` (one entry in a line), `text/csv` (a header ' +
    'with `timestamp`, `value`, and `stream` or names of tags). What is wrong with one datapoint is no harm to others, ' +
    'unless the request is strict: then it is refused with 400, and the same members. Streams that are not there are ' +
    'created.';

  app.post(
    '/write',
    {
      config: { access: { scope: 'append' }, described },
      schema: {
        tags,
        summary: 'Writes datapoints of many streams',
        description,
        querystring: writeQuerySchema,
        response: { 200: writeOutcomeSchema },
      },
    },
    (request) => write(request, null),
  );

  app.post(
    '/streams/:id/data',
    {
      config: { access: { scope: 'append' }, described: { bodies: STREAM_BODIES } },
      schema: {
        tags,
        summary: 'Writes datapoints of one stream',
        description: 'As `/write`, where nothing says which stream is meant.',
        params: z.object({ id: streamIdSchema }),
        querystring: writeQuerySchema,
        response: { 200: writeOutcomeSchema },
      },
    },
    (request) => write(request, seriesOfStream(request.params.id)),
  );

  done();
};

interface ParserSettings {
  /** What datapoints belong to that say nothing else. */
  readonly series: Series | null;
  readonly query: WriteQuery;
  readonly memory: SeriesMemory;
  readonly nowMs: number;
  readonly ingest: Service['config']['ingest'];
}

function parserOf(
  type: string,
  { series, query, memory, nowMs, ingest }: ParserSettings,
): (batch: IngestBatch) => BodyParser {
  const shared = {
    series,
    nowMs,
    epoch: query.epoch,
    recordSizeMaxBytes: ingest.recordBytes,
    memory,
  };
  if (type === CSV_TYPE) {
    const { header: hasHeader, values } = query;
    return (batch) => new CsvParser(batch, { ...shared, hasHeader, values });
  }
  const options = { ...shared, booleans: ingest.booleans };
  if (NDJSON_TYPES.includes(type)) return (batch) => new NdjsonParser(batch, options);
  if (type === JSON_TYPE) return (batch) => new JsonParser(batch, options);
  throw new Problem(
    415,
    `content-type: expected ${JSON_TYPE}, ${NDJSON_TYPES[0]} or ${CSV_TYPE}, not ${type === '' ? 'none' : type}.`,
    { field: 'content-type' },
  );
}
