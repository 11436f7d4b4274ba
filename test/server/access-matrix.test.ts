import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { InjectOptions } from 'fastify';
import { compress } from 'snappyjs';
import { Cast, ROLES, type Role, SECRET } from './access-matrix.fixture.ts';
import { message } from './ingest/remote-write.fixture.ts';

/**
 * What each route answers to each of these people. Requests are right in every other way, and about what `owner`
 * made: a stream that `viewer` may view and `appender` append to, a feed with such an axis, a dashboard and an alert
 * rule of his own. `drop` is a datapoint that is refused in an answer that says so. `expired` shows an admin's token that was good for everything.
 */
const TABLE = `
route                                                     anonymous viewer appender owner other admin expired
GET /*                                                         page   page     page  page  page  page     401
GET /docs                                                       200    200      200   200   200   200     401
GET /docs/static/index.html                                     302    302      302   302   302   302     401
GET /docs/static/swagger-initializer.js                         200    200      200   200   200   200     401
GET /docs/json                                                  200    200      200   200   200   200     401
GET /docs/yaml                                                  200    200      200   200   200   200     401
GET /docs/static/theme/icon.svg                                 200    200      200   200   200   200     401
GET /docs/static/theme/docs.css                                 200    200      200   200   200   200     401
GET /docs/static/theme/way-back.js                              200    200      200   200   200   200     401
GET /docs/static/*                                              302    302      302   302   302   302     401
GET /healthz                                                    200    200      200   200   200   200     401
GET /readyz                                                     200    200      200   200   200   200     401
GET /metrics                                                    401    200      200   200   200   200     401
GET /api/v1/session                                             200    200      200   200   200   200     401
POST /api/v1/session                                            401    200      200   200   200   200     401
DELETE /api/v1/session                                          204    204      204   204   204   204     401
PUT /api/v1/session/password                                    401    204      204   204   204   204     401
POST /api/v1/setup                                              403    403      403   403   403   403     401
GET /api/v1/streams                                             401    200      200   200   200   200     401
POST /api/v1/streams                                            401    403      403   201   403   201     401
GET /api/v1/streams/:id                                         401    200      404   200   404   200     401
PATCH /api/v1/streams/:id                                       401    403      404   200   404   200     401
DELETE /api/v1/streams/:id                                      401    403      404   204   404   204     401
GET /api/v1/streams/:id/data                                    401    200      404   200   404   200     401
DELETE /api/v1/streams/:id/data                                 401    403      404   204   404   204     401
POST /api/v1/write                                              401   drop      200   200  drop   200     401
POST /api/v1/streams/:id/data                                   401   drop      200   200  drop   200     401
GET /api/v1/events                                              401    200      200   200   200   200     401
GET /api/v1/status                                              401    200      200   200   200   200     401
GET /api/v1/statistics                                          401    403      403   403   403   200     401
GET /api/v1/statistics/streams                                  401    403      403   403   403   200     401
GET /api/v1/dashboards                                          401    200      200   200   200   200     401
GET /api/v1/dashboards/:id                                      401    404      404   200   404   200     401
POST /api/v1/dashboards                                         401    201      201   201   201   201     401
PUT /api/v1/dashboards/:id                                      401    404      404   200   404   200     401
DELETE /api/v1/dashboards/:id                                   401    404      404   204   404   204     401
GET /api/v1/users                                               401    403      403   403   403   200     401
POST /api/v1/users                                              401    403      403   403   403   201     401
PATCH /api/v1/users/:id                                         401    403      403   403   403   200     401
DELETE /api/v1/users/:id                                        401    403      403   403   403   204     401
GET /api/v1/preferences                                         401    200      200   200   200   200     401
PUT /api/v1/preferences                                         401    200      200   200   200   200     401
GET /api/v1/groups                                              401    403      403   403   403   200     401
POST /api/v1/groups                                             401    403      403   403   403   201     401
PATCH /api/v1/groups/:id                                        401    403      403   403   403   200     401
DELETE /api/v1/groups/:id                                       401    403      403   403   403   204     401
PUT /api/v1/groups/:id/members/:userId                          401    403      403   403   403   204     401
DELETE /api/v1/groups/:id/members/:userId                       401    403      403   403   403   204     401
GET /api/v1/tokens                                              401    403      403   200   403   200     401
POST /api/v1/tokens                                             401    403      403   201   403   201     401
DELETE /api/v1/tokens/:id                                       401    404      404   200   404   200     401
GET /api/v1/grants                                              401    403      404   200   404   200     401
POST /api/v1/grants                                             401    403      403   201   403   201     401
DELETE /api/v1/grants/:id                                       401    403      404   204   404   204     401
GET /api/v1/audit                                               401    403      403   403   403   200     401
GET /api/v1/jobs                                                401    403      403   403   403   200     401
GET /api/v1/jobs/:name                                          401    403      403   403   403   200     401
POST /api/v1/jobs/:name/run                                     401    403      403   403   403   202     401
POST /api/v1/jobs/:name/pause                                   401    403      403   403   403   200     401
POST /api/v1/jobs/:name/resume                                  401    403      403   403   403   200     401
GET /api/v1/alerts/rules                                        401    200      200   200   200   200     401
POST /api/v1/alerts/rules                                       401    403      404   201   404   201     401
GET /api/v1/alerts/rules/:id                                    401    404      404   200   404   200     401
PUT /api/v1/alerts/rules/:id                                    401    404      404   200   404   200     401
PATCH /api/v1/alerts/rules/:id                                  401    404      404   200   404   200     401
DELETE /api/v1/alerts/rules/:id                                 401    404      404   204   404   204     401
POST /api/v1/alerts/rules/:id/test                              401    404      404   200   404   200     401
GET /api/v1/alerts/rules/:id/deliveries                         401    404      404   200   404   200     401
PUT /api/v1/alerts/rules/:id/silence                            401    404      404   200   404   200     401
DELETE /api/v1/alerts/rules/:id/silence                         401    404      404   200   404   200     401
GET /api/v1/alerts                                              401    200      200   200   200   200     401
GET /api/v1/alerts/history                                      401    200      200   200   200   200     401
GET /api/v1/openapi.json                                        200    200      200   200   200   200     401
POST /write                                                     401   drop     drop   204  drop   204     401
POST /api/v2/write                                              401   drop     drop   204  drop   204     401
GET /ping                                                       204    204      204   204   204   204     401
GET /health                                                     200    200      200   200   200   200     401
GET /query                                                      401    200      200   200   200   200     401
POST /query                                                     401    200      200   200   200   200     401
POST /api/v1/prom/write                                         401   drop     drop   204  drop   204     401
GET /grafana                                                    401    200      200   200   200   200     401
POST /grafana/search                                            401    200      200   200   200   200     401
POST /grafana/metrics                                           401    200      200   200   200   200     401
POST /grafana/metric-payload-options                            401    200      404   200   404   200     401
POST /grafana/query                                             401    200      404   200   404   200     401
POST /grafana/annotations                                       401    200      404   200   404   200     401
POST /grafana/variable                                          401    200      404   200   404   200     401
POST /grafana/tag-keys                                          401    200      200   200   200   200     401
POST /grafana/tag-values                                        401    200      200   200   200   200     401
GET /api/v1/                                                    200    200      200   200   200   200     401
GET /api/v1/stream/                                             401    200      200   200   200   200     401
GET /api/v1/stream/schema/                                      200    200      200   200   200   200     401
GET /api/v1/stream/set/:ids/                                    401    200      200   200   200   200     401
GET /api/v1/stream/:id/                                         401    200      404   200   404   200     401
OPTIONS /api/v1/                                                200    200      200   200   200   200     401
POST|PUT|PATCH|DELETE /api/v1/                                  405    405      405   405   405   405     401
OPTIONS /api/v1/stream/                                         200    200      200   200   200   200     401
POST|PUT|PATCH|DELETE /api/v1/stream/                           405    405      405   405   405   405     401
OPTIONS /api/v1/stream/schema/                                  200    200      200   200   200   200     401
POST|PUT|PATCH|DELETE /api/v1/stream/schema/                    405    405      405   405   405   405     401
OPTIONS /api/v1/stream/set/:ids/                                200    200      200   200   200   200     401
POST|PUT|PATCH|DELETE /api/v1/stream/set/:ids/                  405    405      405   405   405   405     401
OPTIONS /api/v1/stream/:id/                                     200    200      200   200   200   200     401
POST|PUT|PATCH|DELETE /api/v1/stream/:id/                       405    405      405   405   405   405     401
GET /service/feed_input/:feed/:axis                             401    403      200   200   403   200     401
POST /service/feed_input/:feed/:axis                            401    403      200   200   403   200     401
GET /service/feed_output/:feed/:axis                            401    200      403   200   403   200     401
GET /service/feed_live_axis/:feed/:axis                         401    200      403   200   403   200     401
GET /service/feed_cache/:feed                                   401    200      404   200   404   200     401
GET /service/feed_live_from_data_id/:feed/:axis/:id             401    200      403   200   403   200     401
GET /service/feed_cache/:feed/:age                              401    200      404   200   404   200     401
GET /service/feed_live_from_data_id/:feed/:axis/:id/:age        401    200      403   200   403   200     401
GET /service/feed_input.json/:feed/:axis                        401    403      200   200   403   200     401
POST /service/feed_input.json/:feed/:axis                       401    403      200   200   403   200     401
GET /service/feed_output.json/:feed/:axis                       401    200      403   200   403   200     401
GET /service/feed_live_axis.json/:feed/:axis                    401    200      403   200   403   200     401
GET /service/feed_cache.json/:feed                              401    200      404   200   404   200     401
GET /service/feed_live_from_data_id.json/:feed/:axis/:id        401    200      403   200   403   200     401
GET /service/feed_cache.json/:feed/:age                         401    200      404   200   404   200     401
GET /service/feed_live_from_data_id.json/:feed/:axis/:id/:age      401    200      403   200   403   200     401
GET /openorg                                                    200    200      200   200   200   200     401
GET /openorg/documentation/                                     200    200      200   200   200   200     401
GET /openorg/admin                                              401    200      200   200   200   200     401
POST /openorg/admin                                             401    403      403   201   403   201     401
GET /openorg/admin/:slug/                                       401    200      403   200   403   200     401
POST /openorg/admin/:slug/                                      401    403      200   200   403   200     401
DELETE /openorg/admin/:slug/                                    401    403      403   204   403   204     401
GET /service/feeds                                              401    200      200   200   200   200     401
POST /service/feeds                                             401    403      403   201   403   201     401
GET /service/feeds/:feed                                        401    200      404   200   404   200     401
DELETE /service/feeds/:feed                                     401    403      404   204   404   204     401
POST /service/feeds/:feed/axes                                  401    403      404   201   404   201     401
DELETE /service/feeds/:feed/axes/:axis                          401    403      404   204   404   204     401
GET /service/admin_dashboard                                    401    403      403   403   403   200     401
GET /service/admin_dashboard.json                               401    403      403   403   403   200     401
GET /tools/state_sin_wave                                       401    403      403   403   403   200     401
POST /tools/toggle_sin_wave                                     401    403      403   403   403   200     401
`;

