import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openTestService, type TestService } from '../service.fixture.ts';
import { Frames } from '../v1/frames.ts';
import { addPerson, basic, type Person, WITH_USERS } from './people.ts';
import { expectNoFailure } from './support.ts';

const NOW_MS = Date.parse('2026-11-21T21:15:00Z');

let opened: TestService;
let nowMs: number;
let admin: Person;
let anna: Person;
let bob: Person;

beforeEach(async () => {
  nowMs = NOW_MS;
  opened = await openTestService(WITH_USERS, { now: () => new Date(nowMs) });
  const { service } = opened;
  admin = await addPerson(service, 'ada', { isAdmin: true });
  anna = await addPerson(service, 'anna', { grants: ['create'], on: { source: 'feed' } });
  bob = await addPerson(service, 'bob');
});
afterEach(() => opened.close());

async function call(
  url: string,
  { by = anna, method = 'GET', body }: { by?: Person | null; method?: string; body?: object } = {},
) {
  const answer = await opened.app.inject({
    method: method as 'GET',
    url,
    headers: { ...by?.headers },
    ...(body !== undefined && { payload: body }),
  });
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: answer.payload === '' ? null : answer.json(),
  };
}

const addFeed = (name: string, axes: string[], y_cast = 'float') =>
  call('/service/feeds', { method: 'POST', body: { name, y_cast, axes } });

const post = (path: string, { x, y }: { x?: string; y?: string | number }, by: Person = anna) => {
  const query = new URLSearchParams();
  if (x !== undefined) query.set('x', x);
  if (y !== undefined) query.set('y', String(y));
  return call(`/service/feed_input.json/${path}?${query}`, { by });
};

const idOf = (time: string, nth = 0): number => Date.parse(time) * 1000 + nth;

