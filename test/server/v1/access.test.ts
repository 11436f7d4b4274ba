import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openTestService, type TestService } from '../service.fixture.ts';

const PASSWORD = 'correct horse battery';

interface Person {
  readonly id: string;
  // biome-ignore lint/suspicious/noExplicitAny: what routes answer, which the tests look into
  call(method: string, url: string, body?: unknown): Promise<{ status: number; body: any }>;
}

let opened: TestService;
let admin: Person;

beforeEach(async () => {
  opened = await openTestService({
    access: { mode: 'users', passwordMemoryKib: 8192, passwordPasses: 1 },
  });
  const token = opened.service.access.setupLink.issue();
  admin = await person('/setup', { token, name: 'ada', password: PASSWORD });
});
afterEach(async () => {
  await opened.close();
});

async function person(url: string, payload: object): Promise<Person> {
  const answer = await opened.app.inject({ method: 'POST', url: `/api/v1${url}`, payload });
  expect(answer.statusCode).toBe(200);
  const [cookie] = answer.cookies;
  const { user, csrfToken } = answer.json();
  return {
    id: user.id,
    call: (method, path, body) =>
      call(method, path, body, {
        cookie: `${cookie!.name}=${cookie!.value}`,
        'x-csrf-token': csrfToken,
      }),
  };
}

async function call(method: string, path: string, body: unknown, headers: Record<string, string>) {
  const response = await opened.app.inject({
    method: method as 'GET',
    url: `/api/v1${path}`,
    headers,
    ...(body === undefined ? {} : { payload: body as object }),
  });
  return { status: response.statusCode, body: response.payload === '' ? null : response.json() };
}

async function addPerson(name: string): Promise<Person> {
  expect((await admin.call('POST', '/users', { name, password: PASSWORD })).status).toBe(201);
  return person('/session', { name, password: PASSWORD });
}

