import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { compress } from 'snappyjs';
import { message } from './ingest/remote-write.fixture.ts';

/** A request as it is sent: nothing about it need make sense. */
export interface FuzzRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Buffer | string | undefined;
}

/** Ids and names of what there is, so that requests get beyond the first check. */
export interface Known {
  /** By the name of the parameter in a route's address. */
  readonly parameters: Readonly<Record<string, readonly string[]>>;
  readonly streamIds: readonly string[];
}

const ODD_NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'stream_id',
  '',
  ' ',
  'ключ',
  '\u0000',
  '\ud800',
  'a__b',
  '__',
  'tags__',
];

const ODD_NUMBERS = [
  '0',
  '-0',
  '-1',
  '1e308',
  '1e309',
  '-1e999',
  '9007199254740993',
  '99999999999999999999999999',
  '0x10',
  '1_000',
  'NaN',
  'Infinity',
  '.5',
  '1.',
  '١٢٣',
];

const ODD_TIMES = [
  'now',
  '-1h',
  '+999999999999y',
  'now-1e99d',
  '2026-02-31',
  '2026-01-01T00:00:00Z',
  '2026-01-01T25:00:00Z',
  '+275760-09-13T00:00:00.000Z',
  '+275760-09-13T00:00:00.001Z',
  '-271821-04-20T00:00:00.000Z',
  '-271821-04-19',
  '0001-01-01',
  '0000-00-00',
  '8640000000000000',
  '8640000000000001',
  '-8640000000000000',
  '1e15',
  '2016-12-31T23:59:60Z',
  '2026-01-01T00:00:00+99:99',
];

const GRANULARITIES = [
  'auto',
  'raw',
  'milliseconds',
  'seconds',
  'minutes',
  '10minutes',
  '7seconds',
  '0seconds',
  '-1hours',
  '1e9days',
  'months',
  'years@Europe/Paris',
  'days@Nowhere/Land',
  'weeks',
  'Seconds',
  '15minutes@__proto__',
];

const CURSORS = [
  '',
  'AAAA',
  ...[
    null,
    -1,
    1.5,
    1e300,
    '1',
    {},
    [],
    { t: 1e300, n: 0 },
    { t: 0, n: 1e15 },
    { t: -8.64e15, n: 0 },
    { t: 0.5, n: 3 },
    { t: 0, n: 0, x: 0 },
    { __proto__: null, t: 'x', n: [] },
    Number.MAX_SAFE_INTEGER,
  ].map((place) => Buffer.from(JSON.stringify(place)).toString('base64url')),
  Buffer.from('{"t":1e999,"n":0}').toString('base64url'),
  Buffer.from('{"__proto__":{"t":1},"n":0}').toString('base64url'),
];

const OPERATORS = [
  '',
  '__in',
  '__nin',
  '__all',
  '__gt',
  '__lte',
  '__exists',
  '__iexact',
  '__contains',
  '__ne',
  '__regex',
  '____in',
];

const QUERY_NAMES = [
  ...[
    'granularity',
    'start',
    'startExclusive',
    'end',
    'endExclusive',
    'reverse',
    'live',
    'fallback',
  ],
  ...['maxPoints', 'thin', 'thinMethod', 'thinBy', 'fill', 'valueDownsamplers', 'timeDownsamplers'],
  ...['format', 'limit', 'offset', 'cursor', 'version', 'q', 'streams', 'after', 'positions'],
  ...[
    'duplicates',
    'strict',
    'epoch',
    'header',
    'values',
    'everywhere',
    'stream',
    'user',
    'action',
  ],
  ...['state', 'rule', 'callback', 'x', 'y', 'db', 'precision', 'u', 'p', 'bucket', 'org'],
  ...[
    'start_exclusive',
    'end_exclusive',
    'value_downsamplers',
    'time_downsamplers',
    'series',
    'type',
  ],
  ...['resolution', 'startTime', 'endTime'],
];

const WORDS = [
  ...[
    'true',
    'false',
    'null',
    'none',
    'rows',
    'columns',
    'ndjson',
    'csv',
    'lttb',
    'even',
    'linear',
  ],
  ...[
    'previous',
    'mean',
    'm',
    'frequencies',
    'count,mean,__proto__',
    'keep',
    'replace',
    'list',
    'info',
  ],
  ...['fetch', 'graph', 'average', 'html', 'js', 'text/html', '*', 'ns', 'h', 'all', 'user', 'any'],
  ...["');alert(1)//", '<script>', 'a.b$c', '../../etc/passwd', '%', '%00', '\r\nx-evil: 1', ',,,'],
  'x'.repeat(5000),
];

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