describe('feeds', () => {
  test('C3.1 takes a number by an address, and answers with its x and id', async () => {
    await addFeed('house', ['kitchen']);
    const first = await post('house/kitchen', { x: '2026-11-21 21:14:53.280027', y: '0.5' });
    expect(first).toMatchObject({
      status: 200,
      body: {
        feed_name: 'house',
        axis_name: 'kitchen',
        x: '2026-11-21 21:14:53.280',
        y: 0.5,
        id: idOf('2026-11-21T21:14:53.280Z'),
      },
    });
    // Sent again because nobody answered, it is there once.
    expect(await post('house/kitchen', { x: '2026-11-21 21:14:53.280027', y: '0.5' })).toEqual(
      expect.objectContaining({ body: first.body }),
    );
    const other = await post('house/kitchen', { x: '2026-11-21 21:14:53.280', y: '0.75' });
    expect(other.body.id).toBe(first.body.id + 1);
    expect((await call('/service/feed_output.json/house/kitchen')).body.rows).toMatchObject([
      { id: first.body.id, y: 0.5, entry_time: '2026-11-21 21:14:53' },
      { id: first.body.id + 1, y: 0.75 },
    ]);
  });

  test.each([
    ['2014-11-22', '2014-11-22 00:00:00.000'],
    ['2014-11-22T01:02:03+01:00', '2014-11-22 00:02:03.000'],
    ['1416614400', '2014-11-22 00:00:00.000'],
    ['1416614400125', '2014-11-22 00:00:00.125'],
    [undefined, '2026-11-21 21:15:00.000'],
  ])('C3.2 takes %s for x', async (x, stored) => {
    await addFeed('house', ['kitchen']);
    const answer = await post('house/kitchen', { ...(x !== undefined && { x }), y: '1' });
    expect(answer.body.x).toBe(stored);
  });

  test('C3.3 says which parameter is wrong', async () => {
    await addFeed('house', ['kitchen']);
    await addFeed('doors', ['front'], 'int');
    const wrong = [
      ['house/kitchen', { x: 'yesterday', y: '1' }, 'x', '"yesterday"'],
      ['house/kitchen', { y: 'abc' }, 'y', '"abc"'],
      ['house/kitchen', { y: 'Infinity' }, 'y', 'float'],
      ['house/kitchen', {}, 'y', 'no value'],
      ['doors/front', { y: '3.7' }, 'y', 'int'],
    ] as const;
    for (const [path, input, field, text] of wrong) {
      const { status, body } = await post(path, input);
      expect([status, body.field]).toEqual([400, field]);
      expect(body.error).toContain(text);
    }
    expect((await post('doors/front', { y: '3' })).body.y).toBe(3);
    expect((await post('house/attic', { y: '1' })).status).toBe(404);
    expect((await post('nothing/attic', { y: '1' })).status).toBe(404);
  });

  test('takes forms and JSON as bodies, too', async () => {
    await addFeed('house', ['kitchen']);
    const url = '/service/feed_input/house/kitchen';
    expect((await call(url, { method: 'POST', body: { y: 2, x: 1416614400 } })).body.y).toBe(2);
    const form = await opened.app.inject({
      method: 'POST',
      url,
      payload: 'y=3&x=1416614401',
      headers: { ...anna.headers, 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(form.json()).toMatchObject({ y: 3, x: '2014-11-22 00:00:01.000' });
  });

  test('C3.5 asks who is there', async () => {
    await addFeed('house', ['kitchen']);
    const url = '/service/feed_input.json/house/kitchen?y=1';
    const nobody = await call(url, { by: null });
    expect(nobody.status).toBe(401);
    expect(String(nobody.headers['www-authenticate'])).toContain('Basic');
    expect(nobody.body).toEqual({ error: expect.any(String) });
    const wrong = { ...anna, headers: { authorization: basic('anna', 'something else') } };
    expect((await call(url, { by: wrong })).status).toBe(401);
    // A page from elsewhere would do it in the name of whoever looks at it.
    const elsewhere = { ...anna, headers: { ...anna.headers, 'sec-fetch-site': 'cross-site' } };
    expect((await call(url, { by: elsewhere })).status).toBe(403);
  });

  test('C3.6 keeps others out', async () => {
    await addFeed('house', ['kitchen']);
    expect((await post('house/kitchen', { y: 1 }, bob)).status).toBe(403);
    for (const path of ['feed_output', 'feed_live_axis', 'feed_live_from_data_id']) {
      const rest = path.endsWith('id') ? '/0' : '';
      const answer = await call(`/service/${path}/house/kitchen${rest}`, { by: bob });
      expect(answer.status).toBe(403);
    }
    expect((await call('/service/feeds', { by: bob })).body).toEqual({ feeds: [] });
    expect((await call('/service/feeds/house', { by: bob, method: 'DELETE' })).status).toBe(404);
    const body = { name: 'mine', y_cast: 'int', axes: ['a'] };
    expect((await call('/service/feeds', { by: bob, method: 'POST', body })).status).toBe(403);
  });

  test('a token does no more than its scopes', async () => {
    await addFeed('house', ['kitchen']);
    const url = '/service/feed_input/house/kitchen?y=1';
    const sender = { ...anna, headers: anna.tokenHeaders(['append']) };
    expect((await call(url, { by: sender })).status).toBe(200);
    expect((await call(url, { by: sender, method: 'HEAD' })).status).toBe(405);
    expect((await call('/service/feed_output/house/kitchen', { by: sender })).status).toBe(403);
    const changer = { ...anna, headers: anna.tokenHeaders(['view', 'change']) };
    expect((await call(url, { by: changer })).status).toBe(403);
    for (const path of ['house', 'house/axes/kitchen']) {
      const answer = await call(`/service/feeds/${path}`, { by: changer, method: 'DELETE' });
      expect(answer.status).toBe(403);
    }
    expect((await call('/service/feed_output/house/kitchen')).body.rows).toHaveLength(1);
  });

  test('C3.7 tells by numbers where the newest row went', async () => {
    await addFeed('house', ['kitchen']);
    const url = '/service/feed_live_axis.json/house/kitchen';
    expect((await call(url)).body).toEqual({
      id: null,
      x: null,
      y: null,
      entry_time: null,
      state: null,
    });
    const states = [];
    for (const y of [1, 2, 2, 1.5, 9, 10]) {
      nowMs += 1000;
      await post('house/kitchen', { y });
      states.push((await call(url)).body.state);
    }
    expect(states).toEqual([null, 1, 0, -1, 1, 1]);
  });

  test('C3.9 the cache has the last rows of all axes, with their extremes', async () => {
    const { id } = (await addFeed('house', ['a', 'b', 'c'])).body;
    await post('house/a', { x: '2026-11-21 21:14:00.250', y: -0.25 });
    const last = await post('house/a', { x: '2026-11-21 21:14:10', y: 0.5 });
    const { body } = await call(`/service/feed_cache.json/${id}`);
    expect(body).toEqual({
      x_accessor: 'date',
      y_accessor: ['a', 'b', 'c'],
      data: [
        { date: Date.parse('2026-11-21T21:14:00.250Z') / 1000, a: -0.25 },
        { date: Date.parse('2026-11-21T21:14:10Z') / 1000, a: 0.5 },
      ],
      max_ids: { a: last.body.id, b: null, c: null },
      min_y: -0.25,
      max_y: 0.5,
    });
  });

  test('C3.10 the cache has 32 rows of each axis, oldest first, of the last hours', async () => {
    await addFeed('house', ['a', 'b', 'c']);
    for (const [index, axis] of ['a', 'b', 'c'].entries()) {
      for (let i = 0; i < 40; i++) {
        const x = String(NOW_MS - 60_000 * (40 - i) + index);
        await post(`house/${axis}`, { x, y: i });
      }
    }
    const { data, min_y } = (await call('/service/feed_cache/house')).body;
    expect([data.length, min_y]).toEqual([96, 8]);
    const dates = data.map(({ date }: { date: number }) => date);
    expect(dates).toEqual([...dates].sort((a, b) => a - b));
    expect((await call('/service/feed_cache/house/0.1')).body.data).toHaveLength(18);
    expect((await call('/service/feed_cache/house/0')).body).toMatchObject({
      data: [],
      max_ids: { a: null, b: null, c: null },
      min_y: null,
    });
  });

  test('C3.11 has no cache of what is not there, or not his', async () => {
    const { id } = (await addFeed('house', ['a'])).body;
    for (const by of [anna, bob]) {
      const unknown = await call(`/service/feed_cache/${by === anna ? 'nothing' : id}`, { by });
      expect(unknown).toMatchObject({
        status: 404,
        body: { error: 'No feed found for selected input' },
      });
    }
    expect((await call(`/service/feed_cache/${id}/abc`)).status).toBe(400);
  });

  test('C3.13 goes on behind a row', async () => {
    await addFeed('house', ['a']);
    const first = await post('house/a', { x: '2026-11-21 21:14:00', y: 1 });
    const same = await post('house/a', { x: '2026-11-21 21:14:00', y: 2 });
    const url = '/service/feed_live_from_data_id.json/house/a';
    expect((await call(`${url}/0`)).body).toMatchObject({
      data: [{ a: 1 }, { a: 2 }],
      max_id: same.body.id,
      min_y: 1,
      max_y: 2,
    });
    expect((await call(`${url}/${first.body.id}`)).body.data).toEqual([
      { date: Date.parse('2026-11-21T21:14:00Z') / 1000, a: 2 },
    ]);
    expect((await call(`${url}/${same.body.id}`)).body).toEqual({
      data: [],
      max_id: null,
      min_y: null,
      max_y: null,
    });
    expect((await call(`${url}/0/0.001`)).body.data).toEqual([]);
    expect((await call(`${url}/abc`)).status).toBe(400);
  });

  test('C3.14 C3.15 lists rows by id, and counts them for admins', async () => {
    await addFeed('seed', ['one', 'none']);
    const values = [0, 2, 7, 3, 2];
    for (const [day, y] of values.entries())
      await post('seed/one', { x: `2014-10-${10 + day}`, y });
    await post('seed/one', { x: '2014-10-09', y: 5 });
    const { rows } = (await call('/service/feed_output.json/seed/one')).body;
    expect(rows.map(({ y }: { y: number }) => y)).toEqual([5, ...values]);
    expect((await call('/service/admin_dashboard', { by: admin })).body).toEqual({
      rows: [
        { feed_name: 'seed', axis_name: 'none', count: 0, owner: 'anna' },
        { feed_name: 'seed', axis_name: 'one', count: 6, owner: 'anna' },
      ],
    });
    expect((await call('/service/admin_dashboard')).status).toBe(403);
    expect((await call('/service/admin_dashboard', { by: null })).status).toBe(401);
  });

  test('C3.17 C3.18 refuses names that are taken', async () => {
    expect((await addFeed('house', ['a'])).status).toBe(201);
    const axes = '/service/feeds/house/axes';
    const again = await call(axes, { method: 'POST', body: { name: 'a' } });
    expect(again).toMatchObject({ status: 409, body: { field: 'name' } });
    expect((await call(axes, { method: 'POST', body: { name: 'b' } })).status).toBe(201);
    expect((await call(axes, { method: 'POST', body: { name: 'date' } })).status).toBe(400);
    expect((await addFeed('garden', ['a'])).status).toBe(201);
    expect(await addFeed('house', ['a'])).toMatchObject({ status: 409, body: { field: 'name' } });
    expect((await addFeed('shed', ['a', 'a'])).status).toBe(409);
    expect((await addFeed('shed', [], 'text')).status).toBe(400);
    const { body } = await call('/service/feeds/house');
    expect(body.axes.map(({ name }: { name: string }) => name)).toEqual(['a', 'b']);
    // Streams like all others, which whoever added them may grant.
    const [stream] = await opened.service.datastream
      .findStreams({ feed: 'house', axis: 'b' })
      .toArray();
    expect(stream!.id).toBe(body.axes[1].id);
  });

  test('forgets what is deleted, also from elsewhere', async () => {
    const { id } = (await addFeed('house', ['a', 'b'])).body;
    await post('house/a', { y: 1 });
    expect((await call('/service/feeds/house/axes/a', { method: 'DELETE' })).status).toBe(204);
    expect((await post('house/a', { y: 1 })).status).toBe(404);
    const { datastream } = opened.service;
    await datastream.deleteStreams({ feed: 'house', axis: 'b' });
    expect((await post('house/b', { y: 1 })).status).toBe(404);
    expect((await call(`/service/feeds/${id}`)).body.axes).toEqual([]);
    expect((await call(`/service/feeds/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await call('/service/feeds')).body).toEqual({ feeds: [] });
    expect(await datastream.findStreams().count()).toBe(0);
  });

  test('C3.19 what is posted comes to every page that follows, in order, and once also after a pause', async () => {
    const { body } = await addFeed('house', ['kitchen']);
    const address = await opened.app.listen({ port: 0, host: '127.0.0.1' });
    const follow = async (lastId?: number): Promise<Frames> => {
      const response = await fetch(`${address}/api/v1/events?streams=${body.axes[0].id}`, {
        headers: { ...anna.headers, ...(lastId !== undefined && { 'last-event-id': `${lastId}` }) },
      });
      expect(response.status).toBe(200);
      return new Frames(response);
    };
    const pages = [await follow(), await follow()];
    for (const page of pages) expect(await page.next()).toMatchObject({ event: 'ready' });
    const posted = async (values: readonly number[]): Promise<void> => {
      for (const y of values) {
        nowMs += 1000;
        expect((await post('house/kitchen', { y })).status).toBe(200);
      }
    };
    let lastId = 0;
    /** The values of the next events; several posts may share one. */
    const valuesOf = async (page: Frames, count: number): Promise<readonly unknown[]> => {
      const values: unknown[] = [];
      while (values.length < count) {
        const frame = await page.next();
        // Levels follow by themselves.
        if (frame!.event === 'levels') continue;
        expect(frame).toMatchObject({ event: 'appended' });
        lastId = frame!.id;
        values.push(...(frame!.data['values'] as unknown[]));
      }
      return values;
    };
    await posted([1, 2, 3]);
    const [one, other] = pages as [Frames, Frames];
    expect(await valuesOf(other, 3)).toEqual([1, 2, 3]);
    expect(await valuesOf(one, 3)).toEqual([1, 2, 3]);
    await one.cancel();
    const seenId = lastId;
    await posted([4, 5]);
    expect(await valuesOf(other, 2)).toEqual([4, 5]);
    const back = await follow(seenId);
    await posted([6]);
    expect(await valuesOf(back, 3)).toEqual([4, 5, 6]);
    expect(await valuesOf(other, 1)).toEqual([6]);
    await back.cancel();
    await other.cancel();
  });

  test('C3.21 the demo is an admin’s to switch, and by POST alone', async () => {
    const url = '/tools/toggle_sin_wave';
    expect((await call(url, { by: admin })).status).toBe(405);
    expect((await call(url, { method: 'POST' })).status).toBe(403);
    const { jobs } = opened.service;
    expect((await jobs.run('demo')).result).toEqual({ rowCount: 0 });
    expect((await call(url, { by: admin, method: 'POST' })).body).toEqual({ state: true });
    for (let count = 0; count < 2; count++) {
      nowMs += 30_000;
      expect((await jobs.run('demo')).result).toEqual({ rowCount: 3 });
    }
    const rowsOf = async (axis: string): Promise<number[]> => {
      const { body } = await call(`/service/feed_output/sin%20wave/${axis}`, { by: admin });
      return body.rows.map(({ y }: { y: number }) => y);
    };
    expect(await rowsOf('0')).toEqual([0, Math.sin(0.1)]);
    expect(await rowsOf('90')).toEqual([1, Math.sin(0.1 + Math.PI / 2)]);
    expect((await call(url, { by: admin, method: 'POST' })).body).toEqual({ state: false });
    expect((await call('/tools/state_sin_wave', { by: admin })).body).toEqual({ state: false });
    expect((await jobs.run('demo')).result).toEqual({ rowCount: 0 });
  });

  test('never fail, whatever they are asked', async () => {
    const open = await openTestService();
    try {
      const body = { name: 'house', y_cast: 'float', axes: ['a'] };
      await open.app.inject({ method: 'POST', url: '/service/feeds', payload: body });
      await expectNoFailure(open, {
        methods: ['GET', 'POST', 'DELETE'],
        paths: [
          '/service/feed_input.json/house/a',
          '/service/feed_input/*/*',
          '/service/feed_output/house/*',
          '/service/feed_live_axis/*/a',
          '/service/feed_cache/house/*',
          '/service/feed_live_from_data_id/house/a/*/*',
          '/service/feeds',
          '/service/feeds/*/axes',
        ],
        parameters: ['x', 'y'],
        types: ['application/json', 'application/x-www-form-urlencoded'],
      });
    } finally {
      await open.close();
    }
  });
});