describe('access over HTTP', () => {
  test('whoever may grant names the others, and sees who else a stream is for', async () => {
    const bob = await addPerson('bob');
    const eve = await addPerson('eve');
    await admin.call('POST', '/groups', { name: 'crew' });
    const { body: stream } = await admin.call('POST', '/streams', { query: { site: 'x' } });
    const on = { target: { kind: 'stream', streamId: stream.id }, permissions: ['view'] };
    const grant = (subject: object, more: object = {}) => ({ ...on, subject, ...more });
    const toBob = grant({ kind: 'user', name: 'bob' }, { permissions: ['view', 'grant'] });
    expect(await admin.call('POST', '/grants', toBob)).toMatchObject({
      status: 201,
      body: { subject: { kind: 'user', userId: bob.id, name: 'bob' } },
    });
    const byTags = { kind: 'query', tags: { site: 'x' } };
    await admin.call('POST', '/grants', grant({ kind: 'public' }, { target: byTags }));
    const elsewhere = { kind: 'query', tags: { site: 'y' } };
    await admin.call('POST', '/grants', grant({ kind: 'public' }, { target: elsewhere }));

    expect((await bob.call('POST', '/grants', grant({ kind: 'group', name: 'crew' }))).status).toBe(
      201,
    );
    const unknown = grant({ kind: 'user', name: 'nobody' });
    expect((await bob.call('POST', '/grants', unknown)).status).toBe(404);
    // Who may not grant learns nothing about names.
    expect((await eve.call('POST', '/grants', unknown)).status).toBe(403);
    const both = grant({ kind: 'user', name: 'eve', userId: eve.id });
    expect((await bob.call('POST', '/grants', both)).status).toBe(400);

    const { grants } = (await bob.call('GET', `/grants?stream=${stream.id}`)).body;
    expect(
      grants.map(({ subject, target }: { subject: object; target: { kind: string } }) => ({
        subject,
        target: target.kind,
      })),
    ).toMatchObject([
      { subject: { kind: 'user', name: 'ada' }, target: 'stream' },
      { subject: { kind: 'user', name: 'bob' }, target: 'stream' },
      { subject: { kind: 'group', name: 'crew' }, target: 'stream' },
      { subject: { kind: 'public' }, target: 'query' },
    ]);
    expect((await admin.call('GET', '/statistics/streams')).body.streams).toMatchObject([
      { stream: stream.id, owner: { id: admin.id, name: 'ada' } },
    ]);
  });

  test('the log of changes is searched by who, what, to whom and when', async () => {
    const bob = await addPerson('bob');
    await admin.call('POST', '/groups', { name: 'crew' });
    await admin.call('PATCH', `/users/${bob.id}`, { isAdmin: true });
    await bob.call('POST', '/groups', { name: 'others' });
    const found = async (query: string) => {
      const { status, body } = await admin.call('GET', `/audit?${query}`);
      expect(status).toBe(200);
      return body.entries.map(
        ({ action, target }: { action: string; target: { name: string } }) =>
          `${action} ${target.name}`,
      );
    };
    expect(await found('action=group')).toEqual(['group.add others', 'group.add crew']);
    expect(await found('action=group&actor=BO')).toEqual(['group.add others']);
    expect(await found(`target=${bob.id}&action=user`)).toEqual([
      'user.change bob',
      'user.add bob',
    ]);
    expect(await found('target=cre')).toEqual(['group.add crew']);
    expect(await found('action=group&from=-1h')).toHaveLength(2);
    expect(await found('action=group&to=-1h')).toEqual([]);
    expect(await found('action=group&from=%2B1h')).toEqual([]);
    expect((await admin.call('GET', '/audit?from=soon')).status).toBe(400);
  });

  test('a user sees what he is granted, and nothing else', async () => {
    const bob = await addPerson('bob');
    const { body: stream } = await admin.call('POST', '/streams', { query: { site: 'x' } });
    expect((await bob.call('GET', '/streams')).body.streams).toEqual([]);
    expect((await bob.call('GET', `/streams/${stream.id}`)).status).toBe(404);
    const grant = await admin.call('POST', '/grants', {
      subject: { kind: 'user', userId: bob.id },
      permissions: ['view'],
      target: { kind: 'query', tags: { site: 'x' } },
    });
    expect(grant.status).toBe(201);
    expect((await bob.call('GET', '/streams')).body.streams).toMatchObject([
      { permissions: ['view'] },
    ]);
    expect((await bob.call('POST', `/streams/${stream.id}/data`, { v: 1 })).body).toMatchObject({
      accepted: 0,
      dropped: 1,
    });
    expect((await bob.call('DELETE', `/streams/${stream.id}`)).status).toBe(403);
    expect((await admin.call('DELETE', `/grants/${grant.body.id}`)).status).toBe(204);
    expect((await bob.call('GET', '/streams')).body.streams).toEqual([]);
  });

  test('whoever creates a stream may do everything with it, and let others', async () => {
    const bob = await addPerson('bob');
    const eve = await addPerson('eve');
    await admin.call('POST', '/grants', {
      subject: { kind: 'user', userId: bob.id },
      permissions: ['create'],
      target: { kind: 'query', tags: { owner: 'bob' } },
    });
    expect(
      (await bob.call('POST', '/write', { tags: { owner: 'eve', m: '1' }, v: 1 })).body,
    ).toMatchObject({ accepted: 0, dropped: 1 });
    expect(
      (await bob.call('POST', '/write', { tags: { owner: 'bob', m: '1' }, v: 1 })).body,
    ).toMatchObject({ accepted: 1 });
    const [stream] = (await bob.call('GET', '/streams')).body.streams;
    expect(stream.permissions).toEqual(['view', 'append', 'change', 'delete', 'grant']);
    const target = { kind: 'stream', streamId: stream.id };
    const grant = { subject: { kind: 'user', userId: eve.id }, permissions: ['append'], target };
    expect((await eve.call('POST', '/grants', grant)).status).toBe(403);
    expect((await bob.call('POST', '/grants', grant)).status).toBe(201);
    expect((await eve.call('POST', `/streams/${stream.id}/data`, { v: 2 })).body).toMatchObject({
      accepted: 1,
    });
    expect((await bob.call('GET', `/grants?stream=${stream.id}`)).body.grants).toHaveLength(2);
  });

  test('nobody gains by the tags of a stream, whichever way they come', async () => {
    const bob = await addPerson('bob');
    const allow = (permissions: string[], tags: object) =>
      admin.call('POST', '/grants', {
        subject: { kind: 'user', userId: bob.id },
        permissions,
        target: { kind: 'query', tags },
      });
    await allow(['view', 'change'], { site: 'a' });
    await allow(['view', 'change', 'delete'], { site: 'b' });
    const { body: stream } = await admin.call('POST', '/streams', { query: { site: 'a', n: 1 } });
    const refused = { status: 403, body: { code: 'NOT_ALLOWED', field: 'tags' } };
    const tags = { site: 'b', n: 1 };
    expect(await bob.call('PATCH', `/streams/${stream.id}`, { tags })).toMatchObject(refused);
    expect(await bob.call('POST', '/streams', { query: { n: 1 }, tags })).toMatchObject(refused);
    expect((await bob.call('DELETE', `/streams/${stream.id}`)).status).toBe(403);
    const own = await bob.call('POST', '/streams', { query: { n: 1 }, tags: { site: 'a', m: 2 } });
    expect([own.status, own.body.tags]).toEqual([200, { site: 'a', n: 1, m: 2 }]);
  });

  test('who may only append replaces nothing', async () => {
    const bob = await addPerson('bob');
    const { body: stream } = await admin.call('POST', '/streams', { query: { site: 'a' } });
    const path = `/streams/${stream.id}/data`;
    const t = '2026-01-01T00:00:00Z';
    expect((await admin.call('POST', path, { t, v: 1 })).body.accepted).toBe(1);
    const allow = (permission: string) =>
      admin.call('POST', '/grants', {
        subject: { kind: 'user', userId: bob.id },
        permissions: [permission],
        target: { kind: 'stream', streamId: stream.id },
      });
    await allow('append');
    const replace = (query: string) =>
      bob.call('POST', `${path}?duplicates=replace${query}`, [
        { t: '2025-01-01T00:00:00Z', v: 7 },
        { t, v: 2 },
      ]);
    const values = async () => (await admin.call('GET', `${path}?format=columns`)).body.values;
    const refusal = { line: 2, code: 'NOT_PERMITTED' };
    expect((await replace('&strict=true')).body).toMatchObject({ dropped: 2, problems: [refusal] });
    expect(await values()).toEqual([1]);
    expect((await replace('')).body).toMatchObject({
      accepted: 1,
      dropped: 1,
      problems: [refusal],
    });
    expect(await values()).toEqual([7, 1]);
    await allow('change');
    expect((await replace('')).body).toMatchObject({ accepted: 1, duplicate: 1, dropped: 0 });
    expect(await values()).toEqual([7, 2]);
  });

  test('a token does what its scopes say, until it is revoked', async () => {
    const { body } = await admin.call('POST', '/tokens', {
      name: 'sensor',
      scopes: ['append', 'change'],
      expires: '+30d',
    });
    const headers = { authorization: `Bearer ${body.secret}` };
    expect((await call('POST', '/write', { tags: { m: '1' }, v: 1 }, headers)).body).toMatchObject({
      accepted: 1,
    });
    expect((await call('GET', '/streams', undefined, headers)).status).toBe(403);
    expect((await call('GET', '/users', undefined, headers)).status).toBe(403);
    expect((await admin.call('GET', '/tokens')).body.tokens).toMatchObject([{ name: 'sensor' }]);
    await admin.call('DELETE', `/tokens/${body.token.id}`);
    expect((await call('POST', '/write', { tags: { m: '1' }, v: 1 }, headers)).status).toBe(401);
  });

  test('groups, preferences and dashboards', async () => {
    const bob = await addPerson('bob');
    const { body: group } = await admin.call('POST', '/groups', { name: 'readers' });
    await admin.call('PUT', `/groups/${group.id}/members/${bob.id}`);
    await admin.call('POST', '/grants', {
      subject: { kind: 'group', groupId: group.id },
      permissions: ['view'],
      target: { kind: 'query', tags: {} },
    });
    await admin.call('POST', '/streams', { query: { site: 'x' } });
    expect((await bob.call('GET', '/streams')).body.streams).toHaveLength(1);
    expect((await bob.call('PUT', '/preferences', { timeZone: 'Europe/Paris' })).body).toEqual({
      timeZone: 'Europe/Paris',
    });
    const { body: own } = await admin.call('POST', '/dashboards', { name: 'mine', content: [1] });
    const { body: shared } = await admin.call('POST', '/dashboards', {
      name: 'ours',
      isShared: true,
      content: [2],
    });
    expect((await bob.call('GET', '/dashboards')).body.dashboards).toMatchObject([
      { name: 'ours', isOwn: false },
    ]);
    expect((await bob.call('GET', `/dashboards/${own.id}`)).status).toBe(404);
    expect((await bob.call('DELETE', `/dashboards/${shared.id}`)).status).toBe(403);
    expect((await admin.call('DELETE', `/dashboards/${shared.id}`)).status).toBe(204);
  });

  test('a dashboard of a search shows everybody the streams that he may see', async () => {
    const bob = await addPerson('bob');
    for (const room of ['attic', 'cellar']) {
      await admin.call('POST', '/streams', { query: { site: 'x', room } });
    }
    await admin.call('POST', '/grants', {
      subject: { kind: 'user', userId: bob.id },
      permissions: ['view'],
      target: { kind: 'query', tags: { room: 'cellar' } },
    });
    const content = { charts: [{ title: '', query: 'site=x' }] };
    const { body } = await admin.call('POST', '/dashboards', {
      name: 'x',
      isShared: true,
      content,
    });
    expect((await bob.call('GET', `/dashboards/${body.id}`)).body.content).toEqual(content);
    const seen = async (one: Person) =>
      (await one.call('GET', '/streams?tags__site=x')).body.streams.map(
        ({ tags }: { tags: { room: string } }) => tags.room,
      );
    expect((await seen(admin)).sort()).toEqual(['attic', 'cellar']);
    expect(await seen(bob)).toEqual(['cellar']);
  });

  test('charts of a dashboard are of streams or of a search', async () => {
    const save = (charts: unknown) =>
      admin.call('POST', '/dashboards', { name: 'd', content: { charts } });
    for (const chart of [{ streams: [] }, { title: 't', query: 'a=b load' }]) {
      expect((await save([chart])).status).toBe(201);
    }
    const before = (await admin.call('GET', '/dashboards')).body.dashboards;
    const oneOf = 'expected either streams (ids) or query (a search)';
    for (const [charts, detail] of [
      [7, 'content.charts in the body: expected array, received number.'],
      [[{ title: 't' }], `content.charts.0 in the body: ${oneOf}.`],
      [[{ streams: [], query: 'a=b' }], `content.charts.0 in the body: ${oneOf}.`],
      [
        [{ query: ['a=b'] }],
        'content.charts.0.query in the body: expected string, received array.',
      ],
      [
        [{ streams: [] }, { query: ' ' }],
        'content.charts.1.query in the body: Too small: expected string to have >=1 characters.',
      ],
    ] as const) {
      expect(await save(charts)).toMatchObject({ status: 400, body: { detail } });
    }
    const broken = { name: 'e', content: { charts: [{}] } };
    expect((await admin.call('PUT', `/dashboards/${before[0].id}`, broken)).status).toBe(400);
    expect((await admin.call('GET', '/dashboards')).body.dashboards).toEqual(before);
  });

  test('dashboards that were stored before charts were checked still open', async () => {
    const content = { charts: [{ title: 7 }, { streams: ['gone'] }, null], more: [1] };
    const id = 'older';
    opened.service.state.dashboards.insert({
      id,
      name: 'older',
      ownerId: admin.id,
      isShared: false,
      content,
      createdAtMs: 0,
      updatedAtMs: 0,
    });
    expect((await admin.call('GET', `/dashboards/${id}`)).body.content).toEqual(content);
    expect((await admin.call('GET', '/dashboards')).body.dashboards).toHaveLength(1);
  });

  test('changes of streams and dashboards are in the log', async () => {
    const { body: stream } = await admin.call('POST', '/streams', { query: { site: 'a' } });
    await admin.call('POST', '/streams', { query: { site: 'a' } });
    await admin.call('POST', '/streams', { query: { site: 'a' }, tags: { n: 1 } });
    await admin.call('PATCH', `/streams/${stream.id}`, {
      tags: { site: 'b' },
      valueDownsamplers: { add: ['sum'] },
    });
    await admin.call('DELETE', `/streams/${stream.id}/data?start=2026-01-01&end=2026-02-01`);
    const { body: board } = await admin.call('POST', '/dashboards', { name: 'd', content: {} });
    await admin.call('PUT', `/dashboards/${board.id}`, { name: 'e', content: {} });
    await admin.call('DELETE', `/dashboards/${board.id}`);
    const { body } = await admin.call('GET', '/audit?limit=8');
    const told = body.entries.map(({ action, before, after }: Record<string, unknown>) => [
      action,
      before,
      after,
    ]);
    expect(told.reverse()).toEqual([
      ['stream.create', null, { streamIds: [stream.id], streamCount: 1 }],
      ['stream.change', { tags: { site: 'a' } }, { tags: { site: 'a', n: 1 } }],
      ['stream.change', null, { valueDownsamplers: { add: ['sum'] } }],
      ['stream.change', { tags: { site: 'a', n: 1 } }, { tags: { site: 'b' } }],
      ['stream.erase', null, { start: '2026-01-01', end: '2026-02-01' }],
      ['dashboard.add', null, { isShared: false }],
      ['dashboard.change', null, { isShared: false }],
      ['dashboard.remove', null, { isShared: false }],
    ]);
  });

  test('a user is changed as a whole, or not at all', async () => {
    const bob = await addPerson('bob');
    const path = `/users/${bob.id}`;
    for (const changes of [
      { password: 'another good one', name: 'ada' },
      { password: 'short', isAdmin: true },
    ]) {
      expect((await admin.call('PATCH', path, changes)).status).toBeGreaterThanOrEqual(400);
    }
    expect((await bob.call('GET', '/session')).body.user).toMatchObject({
      name: 'bob',
      isAdmin: false,
    });
    await person('/session', { name: 'bob', password: PASSWORD });
    const changes = { password: 'another good one', name: 'rob' };
    expect((await admin.call('PATCH', path, changes)).body.name).toBe('rob');
    expect((await bob.call('GET', '/session')).body.user).toBeNull();
    await person('/session', { name: 'rob', password: 'another good one' });
  });

  test('changes are in the log, without secrets; only admins read it', async () => {
    const bob = await addPerson('bob');
    expect((await bob.call('GET', '/audit')).status).toBe(403);
    const { body } = await admin.call('GET', '/audit?action=user&limit=1');
    expect(body.entries).toMatchObject([
      { action: 'user.add', actor: { name: 'ada' }, target: { name: 'bob' } },
    ]);
    expect(JSON.stringify(body)).not.toMatch(/password[^:]*":"\$|argon/);
  });
});
