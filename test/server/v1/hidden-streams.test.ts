import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { addPerson, type Person, WITH_USERS } from '../compat/people.ts';
import { openTestService, type TestService } from '../service.fixture.ts';

const DEFINITION = { valueDownsamplers: ['mean'], highestGranularity: 'seconds' } as const;
const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';

let opened: TestService;
let shiftMs: number;
let bob: Person;
/** Of somebody else. */
let hiddenId: string;
let seenId: string;

beforeEach(async () => {
  shiftMs = 0;
  opened = await openTestService(
    { ...WITH_USERS, live: { heartbeat: '20ms' } },
    { now: () => new Date(Date.now() + shiftMs) },
  );
  const { service } = opened;
  await addPerson(service, 'ada', { isAdmin: true });
  bob = await addPerson(service, 'bob', {
    grants: ['view', 'append', 'change', 'delete'],
    on: { of: 'bob' },
  });
  const { datastream } = service;
  hiddenId = await datastream.ensureStream({ of: 'ada', name: 'a' }, DEFINITION);
  seenId = await datastream.ensureStream({ of: 'bob', name: 'b' }, DEFINITION);
});
afterEach(async () => {
  await opened.close();
});

function call(method: 'GET' | 'POST' | 'PATCH', url: string, payload?: object, headers = {}) {
  return opened.app.inject({
    method,
    url,
    headers: { ...bob.headers, ...headers },
    ...(payload !== undefined && { payload }),
  });
}

function derive(deriveFrom: unknown, name: string) {
  const query = { of: 'bob', name };
  const payload = { query, highestGranularity: 'seconds', deriveFrom, deriveOp: 'sum' };
  return call('POST', '/api/v1/streams', payload);
}

