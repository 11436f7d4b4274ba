import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Scope } from '../../../src/server/access/identity.ts';
import { OPERATOR } from '../../../src/server/access/identity.ts';
import { openTestService, type TestService } from '../service.fixture.ts';
import { hookServer } from './receivers.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const BY = { identity: OPERATOR, address: null };
const ABOVE = { kind: 'threshold', above: 90 };

let opened: TestService;
beforeEach(async () => {
  opened = await openTestService(
    { alerts: { webhookHosts: ['hooks.example.org'], emailDomains: ['example.org'] } },
    { now: () => NOW },
  );
});
afterEach(async () => {
  await opened.close();
});

// biome-ignore lint/suspicious/noExplicitAny: JSON of many shapes
type Body = any;
type Call = (
  method: string,
  path: string,
  body?: unknown,
) => Promise<{ status: number; body: Body }>;

function caller(token: string | null): Call {
  return async (method, path, body) => {
    const response = await opened.app.inject({
      method: method as 'GET',
      url: `/api/v1/alerts${path}`,
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      ...(body !== undefined && { payload: body as object }),
    });
    return {
      status: response.statusCode,
      body: response.payload === '' ? null : response.json(),
    };
  };
}

async function user(name: string, { isAdmin = false } = {}): Promise<{ id: string; call: Call }> {
  const { access } = opened.service;
  const { id } = await access.users.add({ name, password: null, isAdmin }, BY);
  const scopes: Scope[] = ['view', 'append', 'change', 'delete', 'grant'];
  if (isAdmin) scopes.push('admin');
  const { secret } = access.tokens.create({ userId: id, name, scopes, expiresAtMs: null }, BY);
  return { id, call: caller(secret) };
}

async function streamOf(owner: string | null, tags: Record<string, string>): Promise<string> {
  const { datastream, access } = opened.service;
  const id = await datastream.ensureStream(tags, {
    valueDownsamplers: ['mean'],
    highestGranularity: 'seconds',
  });
  await datastream.append(id, 95, NOW);
  if (owner !== null) {
    access.grants.noteCreated([id], {
      identity: access.identityOf(owner)!,
      address: null,
    });
  }
  return id;
}

async function evaluate(): Promise<void> {
  await opened.service.jobs.run('alerts');
}

