import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openTestService, type TestService } from '../service.fixture.ts';

const NOW = new Date('2026-03-01T12:00:00Z');

let opened: TestService;
beforeEach(async () => {
  opened = await openTestService({}, { now: () => NOW });
});
afterEach(async () => {
  await opened.close();
});

async function call(method: string, url: string, body?: unknown) {
  const response = await opened.app.inject({
    method: method as 'GET',
    url: `/api/v1${url}`,
    ...(body === undefined ? {} : { payload: body as object }),
  });
  return {
    status: response.statusCode,
    headers: response.headers,
    body: response.payload === '' ? null : response.json(),
  };
}

describe('streams over HTTP', () => {
  test.each(['/streams', '/statistics/streams', '/status', '/events'])(
    '%s does not take a filter with a slip in its name for all streams',
    async (url) => {
      for (const name of ['tags.site', 'site', 'constructor', 'streamId']) {
        expect(await call('GET', `${url}?${name}=x`)).toMatchObject({
          status: 400,
          body: { field: name, detail: expect.stringContaining(`Unrecognized key: "${name}"`) },
        });
      }
    },
  );

  test('are created once, read, changed and deleted', async () => {
    const created = await call('POST', '/streams', {
      query: { site: 'x' },
      tags: { unit: 'W' },
      valueDownsamplers: ['mean'],
      highestGranularity: 'seconds',
    });
    expect(created).toMatchObject({ status: 201, body: { tags: { site: 'x', unit: 'W' } } });
    const { id } = created.body;
    expect(created.headers['location']).toBe(`/api/v1/streams/${id}`);
    expect(
      await call('POST', '/streams', { query: { site: 'x' }, tags: { unit: 'W' } }),
    ).toMatchObject({ status: 200, body: { id } });
    expect(
      await call('PATCH', `/streams/${id}`, {
        tags: { site: 'y' },
        valueDownsamplers: { add: ['max'] },
      }),
    ).toMatchObject({
      status: 200,
      body: { tags: { site: 'y' }, valueDownsamplers: ['mean', 'sum', 'max', 'count'] },
    });
    expect(await call('GET', '/streams?tags__site=y')).toMatchObject({
      status: 200,
      body: { streams: [{ id }], next: null },
    });
    expect(await call('DELETE', `/streams/${id}`)).toMatchObject({ status: 204 });
    expect(await call('GET', `/streams/${id}`)).toMatchObject({
      status: 404,
      body: { code: 'STREAM_NOT_FOUND' },
    });
  });

  test('are left as they are by who wants a new one', async () => {
    const create = (title: string) =>
      opened.app.inject({
        method: 'POST',
        url: '/api/v1/streams',
        headers: { 'if-none-match': '*' },
        payload: { query: { site: 'x' }, tags: { title } },
      });
    const created = await create('first');
    expect(created.statusCode).toBe(201);
    const again = await create('second');
    expect([again.statusCode, again.json()]).toMatchObject([
      412,
      { code: 'ALREADY_EXISTS', detail: 'There is a stream with these tags already.' },
    ]);
    expect((await call('GET', `/streams/${created.json().id}`)).body.tags).toEqual({
      site: 'x',
      title: 'first',
    });
  });

  test('read their data as rows, columns, CSV and lines', async () => {
    const id = (await call('POST', '/streams', { query: { a: 1 }, highestGranularity: 'seconds' }))
      .body.id;
    const ds = opened.service.datastream;
    for (let i = 0; i < 5; i++) await ds.append(id, i, NOW.getTime() + i * 1000);
    const r = await call('GET', `/streams/${id}/data`);
    expect(r).toMatchObject({ status: 200, body: { granularity: 'seconds', next: null } });
    expect(r.body.datapoints).toHaveLength(5);
    const p1 = await call('GET', `/streams/${id}/data?limit=2`);
    const p2 = await call('GET', `/streams/${id}/data?limit=2&cursor=${p1.body.next}`);
    expect(p2.body.datapoints.map(({ v }: { v: number }) => v)).toEqual([2, 3]);
    const c = await call(
      'GET',
      `/streams/${id}/data?format=columns&granularity=10seconds&live&valueDownsamplers=mean,max`,
    );
    expect(c.body).toMatchObject({ v: { m: [2], u: [4] }, live: [1] });
    const csv = await opened.app.inject(`/api/v1/streams/${id}/data?format=csv`);
    expect(csv.payload.split('\n')[1]).toBe('2026-03-01T12:00:00Z,0');
    const bad = await call('GET', `/streams/${id}/data?granularity=foo`);
    expect(bad).toMatchObject({ status: 400, body: { code: 'UNSUPPORTED_GRANULARITY' } });
    expect(await call('GET', `/streams/${id}/data?start=abc`)).toMatchObject({
      status: 400,
      body: { field: 'start' },
    });
    expect(await call('GET', '/nothing')).toMatchObject({ status: 404 });
  });

  test('are described by OpenAPI', async () => {
    const r = await call('GET', '/openapi.json');
    expect(r.status).toBe(200);
    expect(Object.keys(r.body.paths)).toContain('/api/v1/streams/{id}/data');
  });
});