/** `page` is the dashboard, which need not be built. */
const PAGE = existsSync(join(import.meta.dirname, '../../dist/web/index.html')) ? '200' : '404';

const EXPECTED: ReadonlyMap<string, readonly string[]> = new Map(
  TABLE.trim()
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [methods, path, ...outcomes] = line.split(/ +/);
      const all = outcomes.map((outcome) => (outcome === 'page' ? PAGE : outcome));
      return methods!.split('|').map((method) => [`${method} ${path}`, all] as const);
    }),
);

/** What is said to these may not hold the word that everything of the owner's has. */
const SEES_NOTHING: readonly Role[] = ['anonymous', 'appender', 'other', 'expired'];

/** What the parameter of an address stands for. */
const PATHS: readonly (readonly [prefix: string, id: (cast: Cast) => string | Promise<string>])[] =
  [
    ['/api/v1/streams/:id', (cast) => cast.stream()],
    ['/api/v1/stream/:id/', (cast) => cast.stream()],
    ['/api/v1/stream/set/:ids/', (cast) => cast.stream()],
    ['/api/v1/dashboards/:id', (cast) => cast.dashboard()],
    ['/api/v1/users/:id', (cast) => cast.user()],
    ['/api/v1/groups/:id', (cast) => cast.group()],
    ['/api/v1/grants/:id', (cast) => cast.grant()],
    ['/api/v1/tokens/:id', (cast) => cast.token()],
    ['/api/v1/alerts/rules/:id', (cast) => cast.rule()],
    ['/api/v1/jobs/:name', () => 'cleanup'],
    ['/openorg/admin/:slug/', (cast) => cast.series()],
  ];

