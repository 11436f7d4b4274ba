import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { csvText } from '../../../text/csv.ts';
import { isoTimeMs } from '../../../text/time.ts';
import { instant } from '../../http/instants.ts';
import { Problem } from '../../http/problem.ts';
import { scriptCall } from '../../http/script-call.ts';
import type { Service } from '../../service.ts';
import { AGGREGATIONS, type Aggregation, type BucketValue } from './buckets.ts';
import { seenProblem } from './errors.ts';
import { graphPage } from './graph.ts';
import { escaped, page } from './html.ts';
import { chosenFormat, contentTypeOf, type Format } from './negotiation.ts';
import { mayRead } from './permissions.ts';
import { nTriples, rdfXml, turtle } from './rdf-text.ts';
import type { OpenorgSeries, Series } from './series.ts';
import { resolutionOf } from './series-config.ts';
import { triplesOf } from './series-rdf.ts';
import { clockText, zonedText } from './zone-time.ts';

const DEFAULT_CALLBACK = 'callback';
const SERIES_COUNT_MAX = 100;
const DAY_MS = 86_400_000;
/** Without a start. */
const RANGE_MS = 2 * DAY_MS;

/** What the types of series are called here. */
const TYPE_NAMES = { period: 'gauge', gauge: 'rate', counter: 'gauge' } as const;

const FORMATS = {
  list: ['html', 'json', 'js', 'csv'],
  info: ['html', 'json', 'js', 'rdf', 'nt', 'ttl', 'n3'],
  fetch: ['json', 'js', 'txt', 'csv'],
  graph: ['html'],
} as const satisfies Readonly<Record<string, readonly Format[]>>;

const RDF_TEXTS = { rdf: rdfXml, nt: nTriples, ttl: turtle, n3: turtle } as const;

type Action = keyof typeof FORMATS;
type Parameters = Readonly<Record<string, unknown>>;

/** One address from which series are read, as OpenOrg's time-series API has it. */
export const openorgPublicRoutes: FastifyPluginCallbackZod<{
  service: Service;
  series: OpenorgSeries;
}> = (app, { service, series: all }, done) => {
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply));

  app.get(
    '/',
    {
      // What is public, or may be viewed by whoever asks, the answer is made of.
      config: { access: 'public' },
      schema: {
        tags: ['compatibility'],
        summary: 'Reads series: ?action=list, info, fetch, graph (OpenOrg)',
      },
    },
    async (request, reply) => {
      const parameters = request.query as Parameters;
      const action = textOf(parameters, 'action');
      if (action === null)
        return reply.type(contentTypeOf('html')).send(indexPage(`${app.prefix}/`));
      if (!Object.hasOwn(FORMATS, action)) {
        throw new Problem(400, `action: expected ${Object.keys(FORMATS).join(', ')}.`, {
          field: 'action',
        });
      }
      const format = formatOf(request, FORMATS[action as Action]);
      const answer = { request, reply, format, service, all, path: `${app.prefix}/` };
      switch (action as Action) {
        case 'list':
          return sendList(answer);
        case 'info':
          return sendInfo(answer);
        default:
          return sendData(answer);
      }
    },
  );

  app.get(
    '/documentation/',
    {
      config: { access: 'public' },
      schema: { tags: ['compatibility'], summary: 'Says what can be asked, in which formats' },
    },
    async (_request, reply) => reply.type(contentTypeOf('html')).send(indexPage(`${app.prefix}/`)),
  );

  done();
};

interface Answer {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly format: Format;
  readonly service: Service;
  readonly all: OpenorgSeries;
  /** Of the one address. */
  readonly path: string;
}

async function sendList({ request, reply, format, all }: Answer): Promise<FastifyReply> {
  const readable = (await all.all()).filter((series) => mayRead(request, series));
  const names = readable.map(({ details }) => details.slug);
  if (format === 'csv') {
    return reply.type(contentTypeOf(format)).send(names.map((name) => `${name}\n`).join(''));
  }
  if (format !== 'html') return sendJson({ names }, { request, reply, format });
  const items = names.map(
    (name) => `<li><a href="?action=info&amp;series=${name}">${name}</a></li>`,
  );
  return reply.type(contentTypeOf(format)).send(page('Series', `<ul>${items.join('\n')}</ul>`));
}

