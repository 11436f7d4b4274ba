import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { takeBodiesAsStreams } from '../http/body.ts';
import { ingestRequest } from '../http/ingest-request.ts';
import { Problem } from '../http/problem.ts';
import { LineProtocolParser, newLineMemory, TIME_UNITS } from '../ingest/line-protocol.ts';
import type { WriteOutcome } from '../ingest/write-report.ts';
import type { Service } from '../service.ts';
import { sendInfluxError } from './influx-errors.ts';

/** What clients take for the version of the server. */
const VERSION_HEADER = 'x-influxdb-version';
const VERSION = '1.8.10-datastream';

const precisionSchema = z.enum(['ns', 'n', 'us', 'u', 'µ', 'ms', 's', 'm', 'h']).optional();

/** Other parameters of clients, such as the consistency, mean nothing here. */
const writeV1Schema = z.looseObject({ db: z.string().optional(), precision: precisionSchema });
const writeV2Schema = z.looseObject({
  bucket: z.string().optional(),
  org: z.string().optional(),
  precision: precisionSchema,
});

/**
 * Writing as InfluxDB has it, for Telegraf and the clients of its versions 1 and 2. Databases and buckets are not told
 * apart: tags tell streams apart.
 * @see https://docs.influxdata.com/influxdb/v1/tools/api/ and https://docs.influxdata.com/influxdb/v2/api/
 */
export const influxRoutes: FastifyPluginCallbackZod<{ service: Service }> = (
  app,
  { service },
  done,
) => {
  takeBodiesAsStreams(app);
  app.setErrorHandler((error, request, reply) => sendInfluxError(error, request, reply));
  app.addHook('onSend', async (_request, reply) => {
    reply.header(VERSION_HEADER, VERSION);
  });
  const memory = newLineMemory();

  const write = (
    request: FastifyRequest & { readonly query: { readonly precision?: string | undefined } },
  ): Promise<WriteOutcome> => {
    const { config, now } = service;
    const unit = TIME_UNITS[request.query.precision ?? 'ns']!;
    return ingestRequest(request, {
      service,
      protocol: 'line-protocol',
      newParser: (batch) =>
        new LineProtocolParser(batch, {
          nowMs: now().getTime(),
          unit,
          booleans: config.ingest.booleans,
          recordSizeMaxBytes: config.ingest.recordBytes,
          memory,
        }),
      // A field that is written again replaces what is there.
      options: { duplicates: 'replace' },
    });
  };

  const config = {
    access: { scope: 'append' as const },
    credentialsInQuery: { name: 'u', password: 'p' },
  };
  const tags = ['compatibility'];
  const described = {
    bodies: { 'text/plain': { example: 'cpu,host=a usage=0.5,cores=8i 1767323045000000000\n' } },
    successes: { 204: 'Everything is stored.' },
  };

  app.post(
    '/write',
    {
      config: { ...config, described },
      schema: { tags, summary: 'Writes line protocol (InfluxDB 1)', querystring: writeV1Schema },
    },
    async (request, reply) => {
      const outcome = await write(request);
      return answer(reply, outcome, (detail) => ({ error: `partial write: ${detail}` }));
    },
  );

  app.post(
    '/api/v2/write',
    {
      config: { ...config, described },
      schema: { tags, summary: 'Writes line protocol (InfluxDB 2)', querystring: writeV2Schema },
    },
    async (request, reply) => {
      const outcome = await write(request);
      return answer(reply, outcome, (message) => ({ code: 'invalid', message }));
    },
  );

  app.get(
    '/ping',
    {
      config: { access: 'public', described: { successes: { 204: 'It is.' } } },
      schema: { tags, summary: 'Says that the service is there' },
    },
    async (_request, reply) => reply.code(204).send(),
  );

  app.get(
    '/health',
    {
      config: { access: 'public' },
      schema: { tags, summary: 'Says that the service is there (InfluxDB 2)' },
    },
    async () => ({
      name: 'influxdb',
      message: 'ready for writes',
      status: 'pass',
      checks: [],
      version: VERSION,
    }),
  );

  // Clients create their database before they write to it.
  app.route({
    method: ['GET', 'POST'],
    url: '/query',
    config: { ...config, access: { scope: 'view' } },
    schema: {
      tags,
      summary: 'Takes CREATE DATABASE and SHOW DATABASES of InfluxDB 1, and refuses other queries',
      querystring: z.looseObject({ q: z.string().max(10_000).optional() }),
    },
    handler: async ({ query, body }) => queryAnswer(query.q ?? (await formQuery(body))),
  });

  done();
};

/** Stored in part is an error to these clients; what was stored stays. */
function answer(
  reply: FastifyReply,
  { accepted, dropped, problems }: WriteOutcome,
  bodyOf: (detail: string) => object,
): FastifyReply {
  if (dropped === 0) return reply.code(204).send();
  const [first] = problems;
  const place = first?.line == null ? '' : `line ${first.line}: `;
  const detail = `${place}${first?.detail ?? ''} dropped=${dropped} accepted=${accepted}`;
  return reply.code(400).type('application/json').send(bodyOf(detail));
}

function queryAnswer(query: string): object {
  const statement = query.trim().replace(/;$/, '');
  if (/^create\s+database\b/i.test(statement)) return { results: [{ statement_id: 0 }] };
  if (/^show\s+databases$/i.test(statement)) {
    const series = [{ name: 'databases', columns: ['name'], values: [['datastream']] }];
    return { results: [{ statement_id: 0, series }] };
  }
  throw new Problem(400, 'Queries in InfluxQL are not answered: read /api/v1/streams/{id}/data.', {
    code: 'NOT_SUPPORTED',
    field: 'q',
  });
}

/** The parameter `q` of a form; bodies come as they are. */
async function formQuery(body: unknown): Promise<string> {
  if (typeof body !== 'object' || body === null) return '';
  let text = '';
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString('latin1');
    if (text.length > 10_000) return '';
  }
  return new URLSearchParams(text).get('q') ?? '';
}