describe('alerts over HTTP', () => {
  test('come from rules that are made, read, changed, silenced and removed', async () => {
    const call = caller(null);
    const stream = await streamOf(null, { a: 'x' });
    const made = await call('POST', '/rules', {
      name: 'Hot',
      target: { stream },
      condition: { ...ABOVE, clear: 80, for: '0.5s' },
      destinations: [{ kind: 'log' }],
    });
    expect(made).toMatchObject({
      status: 201,
      body: { name: 'Hot', isEnabled: true, severity: 'warning', notifyResolved: true, states: {} },
    });
    const { id } = made.body;
    await evaluate();
    expect(await call('GET', '?state=pending')).toMatchObject({
      status: 200,
      body: { alerts: [{ rule: { id, name: 'Hot' }, stream, tags: { a: 'x' }, value: 95 }] },
    });
    expect((await call('GET', '?state=firing')).body).toEqual({ alerts: [] });
    const condition = { ...ABOVE, clear: 80 };
    const changed = { name: 'Hotter', severity: 'critical', target: { stream }, condition };
    expect(await call('PUT', `/rules/${id}`, changed)).toMatchObject({
      status: 200,
      body: { name: 'Hotter', destinations: [] },
    });
    await evaluate();
    expect((await call('GET', `/rules/${id}`)).body).toMatchObject({ states: { firing: 1 } });
    expect((await call('GET', `/history?rule=${id}`)).body).toMatchObject({
      events: [
        { state: 'firing', stream, at: NOW.toISOString() },
        { state: 'pending', stream },
      ],
      next: null,
    });
    const first = await call('GET', '/history?limit=1');
    const second = await call('GET', `/history?limit=1&cursor=${first.body.next}`);
    expect(second.body.events).toMatchObject([{ state: 'pending' }]);
    expect(await call('PUT', `/rules/${id}/silence`, { until: '+2h', reason: 'x' })).toMatchObject({
      body: { silences: [{ until: '2026-03-01T14:00:00.000Z', by: 'local', stream: null }] },
    });
    expect((await call('GET', '')).body.alerts[0]).toMatchObject({ isSilenced: true });
    expect(await call('DELETE', `/rules/${id}/silence`)).toMatchObject({ body: { silences: [] } });
    expect(await call('POST', `/rules/${id}/test`)).toMatchObject({ body: { destinations: [] } });
    expect((await call('GET', `/rules/${id}/deliveries`)).body).toEqual({ deliveries: [] });
    expect(await call('PATCH', `/rules/${id}`, { isEnabled: false })).toMatchObject({
      status: 200,
      body: { name: 'Hotter', isEnabled: false, states: { firing: 1 } },
    });
    await evaluate();
    expect((await call('GET', `/rules/${id}`)).body).toMatchObject({ states: {} });
    expect(await call('DELETE', `/rules/${id}`)).toMatchObject({ status: 204 });
    expect((await call('GET', '/rules')).body).toEqual({ rules: [] });
    expect((await call('GET', '')).body).toEqual({ alerts: [] });
    const { entries } = opened.service.state.audit.page({ limit: 10 });
    expect(entries.map(({ action }) => action).reverse()).toEqual([
      'alert-rule.add',
      'alert-rule.change',
      'alert-rule.silence',
      'alert-rule.unsilence',
      'alert-rule.change',
      'alert-rule.remove',
    ]);
  });

  test('refuse rules that make no sense, and say why', async () => {
    const call = caller(null);
    const stream = await streamOf(null, { a: 'x' });
    const rule = { name: 'x', target: { stream }, condition: ABOVE };
    const wrong: [object, RegExp][] = [
      [{ ...rule, name: '' }, /name/],
      [{ ...rule, condition: { kind: 'stale', after: 'soon' } }, /duration/],
      [{ ...rule, condition: { kind: 'threshold' } }, /above/],
      [{ ...rule, condition: { ...ABOVE, below: 1 } }, /above/],
      [{ ...rule, condition: { ...ABOVE, clear: 91 } }, /at most 90/],
      [{ ...rule, condition: { kind: 'threshold', below: 5, clear: 4 } }, /at least 5/],
      [{ ...rule, condition: { ...ABOVE, valueDownsampler: 'mean' } }, /raw/],
      [{ ...rule, condition: { ...ABOVE, level: 'minutes' } }, /several values/],
      [
        { ...rule, condition: { ...ABOVE, level: 'eons', valueDownsampler: 'mean' } },
        /no level "eons"/,
      ],
      [{ ...rule, condition: { ...ABOVE, level: 'minutes', valueDownsampler: 'max' } }, /"max"/],
      [{ ...rule, destinations: [{ kind: 'webhook', url: 'file:///etc/passwd' }] }, /destinations/],
      [{ ...rule, destinations: [{ kind: 'webhook', url: 'http://a:b@x/' }] }, /credentials/],
      [{ ...rule, destinations: [{ kind: 'email', to: ['nobody'] }] }, /destinations/],
      [{ ...rule, surprise: 1 }, /surprise/],
    ];
    for (const [body, message] of wrong) {
      const answer = await call('POST', '/rules', body);
      expect(answer.status).toBe(400);
      expect(answer.body.detail).toMatch(message);
    }
    const gone = { stream: '00000000-0000-4000-8000-000000000000' };
    expect(await call('POST', '/rules', { ...rule, target: gone })).toMatchObject({ status: 404 });
    expect(await call('GET', '/rules/nothing')).toMatchObject({ status: 404 });
  });

  test('show everybody the streams that he may view, and the rules that are his', async () => {
    const anna = await user('Anna');
    const bert = await user('Bert');
    const admin = await user('Admin', { isAdmin: true });
    const own = await streamOf(anna.id, { kind: 'x', of: 'anna' });
    const other = await streamOf(bert.id, { kind: 'x', of: 'bert' });
    const query = { name: 'All', target: { query: { kind: 'x' } }, condition: ABOVE };
    const { body: rule } = await anna.call('POST', '/rules', query);
    await admin.call('POST', '/rules', { ...query, name: 'Admin' });
    await evaluate();
    const streams = async ({ call }: { call: Call }): Promise<string[]> =>
      (await call('GET', '')).body.alerts.map(
        (alert: { rule: { name: string }; stream: string }) =>
          `${alert.rule.name} ${alert.stream === own ? 'anna' : 'bert'}`,
      );
    expect((await streams(anna)).sort()).toEqual(['Admin anna', 'All anna']);
    expect(await streams(bert)).toEqual(['Admin bert']);
    expect((await streams(admin)).sort()).toEqual(['Admin anna', 'Admin bert', 'All anna']);
    const events = (await bert.call('GET', '/history')).body.events;
    expect(events.map(({ stream }: { stream: string }) => stream)).toEqual([other]);
    for (const [method, path, body] of [
      ['GET', `/rules/${rule.id}`],
      ['PUT', `/rules/${rule.id}`, query],
      ['PATCH', `/rules/${rule.id}`, { isEnabled: false }],
      ['DELETE', `/rules/${rule.id}`],
      ['POST', `/rules/${rule.id}/test`],
      ['GET', `/rules/${rule.id}/deliveries`],
      ['PUT', `/rules/${rule.id}/silence`, { until: '+1h' }],
      ['DELETE', `/rules/${rule.id}/silence`],
    ] as const) {
      expect(await bert.call(method, path, body)).toMatchObject({ status: 404 });
    }
    expect((await bert.call('GET', '/rules')).body.rules).toEqual([]);
    expect((await admin.call('GET', '/rules')).body.rules).toHaveLength(2);
    const onOwn = { name: 'x', target: { stream: own }, condition: ABOVE };
    expect(await bert.call('POST', '/rules', onOwn)).toMatchObject({ status: 404 });
    expect(await caller(null)('GET', '/rules')).toMatchObject({ status: 401 });

    // A refusal would tell Bert that such a stream exists; his rule looks at none instead.
    const onAnna = { ...query, name: 'Bert', target: { query: { of: 'anna' } } };
    const onNone = { ...query, name: 'Nobody', target: { query: { of: 'nobody' } } };
    expect(await bert.call('POST', '/rules', onAnna)).toMatchObject({ status: 201 });
    expect(await bert.call('POST', '/rules', onNone)).toMatchObject({ status: 201 });
    await evaluate();
    expect((await streams(admin)).sort()).toEqual(['Admin anna', 'Admin bert', 'All anna']);
    expect(await streams(bert)).toEqual(['Admin bert']);
  });

  test('of a rule go nowhere any more where its owner, who is no admin now, may not send them', async () => {
    const hook = await hookServer();
    const admin = await user('Admin', { isAdmin: true });
    await user('Other', { isAdmin: true });
    const stream = await streamOf(admin.id, { a: 'x' });
    const rule = await admin.call('POST', '/rules', {
      name: 'x',
      target: { stream },
      condition: ABOVE,
      destinations: [{ kind: 'webhook', url: hook.url }],
    });
    expect(rule.status).toBe(201);
    const { access, alerts, datastream } = opened.service;
    await evaluate();
    await alerts.deliverDue();
    expect(hook.received).toHaveLength(1);
    access.users.update(admin.id, { isAdmin: false }, { identity: OPERATOR, address: null });
    await datastream.append(stream, 1, new Date(NOW.getTime() + 1000));
    await datastream.append(stream, 101, new Date(NOW.getTime() + 2000));
    await evaluate();
    await alerts.deliverDue();
    const events = opened.service.state.alertHistory.page({ limit: 10 }).entries;
    expect(events.map(({ state }) => state)).toEqual(['firing', 'resolved', 'firing']);
    expect(hook.received).toHaveLength(1);
  });

  test('go where admins allow it', async () => {
    const anna = await user('Anna');
    const admin = await user('Admin', { isAdmin: true });
    const stream = await streamOf(anna.id, { a: 'x' });
    const to = (destination: object): object => ({
      name: 'x',
      target: { stream },
      condition: ABOVE,
      destinations: [destination],
    });
    const allowed = [
      { kind: 'log' },
      { kind: 'webhook', url: 'https://hooks.example.org/x' },
      { kind: 'email', to: ['a@Example.org'] },
    ];
    const refused = [
      { kind: 'webhook', url: 'http://169.254.169.254/latest' },
      { kind: 'webhook', url: 'https://hooks.example.org.evil.example/' },
      { kind: 'webhook', url: 'http://hooks.example.org:6379/' },
      { kind: 'email', to: ['a@example.org', 'b@elsewhere.example'] },
    ];
    for (const destination of allowed) {
      expect(await anna.call('POST', '/rules', to(destination))).toMatchObject({ status: 201 });
    }
    for (const destination of refused) {
      expect(await anna.call('POST', '/rules', to(destination))).toMatchObject({
        status: 403,
        body: { code: 'NOT_ALLOWED', field: 'destinations.0' },
      });
      expect(await admin.call('POST', '/rules', to(destination))).toMatchObject({ status: 201 });
    }
  });

  test('of a user who is removed are raised no more', async () => {
    const anna = await user('Anna');
    await user('Admin', { isAdmin: true });
    const stream = await streamOf(anna.id, { a: 'x' });
    await anna.call('POST', '/rules', { name: 'x', target: { stream }, condition: ABOVE });
    await evaluate();
    const { state, access } = opened.service;
    expect(state.alertStates.all()).toMatchObject([{ state: 'firing' }]);
    access.users.remove(anna.id, BY);
    await evaluate();
    expect(state.alertStates.all()).toEqual([]);
    expect(state.alertRules.all()).toMatchObject([{ ownerId: null, isEnabled: false }]);
  });
});
