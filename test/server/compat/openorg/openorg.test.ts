import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openTestService, type TestService } from '../../service.fixture.ts';
import { addPerson, type Person, WITH_USERS } from '../people.ts';
import { expectNoFailure } from '../support.ts';
import { readNTriples, readRdfXml, readTurtle } from './rdf-readers.ts';

const ADMIN = '/openorg/admin/';
const NOW_MS = Date.parse('1970-01-03T00:00:00Z');
const CONFIG = {
  start: '1970-01-01T00:00:00Z',
  interval: 1800,
  series_type: 'period',
  timezone_name: 'Europe/London',
  archives: [{ aggregation_type: 'average', aggregation: 1, count: 10_000 }],
};
const READINGS = [
  { ts: 1_800_000, val: 5 },
  { ts: '1970-01-01T01:00:00Z', val: 10 },
  ['1970-01-01T02:30:00+01:00', 15],
  { ts: 7_200_000, val: 20 },
];
const CSV = '1970-01-01T01:30:00+01:00,5.0\n3600000,10\n5400000,15\n7200000,20\n';

let opened: TestService;
let admin: Person;
let owner: Person;
let appender: Person;
let other: Person;

beforeEach(async () => {
  opened = await openTestService(WITH_USERS, { now: () => new Date(NOW_MS) });
  const { service } = opened;
  admin = await addPerson(service, 'ada', { isAdmin: true });
  owner = await addPerson(service, 'olga', { grants: ['create'] });
  appender = await addPerson(service, 'anna', { grants: ['append'] });
  other = await addPerson(service, 'bob');
});
afterEach(() => opened.close());