describe('streams that one may not see', () => {
  test('nothing is derived from them', async () => {
    const { datastream } = opened.service;
    for (const deriveFrom of [[hiddenId], [{ stream: hiddenId }], [seenId, hiddenId]]) {
      const answer = await derive(deriveFrom, 'c');
      expect([answer.statusCode, answer.json().code]).toEqual([404, 'STREAM_NOT_FOUND']);
    }
    for (const tags of [{}, { of: 'ada' }, { name: 'b' }]) {
      expect((await derive({ query: tags }, 'c')).statusCode).toBe(403);
    }
    expect(await datastream.findStreams().count()).toBe(2);
    const own = await derive([seenId], 'c');
    expect(own.statusCode).toBe(201);
    expect((await derive({ query: { of: 'bob', name: 'b' } }, 'd')).statusCode).toBe(201);
    const changes = { deriveFrom: [hiddenId], deriveOp: 'sum' };
    expect((await call('PATCH', `/api/v1/streams/${own.json().id}`, changes)).statusCode).toBe(404);
  });

  test('are not told of by what they are derived from', async () => {
    const { datastream } = opened.service;
    const hidden = { deriveFrom: [seenId], deriveOp: 'sum', ...DEFINITION };
    await datastream.ensureStream({ of: 'ada', name: 'secret sum' }, hidden);
    const { id } = (await derive([seenId], 'c')).json();
    const told = async (url: string) => {
      const body = (await call('GET', url)).json();
      const streams = body.streams ?? [body];
      return streams.flatMap((stream: { contributesTo: { streamId: string }[] }) =>
        stream.contributesTo.map(({ streamId }) => streamId),
      );
    };
    expect(await told(`/api/v1/streams/${seenId}`)).toEqual([id]);
    expect(await told('/api/v1/streams')).toEqual([id]);
    expect((await datastream.getStream(seenId)).contributesTo).toHaveLength(2);
  });

  test('are not told of by what is derived from them', async () => {
    const { datastream } = opened.service;
    const shown = { ...DEFINITION, deriveFrom: [seenId, hiddenId], deriveOp: 'sum' } as const;
    const id = await datastream.ensureStream({ of: 'bob', name: 'sum' }, shown);
    for (const url of [`/api/v1/streams/${id}`, '/api/v1/streams']) {
      const answer = await call('GET', url);
      expect(answer.payload).not.toContain(hiddenId);
      const body = answer.json();
      const told = (body.streams ?? [body]).find((stream: { id: string }) => stream.id === id);
      expect(told.derivedFrom.sources).toEqual([
        { name: null, stream: seenId, granularity: 'seconds' },
        { name: null, stream: null, hidden: true, granularity: 'seconds' },
      ]);
    }
    const changed = await call('PATCH', `/api/v1/streams/${id}`, {
      tags: { of: 'bob', name: 's' },
    });
    expect(changed.statusCode).toBe(200);
    expect(changed.payload).not.toContain(hiddenId);
  });

  test('are not told of by what they refuse', async () => {
    const { datastream } = opened.service;
    const hidden = { deriveFrom: [seenId], deriveOp: 'sum', ...DEFINITION };
    const secretId = await datastream.ensureStream({ of: 'ada', name: 'secret sum' }, hidden);
    const remove = async () => {
      const url = `/api/v1/streams/${seenId}`;
      const answer = await opened.app.inject({ method: 'DELETE', url, headers: bob.headers });
      return answer.json();
    };
    expect(await remove()).toMatchObject({
      status: 409,
      code: 'OUTSTANDING_DEPENDENCIES',
      detail: 'Another stream, which you may not see, stands against this.',
    });
    const { id } = (await derive([seenId], 'c')).json();
    await datastream.deleteStreams({ stream_id: secretId });
    // Of his own he is told.
    expect((await remove()).detail).toContain(id);
  });

  test('are not told of to whoever guesses their tags', async () => {
    const tries = async (of: string) => {
      const created = await call('POST', '/api/v1/streams', { query: { of } });
      const written = await call('POST', '/api/v1/write', { tags: { of }, v: 1 });
      const rule = await call('POST', '/api/v1/alerts/rules', {
        name: 'r',
        target: { query: { of } },
        condition: { kind: 'stale', after: '1h' },
      });
      const texts = [created.payload, written.payload].map((text) => text.replaceAll(of, '…'));
      return [created.statusCode, rule.statusCode, ...texts];
    };
    const none = await tries('nob');
    expect(none.slice(0, 2)).toEqual([403, 201]);
    expect(await tries('ada')).toEqual(none);
  });

  test('are not written to any more once other tags make them so', async () => {
    const { datastream } = opened.service;
    const write = async (t: string) => {
      const entry = { stream: seenId, t, v: 1 };
      const answer = await call('POST', '/api/v1/write', entry);
      return answer.json().accepted;
    };
    expect(await write('2026-01-01T00:00:01Z')).toBe(1);
    const ada = opened.service.access.identityOf(opened.service.access.users.byName('ada').id)!;
    const { secret } = opened.service.access.tokens.create(
      { userId: ada.userId!, name: 't', scopes: ['admin', 'view', 'change'], expiresAtMs: null },
      { identity: ada, address: null },
    );
    const answer = await call(
      'POST',
      '/api/v1/streams',
      { query: { name: 'b' }, tags: { of: 'ada' } },
      { authorization: `Bearer ${secret}` },
    );
    expect(answer.statusCode).toBe(200);
    expect(await write('2026-01-01T00:00:02Z')).toBe(0);
    expect(await datastream.getData(seenId, 'seconds', { start: 0 }).count()).toBe(1);
  });

  test('pages from elsewhere get no call with what only one’s own credentials show', async () => {
    const url = '/api/v1/stream/?callback=f';
    const ask = async (site: string) =>
      (await call('GET', url, undefined, { 'sec-fetch-site': site })).statusCode;
    expect(await ask('cross-site')).toBe(403);
    expect(await ask('same-site')).toBe(403);
    expect(await ask('same-origin')).toBe(200);
    expect((await call('GET', url)).payload).toMatch(/^\/\*\*\/f\(/);
  });

  test('whose token is revoked hears no more', async () => {
    const { access } = opened.service;
    const by = { identity: identityOf(bob.id), address: null };
    const { secret, token } = access.tokens.create(
      { userId: bob.id, name: 't', scopes: ['view'], expiresAtMs: null },
      by,
    );
    const answer = await opened.app.inject({
      url: '/api/v1/events',
      headers: { authorization: `Bearer ${secret}` },
      payloadAsStream: true,
    });
    expect(answer.statusCode).toBe(200);
    access.tokens.revoke(token.id, by);
    // It ends: nothing else would end it for minutes.
    let text = '';
    for await (const chunk of answer.stream()) text += String(chunk);
    expect(text).toContain(seenId);
    expect(text).not.toContain(hiddenId);
  });

  test('are not heard of any more once a grant is taken back, and others go on', async () => {
    const { access, datastream } = opened.service;
    const grants = access.grants.list({ subject: { kind: 'user', userId: bob.id } });
    const stayId = await datastream.ensureStream({ of: 'ada', name: 's' }, DEFINITION);
    const subject = { kind: 'user' as const, userId: bob.id };
    const target = { kind: 'stream' as const, streamId: stayId };
    const byAda = { identity: identityOf(access.users.byName('ada').id), address: null };
    access.grants.add({ subject, permissions: ['view'], target }, byAda);
    const answer = await opened.app.inject({
      url: '/api/v1/events',
      headers: bob.headers,
      payloadAsStream: true,
    });
    let text = '';
    const chunks = answer.stream()[Symbol.asyncIterator]();
    const readUntil = async (part: string): Promise<void> => {
      while (!text.includes(part)) {
        const { value, done } = await chunks.next();
        if (done === true) throw new Error(`ended: ${text}`);
        text += String(value);
      }
    };
    await readUntil(stayId);
    await datastream.append(seenId, 11, new Date('2026-01-01T00:00:01Z'));
    await readUntil('"appended"');
    for (const { id } of grants) access.grants.remove(id, {}, byAda);
    shiftMs += 10_000;
    text = '';
    await datastream.append(seenId, 12, new Date('2026-01-01T00:00:02Z'));
    await datastream.append(stayId, 13, new Date('2026-01-01T00:00:03Z'));
    await readUntil('00:00:03');
    expect(text).not.toContain('00:00:02');
    // Whoever is disabled hears nothing at all.
    access.users.update(bob.id, { isDisabled: true }, byAda);
    await expect(readUntil('never')).rejects.toThrow('ended');
  });

  test('grants on them are as if they were none', async () => {
    const { access } = opened.service;
    const ada = identityOf(access.users.byName('ada').id);
    const { id } = access.grants.add(
      {
        subject: { kind: 'user', userId: ada.userId! },
        permissions: ['view'],
        target: { kind: 'stream', streamId: hiddenId },
      },
      { identity: ada, address: null },
    );
    for (const grantId of [id, UNKNOWN_ID]) {
      const answer = await opened.app.inject({
        method: 'DELETE',
        url: `/api/v1/grants/${grantId}`,
        headers: bob.headers,
      });
      expect([answer.statusCode, answer.json().code]).toEqual([404, 'NOT_FOUND']);
    }
  });
});

function identityOf(userId: string) {
  return opened.service.access.identityOf(userId)!;
}