interface Call {
  readonly cast: Cast;
  readonly role: Role;
}

type Parts = Pick<InjectOptions, 'payload' | 'headers'> & { readonly query?: string };

const LINES = { headers: { 'content-type': 'text/plain' } };
const RANGE = { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' };

/** What a request needs beside its address. */
const PARTS: Readonly<Record<string, (call: Call) => Parts | Promise<Parts>>> = {
  'POST /api/v1/session': ({ role }) => ({
    payload: { name: role, password: 'long enough, and odd' },
  }),
  'DELETE /api/v1/session': async ({ cast, role }) => ({ headers: await cast.newSession(role) }),
  'PUT /api/v1/session/password': async ({ cast, role }) => ({
    headers: await cast.onlySession(role),
    payload: { currentPassword: 'long enough, and odd', newPassword: 'long enough, and odd' },
  }),
  'POST /api/v1/setup': () => ({ payload: { token: 'x', name: 'x', password: 'y' } }),
  'POST /api/v1/streams': ({ cast }) => ({
    payload: { query: { of: 'owner', name: cast.newName() } },
  }),
  'PATCH /api/v1/streams/:id': () => ({ payload: { tags: { other: 'tags' } } }),
  'POST /api/v1/streams/:id/data': () => ({ payload: { v: 2 } }),
  'POST /api/v1/write': async ({ cast }) => ({ payload: { stream: await cast.stream(), v: 2 } }),
  'POST /write': ({ cast }) => ({ ...LINES, payload: `${cast.newName()},of=owner v=1` }),
  'POST /api/v2/write': ({ cast }) => ({ ...LINES, payload: `${cast.newName()},of=owner v=1` }),
  'POST /api/v1/prom/write': ({ cast }) => ({
    headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
    payload: compress(
      message([
        {
          labels: [
            ['__name__', cast.newName()],
            ['of', 'owner'],
          ],
          samples: [[1, Date.now()]],
        },
      ]),
    ),
  }),
  'GET /query': () => ({ query: 'q=SHOW+DATABASES' }),
  'POST /query': () => ({ query: 'q=SHOW+DATABASES' }),
  'POST /api/v1/dashboards': () => ({ payload: { name: 'new', content: [] } }),
  'PUT /api/v1/dashboards/:id': () => ({ payload: { name: 'new', content: [] } }),
  'POST /api/v1/users': ({ cast }) => ({ payload: { name: cast.newName(), password: null } }),
  'PATCH /api/v1/users/:id': () => ({ payload: { isAdmin: true } }),
  'PUT /api/v1/preferences': () => ({ payload: { theme: 'dark' } }),
  'POST /api/v1/groups': ({ cast }) => ({ payload: { name: cast.newName() } }),
  'PATCH /api/v1/groups/:id': ({ cast }) => ({ payload: { name: cast.newName() } }),
  'GET /api/v1/grants': async ({ cast }) => ({ query: `stream=${await cast.stream()}` }),
  'POST /api/v1/grants': async ({ cast }) => ({
    payload: {
      subject: { kind: 'user', userId: await cast.user() },
      permissions: ['view'],
      target: { kind: 'stream', streamId: await cast.stream() },
    },
  }),
  'GET /api/v1/tokens': ({ cast }) => ({ query: `user=${cast.idOf('owner')}` }),
  'POST /api/v1/tokens': ({ cast }) => ({
    payload: { name: 'new', scopes: ['view'], user: cast.idOf('owner') },
  }),
  'POST /api/v1/alerts/rules': async ({ cast }) => ({ payload: await cast.ruleBody() }),
  'PUT /api/v1/alerts/rules/:id': async ({ cast }) => ({ payload: await cast.ruleBody() }),
  'PATCH /api/v1/alerts/rules/:id': () => ({ payload: { isEnabled: false } }),
  'PUT /api/v1/alerts/rules/:id/silence': () => ({ payload: { until: '+1h' } }),
  'POST /grafana/search': () => ({ payload: { target: '' } }),
  'POST /grafana/metrics': () => ({ payload: { metric: '' } }),
  'POST /grafana/metric-payload-options': async ({ cast }) => ({
    payload: { metric: await cast.stream(), name: 'statistic' },
  }),
  'POST /grafana/query': async ({ cast }) => ({
    payload: { range: RANGE, targets: [{ target: await cast.stream() }] },
  }),
  'POST /grafana/annotations': async ({ cast }) => ({
    payload: { range: RANGE, annotation: { name: 'a', query: await cast.stream() } },
  }),
  'POST /grafana/variable': async ({ cast }) => ({
    payload: { payload: { target: await cast.stream() } },
  }),
  'POST /grafana/tag-values': () => ({ payload: { key: 'of' } }),
  'GET /openorg': async ({ cast }) => ({ query: `action=info&series=${await cast.series()}` }),
  'POST /openorg/admin': ({ cast }) => ({ payload: cast.seriesBody(cast.newName()) }),
  'POST /openorg/admin/:slug/': () => ({
    payload: { readings: [{ ts: '2026-01-01T00:00:00Z', val: 1 }] },
  }),
  'POST /service/feeds': ({ cast }) => ({
    payload: { name: cast.newName(), y_cast: 'int', axes: ['a'] },
  }),
  'POST /service/feeds/:feed/axes': () => ({ payload: { name: 'new' } }),
};

const FEED_INPUT = /^(?:GET|POST) \/service\/feed_input/;

let cast: Cast;

beforeAll(async () => {
  cast = await Cast.open();
});
afterAll(async () => {
  await cast.opened.close();
});

async function urlOf(route: string, path: string): Promise<string> {
  let url = path.replace(/\*$/, 'index.html');
  if (url.includes(':feed')) url = url.replace(':feed', (await cast.feed()).id);
  for (const [prefix, make] of PATHS) {
    if (url.startsWith(prefix)) url = url.replace(/:(?:ids?|name|slug)\b/, await make(cast));
  }
  url = url
    .replace(':userId', url.includes(':userId') ? await cast.user() : '')
    .replace(':axis', 'axis')
    .replace(':id', '0')
    .replace(':age', '12');
  return FEED_INPUT.test(route) ? `${url}?y=2` : url;
}

interface Answer {
  /** The status; `drop` where the datapoint is refused in an answer that says so. */
  readonly outcome: string;
  readonly text: string;
}

async function ask(method: string, route: string, role: Role): Promise<Answer> {
  const { query, ...parts } = (await PARTS[route]?.({ cast, role })) ?? {};
  const url = await urlOf(route, route.slice(route.indexOf(' ') + 1));
  const answer = await cast.opened.app.inject({
    method: method as 'GET',
    url: query === undefined ? url : `${url}?${query}`,
    ...parts,
    headers: { ...cast.headersOf(role), ...parts.headers },
    payloadAsStream: true,
  });
  const stream = answer.stream();
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
    // Events have no end; the first ones say who is let in.
    if (route === 'GET /api/v1/events') break;
  }
  stream.destroy();
  const isDropped = /"dropped":1\b|dropped=1\b/.test(text);
  return { outcome: isDropped ? 'drop' : String(answer.statusCode), text };
}