interface Request {
  readonly by?: Person | null;
  readonly method?: string;
  readonly body?: object | string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

async function call(url: string, { by = owner, method = 'GET', body, headers = {} }: Request = {}) {
  const answer = await opened.app.inject({
    method: method as 'GET',
    url,
    headers: { ...by?.headers, ...headers },
    ...(body !== undefined && { payload: body }),
  });
  const isJson = String(answer.headers['content-type']).includes('json');
  return {
    status: answer.statusCode,
    headers: answer.headers,
    text: answer.payload,
    body: isJson ? answer.json() : null,
  };
}

const create = (body: object, by: Person | null = owner) =>
  call(ADMIN, { method: 'POST', body, by });
const post = (slug: string, body: object | string | Buffer, more: Request = {}) =>
  call(`${ADMIN}${slug}/`, { method: 'POST', body, ...more });
const read = (query: string, more: Request = {}) =>
  call(`/openorg/?${query}`, { by: null, ...more });
const series = (slug: string, more: object = {}) => ({
  slug,
  title: `Series ${slug}`,
  config: CONFIG,
  ...more,
});

/** Values of a series' buckets. */
async function fetched(slug: string, query: string): Promise<(number | null)[]> {
  const { body } = await read(`action=fetch&series=${slug}&start=0&end=10000000&${query}`);
  return body.series[slug].data.map(({ val }: { val: number | null }) => val);
}

describe('the administrative interface of OpenOrg', () => {
  test('B3.1 creates a series, which is its creator’s', async () => {
    const created = await create(series('test', { notes: 'n' }));
    expect(created).toMatchObject({
      status: 201,
      headers: { location: `${ADMIN}test/` },
      body: {
        _url: `${ADMIN}test/`,
        slug: 'test',
        title: 'Series test',
        notes: 'n',
        is_public: true,
        is_virtual: false,
        config: {
          start: 0,
          interval: 1800,
          series_type: 'period',
          timezone_name: 'Europe/London',
          archives: [
            { aggregation_type: 'average', aggregation: 1, count: 10_000, threshold: 0.5 },
          ],
        },
      },
    });
    const [stream] = await opened.service.datastream.findStreams().toArray();
    const identity = {
      kind: 'user' as const,
      userId: owner.id,
      name: 'olga',
      isAdmin: false,
      groupIds: [],
      scopes: null,
    };
    expect(opened.service.access.policy.permissionsOn(identity, stream!)).toEqual(
      expect.arrayContaining(['view', 'append', 'change', 'delete']),
    );
  });

  test('B3.2 refuses what is there, what is no JSON, and who may not', async () => {
    await create(series('test'));
    expect(await create(series('test'))).toMatchObject({
      status: 409,
      body: { error: 'already-exists' },
    });
    const form = await call(ADMIN, {
      method: 'POST',
      body: 'slug=x',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(form).toMatchObject({ status: 400, body: { error: 'wrong-content-type' } });
    const broken = await call(ADMIN, {
      method: 'POST',
      body: '{',
      headers: { 'content-type': 'application/json' },
    });
    expect(broken).toMatchObject({ status: 400, body: { error: 'invalid-json' } });
    expect(await create(series('mine'), other)).toMatchObject({
      status: 403,
      body: { error: 'lacking-privilege' },
    });
    const nobody = await create(series('mine'), null);
    expect(nobody.status).toBe(401);
    expect(String(nobody.headers['www-authenticate'])).toContain('Basic');
  });

  test.each([
    ['slug', { slug: undefined }, 'missing-field'],
    ['title', { title: undefined }, 'missing-field'],
    ['config', { config: undefined }, 'missing-field'],
    ['config.interval', { config: { ...CONFIG, interval: 0 } }, 'invalid-field'],
    ['config.interval', { config: { ...CONFIG, interval: undefined } }, 'missing-field'],
    ['config.start', { config: { ...CONFIG, start: 'soon' } }, 'invalid-field'],
    ['config.timezone_name', { config: { ...CONFIG, timezone_name: 'Here' } }, 'invalid-field'],
    [
      'config.archives.0.threshold',
      { config: { ...CONFIG, archives: [{ ...CONFIG.archives[0], threshold: 2 }] } },
      'invalid-field',
    ],
    ['slug', { slug: 'a/b' }, 'invalid-field'],
    ['equation', { is_virtual: true }, 'missing-field'],
  ])('names %s where that is wrong', async (field, changes, error) => {
    expect(await create(series('x', changes))).toMatchObject({
      status: 400,
      body: { error, field },
    });
  });

  test('B3.3 lists what one may view', async () => {
    await create(series('b', { is_public: false }));
    await create(series('a', { is_public: false }));
    const listed = async (by: Person): Promise<string[]> => {
      const { body } = await call(ADMIN, { by });
      return body.series.map(({ slug }: { slug: string }) => slug);
    };
    expect(await listed(admin)).toEqual(['a', 'b']);
    expect(await listed(other)).toEqual([]);
    const [stream] = await opened.service.datastream
      .findStreams({ openorg: { slug: 'b' } })
      .toArray();
    opened.service.state.grants.insert({
      id: 'g',
      subject: { kind: 'user', userId: other.id },
      permissions: ['view'],
      target: { kind: 'stream', streamId: stream!.id },
      giverId: null,
      createdAtMs: NOW_MS,
    });
    expect(await listed(other)).toEqual(['b']);
    expect((await call(`${ADMIN}a/`, { by: other })).status).toBe(403);
    expect((await call(`${ADMIN}b/`, { by: other })).body.slug).toBe('b');
    expect((await call(`${ADMIN}c/`, { by: other })).status).toBe(404);
  });

  test('B3.4 B3.5 B3.15 adds readings once, in whatever form they come', async () => {
    await create(series('test'));
    const first = { readings: { count: 4, appended: 4, last: 7_200_000 } };
    const again = { readings: { count: 4, appended: 0, last: 7_200_000 } };
    expect(await post('test', { readings: READINGS })).toMatchObject({ status: 200, body: first });
    expect((await post('test', { readings: READINGS }, { by: appender })).body).toEqual(again);
    const csv = { headers: { 'content-type': 'text/csv' } };
    expect((await post('test', CSV, csv)).body).toEqual(again);
    const late = await post('test', {
      readings: [
        [9_000_000, 1],
        [5_400_000, 99],
        [9_000_000, 2],
      ],
    });
    expect(late.body.readings).toEqual({ count: 3, appended: 1, last: 9_000_000 });
    expect((await post('test', { readings: READINGS }, { by: other })).status).toBe(403);
    expect(await fetched('test', 'type=average')).toEqual([5, 10, 15, 20, 1]);
  });

  test('B3.5 takes a file from a browser, and sends it back', async () => {
    await create(series('test'));
    const form = new FormData();
    form.append('readings', new Blob([CSV], { type: 'text/csv' }), 'readings.csv');
    form.append('title', 'Another title');
    const packed = new Response(form);
    const body = Buffer.from(await packed.arrayBuffer());
    const type = packed.headers.get('content-type')!;
    const answer = await post('test', body, {
      headers: { 'content-type': type, accept: 'text/html,*/*;q=0.8' },
    });
    expect(answer.status).toBe(303);
    expect(answer.headers.location).toBe(
      `${ADMIN}test/?readings.count=4&readings.appended=4&updated=true`,
    );
    expect((await call(`${ADMIN}test/`)).body.title).toBe('Another title');
    const elsewhere = await call(`http://evil.test${ADMIN}test/`, {
      method: 'POST',
      body,
      headers: { 'content-type': type, accept: 'text/html', host: 'evil.test' },
    });
    expect(elsewhere.headers.location).toMatch(/^\/openorg\/admin\/test\/\?/);
    const none = await post('test', 'x', { headers: { 'content-type': type } });
    expect(none).toMatchObject({ status: 400, body: { error: 'invalid-form' } });
  });

  test.each([
    ['{"readings": {}}', 'list'],
    ['{"readings": [[0]]}', 'readings[0]'],
    ['{"readings": [[0, 1], ["1970-01-01T00:00:00", 1]]}', 'readings[1].ts'],
    ['{"readings": [[0, "5"]]}', 'readings[0].val'],
    ['{"readings": [{"ts": 0, "val": null}]}', 'readings[0].val'],
  ])('B3.6 refuses the readings %s', async (body, place) => {
    await create(series('test'));
    const answer = await post('test', body, { headers: { 'content-type': 'application/json' } });
    expect(answer.status).toBe(400);
    expect(answer.body.readings.error).toContain(place);
  });

  test('B3.6 changes words for those who may, and deletes', async () => {
    await create(series('test'));
    const json = { headers: { 'content-type': 'application/json' } };
    expect((await post('test', 'bad json', json)).body.error).toBe('invalid-json');
    expect(await post('test', {}, { by: other })).toMatchObject({ status: 200, body: {} });
    const words = { title: 'T', notes: 'N' };
    expect((await post('test', words, { by: other })).status).toBe(403);
    expect((await post('test', words)).body).toEqual({ updated: ['title', 'notes'] });
    const [stream] = await opened.service.datastream.findStreams({ title: 'T' }).toArray();
    expect(stream!.tags['openorg']).toMatchObject({ slug: 'test', title: 'T', is_public: true });
    expect((await call(`${ADMIN}test/`)).body).toMatchObject({
      title: 'T',
      notes: 'N',
      slug: 'test',
    });
    expect((await call(`${ADMIN}test/`, { method: 'DELETE', by: other })).status).toBe(403);
    expect((await call(`${ADMIN}test/`, { method: 'DELETE' })).status).toBe(204);
    expect((await call(`${ADMIN}test/`)).status).toBe(404);
    expect(await opened.service.datastream.findStreams().count()).toBe(0);
  });

  test('a token does no more than its scopes, whoever has it', async () => {
    const by = { ...owner, headers: owner.tokenHeaders(['view', 'append', 'change']) };
    expect((await create(series('mine'), by)).status).toBe(403);
    expect((await create(series('mine', { is_public: false }), by)).status).toBe(201);
    expect((await post('mine', { is_public: true }, { by })).status).toBe(403);
    expect((await call(`${ADMIN}mine/`, { method: 'DELETE', by })).status).toBe(403);
    expect((await read('action=list&format=json')).body).toEqual({ names: [] });
  });

  test('B3.18 lets buckets and readings begin together', async () => {
    const { body } = await create(series('test', { config: { ...CONFIG, start: 1_000_000 } }));
    expect(body.config.start).toBe(0);
  });
});

describe('the pages of OpenOrg', () => {
  let cookie: Record<string, string>;
  let csrf: string;

  const signIn = async (name: string): Promise<void> => {
    const payload = { name, password: 'long enough, and odd' };
    const answer = await opened.app.inject({ method: 'POST', url: '/api/v1/session', payload });
    cookie = { cookie: `${answer.cookies[0]!.name}=${answer.cookies[0]!.value}` };
    csrf = answer.json().csrfToken;
  };
  const open = (url: string) =>
    call(url, { by: null, headers: { ...cookie, accept: 'text/html' } });
  const fill = (url: string, body: string | Buffer, type: string) =>
    call(url, {
      by: null,
      method: 'POST',
      body,
      headers: { ...cookie, accept: 'text/html', 'content-type': type },
    });
  const FORM = 'application/x-www-form-urlencoded';

  test('create a series, show it, take its readings and change it, without a script', async () => {
    await signIn('olga');
    expect((await open(ADMIN)).text).toContain('no series');
    const { text: form, headers } = await open(`${ADMIN}?create`);
    expect(headers['cache-control']).toBe('no-store');
    const action = /<form method="post" action="([^"]+)"/.exec(form)![1]!.replace('&amp;', '&');
    expect(action).toBe(`?create&csrf=${csrf}`);
    expect(form).toContain('<option>Europe/London</option>');
    const names = [...form.matchAll(/<(?:input|select|textarea) name="([^"]+)"/g)].map(
      ([, name]) => name!,
    );
    const filled: Record<string, string> = {
      slug: 'hall',
      title: '<b>Hall</b>',
      is_public: 'true',
      series_type: 'gauge',
      interval: '60',
      timezone_name: 'Europe/London',
      start: '1970-01-01T00:00:00Z',
      archive_0_type: 'average',
      archive_0_aggregation: '1',
      archive_0_count: '100',
      archive_0_threshold: '0.5',
      archive_1_type: 'max',
      archive_1_aggregation: '2',
      archive_1_count: '50',
    };
    expect(names).toEqual(expect.arrayContaining(Object.keys(filled)));
    const body = new URLSearchParams(filled).toString();
    expect((await fill(`${ADMIN}?create`, body, FORM)).status).toBe(403);
    expect((await fill(`${ADMIN}?csrf=${csrf}`, body, FORM)).status).toBe(400);
    const created = await fill(`${ADMIN}${action}`, body, FORM);
    expect([created.status, created.headers.location]).toEqual([303, `${ADMIN}hall/`]);
    expect((await call(`${ADMIN}hall/`)).body).toMatchObject({
      is_public: true,
      config: {
        series_type: 'gauge',
        interval: 60,
        archives: [
          { aggregation_type: 'average', aggregation: 1, count: 100, threshold: 0.5 },
          { aggregation_type: 'max', aggregation: 2, count: 50, threshold: 0.5 },
        ],
      },
    });
    const upload = new FormData();
    upload.append('readings', new Blob([CSV]), 'readings.csv');
    const packed = new Response(upload);
    const type = packed.headers.get('content-type')!;
    const bytes = Buffer.from(await packed.arrayBuffer());
    expect((await fill(`${ADMIN}hall/`, bytes, type)).status).toBe(403);
    const first = await fill(`${ADMIN}hall/?csrf=${csrf}`, bytes, type);
    const again = await fill(`${ADMIN}hall/?csrf=${csrf}`, bytes, type);
    expect((await open(String(first.headers.location))).text).toContain(
      '<mark>4 readings parsed, 4 added.</mark>',
    );
    const { text } = await open(String(again.headers.location));
    expect(text).toContain('4 readings parsed, 0 added; the rest were not after the last reading');
    expect(text).toContain('1970-01-01T03:00:00+01:00');
    expect(text).toContain('&lt;b&gt;Hall&lt;/b&gt;');
    expect(text).not.toContain('<b>');
    expect((await open(ADMIN)).text).toContain(`<a href="${ADMIN}hall/">hall</a>`);
  });

  test('offer nobody what he may not do, and say what is wrong', async () => {
    await create(series('mine', { is_public: false }));
    await create(series('open'));
    await signIn('bob');
    const list = (await open(ADMIN)).text;
    expect(list).not.toContain('mine');
    expect(list).not.toContain('?create');
    expect((await open(`${ADMIN}open/`)).text).not.toContain('<form');
    const refused = await open(`${ADMIN}mine/`);
    expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('<h1>Error 403')]);
    await signIn('olga');
    const url = `${ADMIN}?create&csrf=${csrf}`;
    const wrong = await fill(url, 'slug=x&title=x&start=1970-01-01&interval=often', FORM);
    expect([wrong.status, wrong.text]).toEqual([400, expect.stringContaining('config.interval')]);
    const virtual = await fill(url, 'slug=v&title=v&equation=open*2', FORM);
    expect(virtual.status).toBe(303);
    expect((await open(`${ADMIN}v/`)).text).toContain('computed: open*2');
  });
});