const CONTENT_TYPES = [
  'application/json',
  'application/json; charset=utf-16',
  'application/x-ndjson',
  'text/csv',
  'text/plain',
  'application/x-www-form-urlencoded',
  'application/x-protobuf',
  'application/x-protobuf;proto=io.prometheus.write.v2.Request',
  'multipart/form-data; boundary=b',
  'multipart/form-data',
  'application/octet-stream',
  'nonsense',
  '',
];

const ENCODINGS = ['gzip', 'deflate', 'br', 'snappy', 'identity', 'gzip, gzip', 'x', '__proto__'];

/** Any text, with more of what may be a problem. */
const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...ODD_NAMES, ...WORDS) },
  { weight: 2, arbitrary: fc.constantFrom(...ODD_NUMBERS, ...ODD_TIMES, ...GRANULARITIES) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.integer().map(String) },
  { weight: 1, arbitrary: fc.double().map(String) },
);

const cursor = fc.oneof(fc.constantFrom(...CURSORS), fc.base64String({ maxLength: 60 }));

const parameter = fc.oneof(
  fc.tuple(fc.constantFrom(...QUERY_NAMES), text),
  fc.tuple(
    fc.constantFrom('start', 'end', 'startExclusive', 'x', 'startTime'),
    fc.constantFrom(...ODD_TIMES),
  ),
  fc.tuple(fc.constantFrom('granularity', 'resolution'), fc.constantFrom(...GRANULARITIES)),
  fc.tuple(
    fc.constantFrom('limit', 'offset', 'maxPoints', 'thin', 'after', 'y', 'fill'),
    fc.constantFrom(...ODD_NUMBERS),
  ),
  fc.tuple(fc.constant('cursor'), cursor),
  fc.tuple(
    fc
      .tuple(fc.constantFrom(...ODD_NAMES, 'of', 'name', 'deep__er'), fc.constantFrom(...OPERATORS))
      .map(([name, operator]) => `tags__${name}${operator}`),
    text,
  ),
  fc.tuple(text, text),
);

function queryOf(parameters: readonly (readonly [string, string])[], isRaw: boolean): string {
  if (parameters.length === 0) return '';
  const encode = (part: string): string =>
    isRaw ? part.replace(/[^!-~]|[#?&=]/g, '') : encodeURIComponent(wellFormed(part));
  return `?${parameters.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&')}`;
}

/** JSON of the shapes that routes take, with something odd in it. */
function jsonOf({ streamIds }: Known): fc.Arbitrary<unknown> {
  const id = fc.constantFrom(...streamIds, '00000000-0000-4000-8000-000000000000', 'x');
  const leaf = fc.oneof(
    text,
    id,
    fc.double(),
    fc.boolean(),
    fc.constantFrom(null, 0, -0, 1e308, -1, 2 ** 53, [], {}),
  );
  const name = fc.oneof(
    fc.constantFrom(
      ...['query', 'tags', 'stream', 't', 'v', 'timestamps', 'values', 'name', 'password', 'token'],
      ...[
        'isAdmin',
        'scopes',
        'expires',
        'user',
        'subject',
        'permissions',
        'target',
        'kind',
        'content',
      ],
      ...[
        'condition',
        'destinations',
        'until',
        'range',
        'targets',
        'maxDataPoints',
        'adhocFilters',
      ],
      ...[
        'valueDownsamplers',
        'highestGranularity',
        'levels',
        'retention',
        'deriveFrom',
        'deriveOp',
      ],
      ...['deriveArgs', 'timeZone', 'heartbeat', 'slug', 'title', 'config', 'readings', 'equation'],
    ),
    fc.constantFrom(...ODD_NAMES),
  );
  const { any } = fc.letrec<{ any: unknown }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      fc.array(tie('any'), { maxLength: 4 }),
      fc.dictionary(name, tie('any'), { maxKeys: 5 }),
    ),
  }));
  const tags = fc.dictionary(fc.oneof(fc.constantFrom('of', 'name'), name), leaf, { maxKeys: 3 });
  const granularity = fc.oneof(
    fc.constantFrom(...GRANULARITIES),
    fc.record({ every: fc.double(), unit: fc.constantFrom('minutes', 'months', 'x') }),
  );
  const optional = { requiredKeys: [] };
  return fc.oneof(
    any,
    fc.record(
      {
        query: tags,
        tags,
        valueDownsamplers: fc.array(fc.oneof(fc.constantFrom('mean', 'median', 'count'), text)),
        highestGranularity: granularity,
        levels: fc.array(granularity, { maxLength: 3 }),
        timeZone: fc.oneof(fc.constant('Europe/Paris'), text),
        retention: fc.dictionary(fc.constantFrom('raw', 'minutes', '__proto__'), text),
        deriveFrom: fc.oneof(id, fc.array(id, { maxLength: 3 }), fc.record({ query: tags })),
        deriveOp: fc.oneof(fc.constantFrom('sum', 'derivative', 'expression', 'constructor'), text),
        deriveArgs: fc.dictionary(fc.oneof(fc.constant('expression'), name), any, { maxKeys: 2 }),
        heartbeat: fc.double(),
      },
      optional,
    ),
    fc.record(
      { stream: id, tags, t: leaf, v: any, timestamps: fc.array(leaf), values: fc.array(leaf) },
      optional,
    ),
    fc.record(
      {
        subject: fc.record({ kind: text, userId: text }),
        permissions: fc.array(fc.constantFrom('view', 'grant', 'create', 'x')),
        target: fc.oneof(fc.record({ kind: fc.constant('query'), tags }), any),
      },
      optional,
    ),
    fc.record(
      {
        range: fc.record({
          from: fc.constantFrom(...ODD_TIMES),
          to: fc.constantFrom(...ODD_TIMES),
        }),
        maxDataPoints: fc.double(),
        targets: fc.array(
          fc.record({
            target: fc.oneof(
              id,
              text,
              text.map((value) => `of=${value}`),
            ),
            payload: fc.record({ statistic: text, granularity: fc.constantFrom(...GRANULARITIES) }),
          }),
          { maxLength: 3 },
        ),
        annotation: fc.record({ name: text, query: fc.oneof(id, text) }),
        adhocFilters: fc.array(fc.record({ key: text, operator: text, value: text })),
      },
      optional,
    ),
    fc.record(
      {
        name: text,
        target: fc.oneof(fc.record({ stream: id }), fc.record({ query: tags })),
        condition: fc.oneof(
          fc.record({ kind: fc.constant('stale'), after: text }),
          fc.record({
            kind: fc.constant('threshold'),
            level: fc.constantFrom(...GRANULARITIES),
            valueDownsampler: text,
            above: fc.double(),
          }),
        ),
      },
      optional,
    ),
  );
}