describe('the access matrix', () => {
  test('has a line for every route, and for nothing else', () => {
    const routes = cast.opened.app.protectedRoutes.map(({ name }) => name);
    const known = routes.filter((name) => !name.startsWith('HEAD '));
    expect([...EXPECTED.keys()].sort()).toEqual([...new Set(known)].sort());
    // Whoever may ask for the head of an answer is who may ask for the answer.
    for (const { name, access } of cast.opened.app.protectedRoutes) {
      if (!name.startsWith('HEAD ')) continue;
      const get = cast.opened.app.protectedRoutes.find((other) => {
        return withoutSlash(other.name) === withoutSlash(name.replace('HEAD', 'GET'));
      });
      expect([name, get?.access]).toEqual([name, access]);
    }
  });

  for (const role of ROLES) {
    test(`holds for ${role}`, async () => {
      const found: string[] = [];
      const wanted: string[] = [];
      for (const [route, outcomes] of EXPECTED) {
        const { outcome, text } = await ask(route.slice(0, route.indexOf(' ')), route, role);
        found.push(`${route} ${outcome}`);
        wanted.push(`${route} ${outcomes[ROLES.indexOf(role)]}`);
        // Whoever posts to a feed is told its name.
        const isFed = outcome === '200' && FEED_INPUT.test(route);
        const hasLeaked = SEES_NOTHING.includes(role) && !isFed && text.includes(SECRET);
        if (hasLeaked) found.push(`${route} tells what is not for ${role}: ${text}`);
      }
      expect(found).toEqual(wanted);
    });
  }

  test('holds for heads of answers', async () => {
    const routes = cast.opened.app.protectedRoutes.filter(({ name }) => name.startsWith('HEAD '));
    const heads = new Set(routes.map(({ name }) => name.replace('HEAD', 'GET')));
    for (const role of ['anonymous', 'other'] as const) {
      for (const [route, outcomes] of EXPECTED) {
        if (!heads.has(route)) continue;
        const { outcome } = await ask('HEAD', route, role);
        expect([route, role, outcome]).toEqual([route, role, outcomes[ROLES.indexOf(role)]]);
      }
    }
  });
});

/** A route with a prefix answers with and without one at its end. */
function withoutSlash(name: string): string {
  return name.replace(/\/$/, '');
}