describe('virtual series', () => {
  beforeEach(async () => {
    for (const [slug, val] of Object.entries({ a: 1, b: 6, c: 3, d: 2, zero: 0, 'a-b': 9 })) {
      await create(series(slug));
      await post(slug, { readings: [[1_800_000, val]] });
    }
  });

  const virtual = (slug: string, equation: string, by = owner) =>
    create({ slug, title: slug, equation, is_virtual: true }, by);

  const computed = async (slug: string): Promise<number | null | undefined> => {
    await opened.service.datastream.backprocessStreams();
    await opened.service.datastream.downsampleStreams();
    return (await fetched(slug, 'type=average'))[0];
  };

  test('B3.21 are computed from others, and from each other', async () => {
    expect((await virtual('v1', 'a+b/c')).status).toBe(201);
    expect((await virtual('v2', 'v1')).status).toBe(201);
    expect((await virtual('v3', 'v1+v2*4-a/d')).status).toBe(201);
    expect((await virtual('v4', '(a + b)*c')).status).toBe(201);
    expect((await virtual('v5', 'a-b')).status).toBe(201);
    expect((await virtual('v6', 'd - (c - b)')).status).toBe(201);
    expect(await computed('v1')).toBe(3);
    expect(await computed('v3')).toBe(14.5);
    expect(await computed('v4')).toBe(21);
    expect(await computed('v5')).toBe(9);
    expect(await computed('v6')).toBe(5);
    const { body } = await read('action=info&format=json&series=v2,v3');
    expect(body.series.v2.equation).toBe('a + b ÷ c');
    expect(body.series.v3.equation).toBe('(a + b ÷ c) + (a + b ÷ c) × 4 - a ÷ d');
    // Later readings follow.
    for (const slug of ['a', 'b', 'c']) await post(slug, { readings: [[3_600_000, 10]] });
    await computed('v1');
    expect(await fetched('v1', 'type=average')).toEqual([3, 11]);
  });

  test('show no equation of a series that may not be read', async () => {
    const inner = { slug: 'inner', title: 'inner', equation: 'a+b', is_public: false };
    expect((await create({ ...inner, is_virtual: true })).status).toBe(201);
    expect(
      (
        await create({
          ...inner,
          slug: 'outer',
          equation: 'inner*2',
          is_public: true,
          is_virtual: true,
        })
      ).status,
    ).toBe(201);
    const shownTo = async (by: Person | null): Promise<string> => {
      const { body } = await read('action=info&format=json&series=outer', { by });
      return body.series.outer.equation;
    };
    expect(await shownTo(null)).toBe('inner × 2');
    expect(await shownTo(owner)).toBe('(a + b) × 2');
  });

  test('B3.22 know signs, loops, gaps and what they are made of', async () => {
    expect((await virtual('p', '-a + 4 * b')).status).toBe(201);
    expect(await computed('p')).toBe(23);
    expect((await virtual('q', 'p + a')).status).toBe(201);
    const loop = await post('p', { equation: 'q - a' });
    expect(loop).toMatchObject({ status: 400, body: { field: 'equation' } });
    expect(loop.body.message).toContain('p → q → p');
    expect((await virtual('own', 'own + 1')).body.message).toContain('own → own');
    expect((await virtual('none', 'a / zero')).status).toBe(201);
    expect(await computed('none')).toBeNull();
    const unknown = await virtual('x', 'a + nothing');
    expect(unknown).toMatchObject({ status: 400, body: { field: 'equation' } });
    expect(unknown.body.message).toContain('"nothing"');
    for (const text of ['', '1 + 2', 'a +', 'a b', 'a + $', '(a', 'rm(a)']) {
      expect((await virtual('x', text)).status).toBe(400);
    }
    const used = await call(`${ADMIN}a/`, { method: 'DELETE' });
    expect(used).toMatchObject({ status: 409, body: { error: 'conflict' } });
    expect((await post('p', { readings: READINGS })).body.error).toBe('append-to-virtual');
    expect((await post('a', { equation: 'b' })).status).toBe(400);
    // Another equation is one for all of the time.
    expect((await post('p', { equation: 'a * 100' })).body).toEqual({ updated: ['equation'] });
    expect(await computed('p')).toBe(100);
    expect(await computed('q')).toBe(101);
  });

  test('show nobody what he may not see', async () => {
    await create(series('secret', { is_public: false }));
    const spy = await addPerson(opened.service, 'eve', { grants: ['create'] });
    const answer = await virtual('leak', 'secret * 1', spy);
    expect(answer.status).toBe(400);
    expect(answer.body.message).toContain('there is no series "secret"');
  });
});