const deepJson = fc
  .tuple(
    fc.constantFrom('[', '{"a":', '{"tags":', '{"query":{"a":', '{"content":['),
    fc.nat(20_000),
  )
  .map(([opening, depth]) => {
    const closing = [...opening].reverse().flatMap((sign) => ({ '[': ']', '{': '}' })[sign] ?? []);
    return `${opening.repeat(depth)}1${closing.join('').repeat(depth)}`;
  });

const lines = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'm,a=b v=1',
        'm,__proto__=b v=1i 99999999999999999999',
        'm,a= v=1',
        'm v="open',
        'm v=1e999',
        'm,a=b',
        '# comment',
        'timestamp,value,__proto__',
        'timestamp,value,of',
        '2026-01-01,1,"a""b"',
        '2026-01-01,1,"open',
        '"',
        '{"tags":{"a":"b"},"v":1}',
        '{"tags":{"__proto__":"b"},"v":1}',
        '--b\r\ncontent-disposition: form-data; name="readings"; filename="\u0000"\r\n\r\n1,2\r\n--b--',
      ),
      text,
    ),
    { maxLength: 8 },
  )
  .map((all) => all.join('\n'));

const remoteWrite = fc
  .tuple(
    fc.array(fc.tuple(text, text), { maxLength: 4 }),
    fc.array(fc.tuple(fc.double(), fc.integer()), { maxLength: 3 }),
  )
  .map(([labels, samples]) => {
    const safe = labels.map(([name, value]) => [wellFormed(name), value] as const);
    return message([{ labels: [['__name__', 'm'], ...safe], samples }]);
  });

/** Bytes with some of them changed. */
function damaged(bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc
    .tuple(bytes, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }))
    .map(([whole, changes]) => {
      const copy = Buffer.from(whole);
      for (const [at, byte] of changes) if (copy.length > 0) copy[at % copy.length] = byte;
      return copy;
    });
}