async function sendInfo({
  request,
  reply,
  format,
  service,
  all,
  path,
}: Answer): Promise<FastifyReply> {
  const wanted = namesOf(request.query as Parameters);
  const found = wanted.includes('*')
    ? (await all.all()).filter((series) => mayRead(request, series))
    : [...(await readableSeries({ request, all }, wanted)).values()].filter(
        (series) => series !== null,
      );
  if (isRdf(format)) {
    const triples = triplesOf(
      found.map(({ details }) => details),
      endpointOf(request, path, service),
    );
    return reply.type(contentTypeOf(format)).send(RDF_TEXTS[format](triples));
  }
  const described = await Promise.all(
    found.map(async (series) => {
      const equation = await all.flattenedOf(series.details, (one) => mayRead(request, one));
      return infoOf(series, equation);
    }),
  );
  const body = { series: Object.fromEntries(described.map((info) => [info.name, info])) };
  if (format !== 'html') return sendJson(body, { request, reply, format });
  const parts = described.map(
    (info) => `<h2>${escaped(info.title)}</h2><pre>${escaped(JSON.stringify(info, null, 2))}</pre>`,
  );
  return reply.type(contentTypeOf(format)).send(page('Series', parts.join('\n')));
}

function isRdf(format: Format): format is keyof typeof RDF_TEXTS {
  return Object.hasOwn(RDF_TEXTS, format);
}

/** Where people read series: below the address that the configuration names, or the one that was asked for. */
function endpointOf({ protocol, host }: FastifyRequest, path: string, { config }: Service): string {
  return (config.publicUrl?.replace(/\/+$/, '') ?? `${protocol}://${host}`) + path;
}

/** @param equation as people read it; null for a series that is no virtual one. */
function infoOf({ stream, details }: Series, equation: string | null) {
  const { slug, title, notes, config } = details;
  const updated = stream.latestDatapoint?.getTime() ?? null;
  return {
    name: slug,
    title,
    notes,
    ...(equation !== null && { equation }),
    info: {
      type: TYPE_NAMES[config.series_type],
      interval: config.interval,
      start: config.start,
      updated,
      updated_jsts: updated,
      timezone: config.timezone_name,
      samples: config.archives.map((archive) => ({
        type: archive.aggregation_type,
        resolution: resolutionOf(config, archive),
        aggregation: archive.aggregation ?? archive.calendar,
        count: archive.count,
      })),
    },
  };
}

async function sendData({ request, reply, format, service, all }: Answer): Promise<FastifyReply> {
  const parameters = request.query as Parameters;
  const names = namesOf(parameters);
  const aggregation = aggregationOf(parameters);
  const resolution = textOf(parameters, 'resolution');
  const nowMs = service.now().getTime();
  const endMs = boundOf(parameters, 'end', service.now()) ?? nowMs;
  const startMs = boundOf(parameters, 'start', service.now()) ?? endMs - RANGE_MS;
  const countMax = service.config.limits.pageRows;
  const found = await readableSeries({ request, all }, names);
  const answers: { name: string; series: Series | null; data: readonly BucketValue[] }[] = [];
  for (const [name, series] of found) {
    const data: BucketValue[] = [];
    if (series !== null) {
      const archive = all.archiveOf(series, { aggregation, resolution });
      if (archive === null) throw noSuchSampling(series, { aggregation, resolution });
      for await (const bucket of all.fetch(series, archive, { startMs, endMs, countMax })) {
        data.push(bucket);
      }
    }
    answers.push({ name, series, data });
  }
  const present = answers.flatMap(({ name, series, data }) => {
    return series === null ? [] : [{ name, timeZone: series.details.config.timezone_name, data }];
  });
  switch (format) {
    case 'html':
      return reply.type(contentTypeOf(format)).send(graphPage(present));
    case 'csv':
    case 'txt': {
      const timeOf = format === 'csv' ? clockText : zonedText;
      const rows = present.flatMap(({ name, timeZone, data }) =>
        data.map(({ endMs: ms, value }) => [
          name,
          timeOf(ms, timeZone),
          value === null ? '' : String(value),
        ]),
      );
      return reply.type(contentTypeOf(format)).send(linesOf(rows));
    }
    default: {
      const series = answers.map(({ name, series: one, data }) => {
        if (one === null) return [name, { error: 'not-found' }];
        return [name, { name, data: data.map(({ endMs: ts, value: val }) => ({ ts, val })) }];
      });
      return sendJson({ series: Object.fromEntries(series) }, { request, reply, format });
    }
  }
}

/** By name; null where there is none that whoever asks may read. */
async function readableSeries(
  { request, all }: Pick<Answer, 'request' | 'all'>,
  names: readonly string[],
): Promise<ReadonlyMap<string, Series | null>> {
  const found = new Map<string, Series | null>();
  for (const name of names) {
    const series = await all.find(name);
    found.set(name, series !== null && mayRead(request, series) ? series : null);
  }
  return found;
}

function sendJson(
  body: object,
  { request, reply, format }: Pick<Answer, 'request' | 'reply' | 'format'>,
): FastifyReply {
  const text = JSON.stringify(body);
  const callback = textOf(request.query as Parameters, 'callback');
  if (callback === null && format !== 'js') return reply.type(contentTypeOf('json')).send(text);
  const call = scriptCall(request, { callback: callback ?? DEFAULT_CALLBACK, json: text });
  // Calls are there for pages from elsewhere, whose browsers ask for this.
  reply.header('cross-origin-resource-policy', 'cross-origin');
  return reply.type(contentTypeOf('js')).send(call);
}