describe('the public address of OpenOrg', () => {
  const archives = [
    { aggregation_type: 'average', aggregation: 1, count: 10_000 },
    { aggregation_type: 'average', aggregation: 2, count: 10_000 },
    { aggregation_type: 'max', aggregation: 2, count: 1 },
    { aggregation_type: 'average', calendar: 'days', count: 10, threshold: 0 },
  ];

  beforeEach(async () => {
    await create(series('open', { config: { ...CONFIG, archives } }));
    await create(series('hidden', { is_public: false }));
    await post('open', { readings: READINGS });
  });

  test('lists what is public', async () => {
    expect((await read('action=list&format=json')).body).toEqual({ names: ['open'] });
    expect((await read('action=list&format=csv')).text).toBe('open\n');
    expect((await read('action=list')).text).toContain('series=open');
    expect((await read('')).headers['content-type']).toContain('text/html');
    const { text } = await call('/openorg/documentation/', { by: null });
    expect(text).toContain('<td>info</td><td>html, json, js, rdf, nt, ttl, n3</td>');
    expect(text).toContain('href="/openorg/?action=list"');
    const mine = await read('action=list&format=json', { by: owner });
    expect(mine.body).toEqual({ names: ['hidden', 'open'] });
    await post('hidden', { is_public: true });
    await post('open', { is_public: false });
    expect((await read('action=list&format=json')).body).toEqual({ names: ['hidden'] });
  });

  test('says what there is of a series', async () => {
    const { body } = await read('action=info&series=open,hidden,nothing&format=json');
    expect(body).toEqual({
      series: {
        open: {
          name: 'open',
          title: 'Series open',
          notes: '',
          info: {
            type: 'gauge',
            interval: 1800,
            start: 0,
            updated: 7_200_000,
            updated_jsts: 7_200_000,
            timezone: 'Europe/London',
            samples: [
              { type: 'average', resolution: 1800, aggregation: 1, count: 10_000 },
              { type: 'average', resolution: 3600, aggregation: 2, count: 10_000 },
              { type: 'max', resolution: 3600, aggregation: 2, count: 1 },
              { type: 'average', resolution: 'days', aggregation: 'days', count: 10 },
            ],
          },
        },
      },
    });
    expect(Object.keys((await read('action=info&series=*&format=json')).body.series)).toEqual([
      'open',
    ]);
  });

  test('B3.19 gives buckets, and says what is not there', async () => {
    const query = 'action=fetch&series=open,hidden,nothing&type=average&start=0&end=7200';
    expect((await read(`${query}&resolution=3600`)).body).toEqual({
      series: {
        open: {
          name: 'open',
          data: [
            { ts: 3_600_000, val: 7.5 },
            { ts: 7_200_000, val: 17.5 },
          ],
        },
        hidden: { error: 'not-found' },
        nothing: { error: 'not-found' },
      },
    });
    const wrong = await read(`${query}&resolution=60&format=json`);
    expect(wrong).toMatchObject({ status: 400, body: { status_code: 400 } });
    expect(wrong.body.error_message).toContain(
      'average 1800, average 3600, max 3600, average days',
    );
    for (const bad of [
      'action=fetch&series=open',
      'action=fetch&type=average',
      'action=nope',
      'action=info',
      'action=fetch&series=open&type=sum',
      'action=fetch&series=open&type=average&start=tomorrow',
    ]) {
      const answer = await read(`${bad}&format=json`);
      expect([bad, answer.status]).toEqual([bad, 400]);
      expect(answer.body).toEqual({ status_code: 400, error_message: expect.any(String) });
    }
  });

  test('takes times in seconds, milliseconds and ISO 8601; a start is not included, an end is', async () => {
    const data = async (query: string): Promise<number[]> => {
      const { body } = await read(`action=fetch&series=open&type=average&resolution=1800&${query}`);
      return body.series.open.data.map(({ ts }: { ts: number }) => ts / 1_800_000);
    };
    expect(await data('start=1800&end=5400')).toEqual([2, 3]);
    expect(await data('startTime=1800000&endTime=5400000')).toEqual([2, 3]);
    expect(await data('start=1970-01-01T00:30:00Z&end=1970-01-01T01:30')).toEqual([2, 3]);
    expect(await data('start=1801&end=7199')).toEqual([3]);
    // Two days back from now, which is their end.
    expect(await data('')).toEqual([1, 2, 3, 4]);
    expect(await data('start=7200&end=0')).toEqual([]);
    const max = await read('action=fetch&series=open&type=max&start=0');
    expect(max.body.series.open.data).toEqual([{ ts: 7_200_000, val: 20 }]);
  });

  test('writes CSV and text with the clocks of the series', async () => {
    const query = 'action=fetch&series=open&type=average&resolution=3600&start=0&end=7200';
    // London kept summer time all through 1970.
    expect((await read(`${query}&format=csv`)).text).toBe(
      'open,1970-01-01 02:00:00,7.5\nopen,1970-01-01 03:00:00,17.5\n',
    );
    expect((await read(query, { headers: { accept: 'text/plain' } })).text).toBe(
      'open,1970-01-01T02:00:00+01:00,7.5\nopen,1970-01-01T03:00:00+01:00,17.5\n',
    );
  });

  test('says the same in RDF, whatever people call a series', async () => {
    const title = 'Kü "1" <&> \\ \n \u0001 😀';
    await create(series('named', { title, notes: '</rdf:RDF>' }));
    const query = 'action=info&series=open,named,hidden';
    const texts = await Promise.all(
      ['nt', 'ttl', 'n3', 'rdf'].map(
        async (format) => (await read(`${query}&format=${format}`)).text,
      ),
    );
    const [lines, turtle, notation, xml] = texts as [string, string, string, string];
    const triples = readNTriples(lines);
    expect(readTurtle(turtle)).toEqual(triples);
    expect(readTurtle(notation)).toEqual(triples);
    const control = (statements: readonly string[][]) =>
      statements.map((words) => words.map((word) => word.replaceAll('\u0001', '\ufffd')));
    expect(readRdfXml(xml)).toEqual(control(triples));
    const endpoint = 'http://localhost:80/openorg/';
    const TS = 'http://purl.org/NET/time-series/';
    const ofSeries = (subject: string): Record<string, string[]> => {
      const found: Record<string, string[]> = {};
      for (const [own, predicate, object] of triples as [string, string, string][]) {
        if (own === subject) found[predicate] = [...(found[predicate] ?? []), object];
      }
      return found;
    };
    const samplings = [0, 1, 2, 3].map((index) => `<${endpoint}#open/sampling/${index}>`);
    expect(ofSeries(`<${endpoint}#open>`)).toEqual({
      '<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>': [`<${TS}TimeSeries>`],
      '<http://www.w3.org/2000/01/rdf-schema#label>': ['"Series open"'],
      [`<${TS}endpoint>`]: [`<${endpoint}>`],
      [`<${TS}seriesName>`]: ['"open"'],
      [`<${TS}sampling>`]: samplings,
    });
    const INTEGER = '^^<http://www.w3.org/2001/XMLSchema#integer>';
    expect(ofSeries(samplings[1]!)).toEqual({
      [`<${TS}samplingType>`]: [`<${TS}average>`],
      [`<${TS}resolution>`]: [`"3600"${INTEGER}`],
      [`<${TS}count>`]: [`"10000"${INTEGER}`],
    });
    expect(ofSeries(samplings[3]!)[`<${TS}resolution>`]).toEqual(['"days"']);
    const named = ofSeries(`<${endpoint}#named>`);
    expect(named['<http://www.w3.org/2000/01/rdf-schema#label>']).toEqual([`"${title}"`]);
    expect(named['<http://www.w3.org/2000/01/rdf-schema#comment>']).toEqual(['"</rdf:RDF>"']);
    expect(lines).not.toContain('hidden');
    const odd = await read(`${query}&format=nt`, { headers: { host: 'x"y>z' } });
    expect(readNTriples(odd.text)[0]![0]).toBe('<http://x%22y%3Ez/openorg/#open>');
  });

  test('calls a function of the page', async () => {
    const answer = await read('action=list&format=js&callback=show');
    expect(answer.headers['cross-origin-resource-policy']).toBe('cross-origin');
    expect(answer.text).toBe('/**/show({"names":["open"]})');
    expect(answer.headers['content-type']).toContain('javascript');
    expect((await read('action=list&format=json&callback=a(b)')).status).toBe(400);
  });

  test('draws', async () => {
    const { text } = await read('action=graph&series=open&type=average&start=0&end=7200');
    expect(text).toMatch(/<path d="M[\d.,]+L/);
    expect((await read('action=graph&series=open&type=average&end=1')).text).toContain('no data');
  });

  test('gives a format that is wanted, or none', async () => {
    const typeOf = async (accept: string, query = 'action=list'): Promise<unknown> => {
      const { status, headers } = await read(query, { headers: { accept } });
      return status === 200 ? String(headers['content-type']).split(';')[0] : status;
    };
    expect(await typeOf('application/json')).toBe('application/json');
    expect(await typeOf('text/csv;q=0.5, application/json;q=0.1')).toBe('text/csv');
    expect(await typeOf('text/*')).toBe('text/html');
    expect(await typeOf('image/png')).toBe(406);
    expect(await typeOf('text/html', 'action=list&format=ttl,csv')).toBe('text/csv');
    const info = 'action=info&series=open';
    expect(await typeOf('text/turtle, text/html;q=0.5', info)).toBe('text/turtle');
    expect(await typeOf('application/rdf+xml', info)).toBe('application/rdf+xml');
    expect(await typeOf('text/html', `${info}&format=nt,json`)).toBe('application/n-triples');
    expect(await typeOf('text/n3', info)).toBe('text/n3');
    expect(await typeOf('text/turtle')).toBe(406);
  });

  test('B3.17 has buckets of local days', async () => {
    const config = {
      ...CONFIG,
      start: '2011-10-29T23:00:00Z',
      interval: 3600,
      archives: archives.slice(3),
    };
    await create(series('days', { config }));
    const startMs = Date.parse('2011-10-29T23:00:00Z');
    const readings = Array.from({ length: 25 }, (_, hour) => [startMs + 3_600_000 * (hour + 1), 1]);
    await post('days', { readings });
    const { body } = await read(
      'action=fetch&series=days&type=average&resolution=days&start=0&end=2e9'.replace(
        '2e9',
        '2000000000',
      ),
    );
    expect(body.series.days.data).toEqual([{ ts: Date.parse('2011-10-31T00:00:00Z'), val: 1 }]);
  });

  test('never fails, whatever it is asked', async () => {
    const open = await openTestService();
    try {
      const payload = series('open');
      const created = await open.app.inject({ method: 'POST', url: ADMIN, payload });
      expect(created.statusCode).toBe(201);
      await expectNoFailure(open, {
        methods: ['GET'],
        paths: [
          '/openorg/?action=list&x',
          '/openorg/?action=info&series=open&x',
          '/openorg/?action=fetch&series=open&type=average&x',
          '/openorg/?action=graph&type=average&x',
        ].map((path) => path.replace('&x', '')),
        parameters: [
          'action',
          'format',
          'series',
          'type',
          'resolution',
          'start',
          'endTime',
          'callback',
        ],
      });
      const odd = fc.jsonValue();
      await expectNoFailure(open, {
        methods: ['GET', 'POST', 'DELETE'],
        paths: [ADMIN, `${ADMIN}open/`, `${ADMIN}*/`],
        parameters: ['readings'],
        types: ['application/json', 'text/csv', 'multipart/form-data; boundary=x', 'x/y'],
        body: fc.record(
          {
            slug: fc.oneof(fc.constant('open'), fc.constant('other'), odd),
            title: fc.oneof(fc.string(), odd),
            config: fc.oneof(fc.constant(CONFIG), odd),
            equation: fc.oneof(fc.string(), fc.constant('open + 1'), odd),
            readings: fc.array(fc.tuple(fc.oneof(fc.double(), odd), fc.oneof(fc.double(), odd))),
          },
          { requiredKeys: [] },
        ),
      });
    } finally {
      await open.close();
    }
  });
});