function bodyOf(known: Known): fc.Arbitrary<{ bytes: Buffer; type: string; encoding?: string }> {
  const json = jsonOf(known).map((value) => Buffer.from(JSON.stringify(value) ?? 'null'));
  const typed = (bytes: fc.Arbitrary<Buffer>, ...types: readonly string[]) =>
    fc.record({
      bytes,
      type: fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom(...types) },
        { weight: 1, arbitrary: fc.constantFrom(...CONTENT_TYPES) },
      ),
    });
  const plain = fc.oneof(
    { weight: 6, arbitrary: typed(json, 'application/json') },
    { weight: 1, arbitrary: typed(damaged(json), 'application/json', 'application/x-ndjson') },
    {
      weight: 1,
      arbitrary: typed(
        deepJson.map((deep) => Buffer.from(deep)),
        'application/json',
      ),
    },
    {
      weight: 2,
      arbitrary: typed(
        damaged(lines.map((all) => Buffer.from(all))),
        ...['text/plain', 'text/csv', 'application/x-ndjson', 'multipart/form-data; boundary=b'],
        'application/x-www-form-urlencoded',
      ),
    },
    {
      weight: 1,
      arbitrary: typed(
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
        ...CONTENT_TYPES,
      ),
    },
  );
  const packed = fc
    .tuple(plain, fc.constantFrom(gzipSync, deflateSync, brotliCompressSync), fc.nat(40))
    .map(([{ bytes, type }, pack, cut]) => {
      const encoding = { gzipSync: 'gzip', deflateSync: 'deflate', brotliCompressSync: 'br' }[
        pack.name
      ]!;
      const whole = pack(bytes);
      return {
        bytes: whole.subarray(0, cut > 20 ? whole.length : whole.length - cut),
        type,
        encoding,
      };
    });
  const prometheus = fc.tuple(damaged(remoteWrite), fc.boolean()).chain(([bytes, isDamaged]) => {
    const block = fc.constant(Buffer.from(compress(bytes)));
    return fc.record({
      bytes: isDamaged ? damaged(block) : block,
      type: fc.constant('application/x-protobuf'),
      encoding: fc.constant('snappy'),
    });
  });
  const wrong = fc
    .tuple(plain, fc.constantFrom(...ENCODINGS))
    .map(([body, encoding]) => ({ ...body, encoding }));
  return fc.oneof(
    { weight: 8, arbitrary: plain },
    { weight: 1, arbitrary: packed },
    { weight: 2, arbitrary: prometheus },
    { weight: 1, arbitrary: wrong },
  );
}

const oddHeaders = fc.dictionary(
  fc.constantFrom(
    ...['last-event-id', 'accept', 'accept-encoding', 'if-none-match', 'cookie', 'range', 'origin'],
    ...['x-forwarded-for', 'x-csrf-token', 'sec-fetch-site', 'authorization', 'expect', 'host'],
    ...['if-modified-since', 'forwarded', 'x-prometheus-remote-write-version', 'accept-version'],
  ),
  fc.oneof(
    fc.constantFrom(
      ...[
        'Bearer x',
        'Basic !!!',
        'Basic Og==',
        'Token a:b',
        'datastream=x; datastream=y',
        '*/*;q=9',
      ],
      ...['bytes=9-1', 'W/"', '*', 'gzip;q=x', '::1', 'a, b, c', '-1', '1e99', '100-continue'],
    ),
    text.map((value) => value.replace(/[^ -~]/g, '').trim()),
  ),
  { maxKeys: 3 },
);

/** Addresses of a route, mostly with what there is, or of nothing at all. */
function pathOf(pattern: string, { parameters }: Known): fc.Arbitrary<string> {
  const parts = pattern.split('/').map((part): fc.Arbitrary<string> => {
    if (part === '*')
      return fc.constantFrom(
        '',
        '..%2f..%2fetc%2fpasswd',
        '%2e%2e/x.js',
        'a%00.js',
        'index.html',
        '.env',
      );
    if (!part.startsWith(':')) return fc.constant(part);
    const known = parameters[part.slice(1)] ?? ['x'];
    return fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...known) },
      { weight: 1, arbitrary: text.map((odd) => encodeURIComponent(wellFormed(odd))) },
      {
        weight: 1,
        arbitrary: fc.constantFrom('%', '%ff', '%00', '..', '%2e%2e%2f', '%c0%af', ';;;'),
      },
    );
  });
  return fc.tuple(...parts).map((all) => all.join('/'));
}

/** Requests to a route as it is registered, `METHOD /address`. */
export function requestsTo(route: string, known: Known): fc.Arbitrary<FuzzRequest> {
  const [method = 'GET', pattern = '/'] = route.split(' ');
  return fc
    .record({
      method: fc.oneof(
        { weight: 12, arbitrary: fc.constant(method) },
        { weight: 1, arbitrary: fc.constantFrom(...METHODS) },
      ),
      path: pathOf(pattern, known),
      query: fc
        .tuple(
          fc.array(parameter, { maxLength: 4 }),
          fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
        )
        .map(([parameters, isRaw]) => queryOf(parameters, isRaw)),
      headers: fc.oneof(
        { weight: 3, arbitrary: fc.constant({}) },
        { weight: 1, arbitrary: oddHeaders },
      ),
      body: bodyOf(known),
    })
    .map(({ method: sent, path, query, headers, body: { bytes, type, encoding } }) => {
      const hasBody = sent !== 'GET' && sent !== 'HEAD' && sent !== 'OPTIONS';
      return {
        method: sent,
        url: `${path}${query}`,
        headers: {
          ...headers,
          ...(hasBody && type !== '' && { 'content-type': type }),
          ...(hasBody && encoding !== undefined && { 'content-encoding': encoding }),
        },
        payload: hasBody ? bytes : undefined,
      };
    });
}

/** Halves of characters have no bytes. */
function wellFormed(value: string): string {
  return Buffer.from(value).toString();
}