function noSuchSampling(
  { details: { slug, config } }: Series,
  {
    aggregation,
    resolution,
  }: { readonly aggregation: Aggregation; readonly resolution: string | null },
): Problem {
  const samples = config.archives
    .map((archive) => `${archive.aggregation_type} ${resolutionOf(config, archive)}`)
    .join(', ');
  const asked = resolution === null ? aggregation : `${aggregation} ${resolution}`;
  return new Problem(400, `resolution: ${slug} has ${samples}, and no ${asked.slice(0, 60)}.`, {
    field: 'resolution',
  });
}

function aggregationOf(parameters: Parameters): Aggregation {
  const text = textOf(parameters, 'type');
  const found = AGGREGATIONS.find((aggregation) => aggregation === text);
  if (found !== undefined) return found;
  throw new Problem(400, `type: expected ${AGGREGATIONS.join(', ')}.`, { field: 'type' });
}

function namesOf(parameters: Parameters): readonly string[] {
  const names = (textOf(parameters, 'series') ?? '').split(',').map((name) => name.trim());
  const wanted = [...new Set(names.filter((name) => name !== ''))];
  if (wanted.length > 0 && wanted.length <= SERIES_COUNT_MAX) return wanted;
  throw new Problem(
    400,
    wanted.length === 0
      ? 'series: expected names, with commas between them.'
      : `series: at most ${SERIES_COUNT_MAX} at once.`,
    { field: 'series' },
  );
}

/** `start` and `end` are ISO 8601 or epoch seconds, `startTime` and `endTime` ISO 8601 or epoch milliseconds. */
function boundOf(parameters: Parameters, side: 'start' | 'end', now: Date): number | null {
  const precise = textOf(parameters, `${side}Time`);
  const text = precise ?? textOf(parameters, side);
  if (text === null) return null;
  const field = precise === null ? side : `${side}Time`;
  const isNumber = /^-?\d+(?:\.\d+)?$/.test(text);
  const timeMs = isNumber ? Number(text) * (precise === null ? 1000 : 1) : isoTimeMs(text);
  if (timeMs !== null && Math.abs(timeMs) <= 8.64e15) return Math.floor(timeMs);
  return instant(text.slice(0, 100), { field, now }).getTime();
}

function formatOf(request: FastifyRequest, formats: readonly Format[]): Format {
  const parameters = request.query as Parameters;
  return chosenFormat(formats, {
    wanted: textOf(parameters, 'format'),
    accept: request.headers.accept,
  });
}

/** As its clients know them, in a format that they take. */
function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { status, message, headers } = seenProblem(error, request);
  reply.code(status).headers(headers).serializer(String);
  switch (errorFormat(request)) {
    case 'html':
      reply.type(contentTypeOf('html')).send(page(`Error ${status}`, `<p>${escaped(message)}</p>`));
      return;
    case 'txt':
      reply.type(contentTypeOf('txt')).send(`${status} ${message}\n`);
      return;
    default:
      reply
        .type(contentTypeOf('json'))
        .send(JSON.stringify({ status_code: status, error_message: message }));
  }
}

function errorFormat(request: FastifyRequest): Format {
  try {
    return formatOf(request, ['json', 'html', 'txt']);
  } catch {
    return 'json';
  }
}

/** Empty cells stay empty: nothing is quoted that need not be. */
function linesOf(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => (row.includes('') ? `${row.join(',')}\n` : csvText([row]))).join('');
}

/** The last value of a parameter; null when it is not there, or empty. */
function textOf(parameters: Parameters, name: string): string | null {
  const given = parameters[name];
  const text = String((Array.isArray(given) ? given.at(-1) : given) ?? '').trim();
  return text === '' ? null : text;
}

function indexPage(path: string): string {
  const rows = Object.entries(FORMATS).map(
    ([action, formats]) => `<tr><td>${action}</td><td>${formats.join(', ')}</td></tr>`,
  );
  return page(
    'Time series',
    `<p><a href="${path}?action=list">All series</a></p>
<table><thead><tr><th>action</th><th>formats</th></tr></thead><tbody>${rows.join('\n')}</tbody></table>
<p>info, fetch and graph take <code>series</code>, names with commas between them; fetch and graph take
<code>type</code> (${AGGREGATIONS.join(', ')}), <code>resolution</code>, <code>start</code> and <code>end</code>
(ISO 8601 or seconds since 1970) or <code>startTime</code> and <code>endTime</code> (milliseconds).</p>`,
  );
}
