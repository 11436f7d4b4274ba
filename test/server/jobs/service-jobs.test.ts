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

async function call(method: 'GET' | 'POST', path: string, headers: Record<string, string> = {}) {
  const response = await opened.app.inject({ method, url: `/api/v1/jobs${path}`, headers });
  return { status: response.statusCode, body: response.json() };
}

/** Starts a job over HTTP and waits for its end. */
async function runToEnd(name: string) {
  expect(await call('POST', `/${name}/run`)).toMatchObject({
    status: 202,
    body: { runningSince: NOW.toISOString() },
  });
  for (;;) {
    const { body } = await call('GET', `/${name}`);
    if (body.runningSince === null) return body.lastRun;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('jobs of the service', () => {
  test('maintenance computes levels and fills derived streams', async () => {
    const { datastream } = opened.service;
    const definition = { valueDownsamplers: ['mean'], highestGranularity: 'seconds' };
    const id = await datastream.ensureStream({ a: 1 }, definition);
    for (let i = 0; i < 60; i++)
      await datastream.append(id, i, NOW.getTime() - 3_600_000 + i * 1000);
    // Only what follows a bucket shows that it is complete, as no time passes in the test.
    await datastream.append(id, 0, NOW.getTime() - 3_420_000);
    const derived = await datastream.ensureStream(
      { a: 2 },
      { ...definition, deriveFrom: id, deriveOp: 'derivative' },
    );
    const run = await runToEnd('maintenance');
    expect(run).toMatchObject({ outcome: 'succeeded', error: null });
    expect(run.result.rowCount).toBeGreaterThan(0);
    const [minute] = await datastream.getData(id, 'minutes', { start: 0 }).toArray();
    expect(minute).toMatchObject({ v: { m: 29.5 } });
    const [derivedMinute] = await datastream.getData(derived, 'minutes', { start: 0 }).toArray();
    expect(derivedMinute).toMatchObject({ v: { m: 1 } });
  });

  test('clean-up forgets sessions that are over', async () => {
    const { state } = opened.service;
    state.sessions.insert({
      id: 'x',
      userId: 'u',
      createdAtMs: 0,
      lastSeenAtMs: 0,
      address: null,
    });
    expect(await runToEnd('cleanup')).toMatchObject({ outcome: 'succeeded' });
    expect(state.sessions.isEmpty).toBe(true);
  });

  test('are listed, paused and resumed, which the audit log tells', async () => {
    const { status, body } = await call('GET', '');
    expect(status).toBe(200);
    expect(body.jobs.map(({ name }: { name: string }) => name)).toContain('maintenance');
    expect(await call('POST', '/cleanup/pause')).toMatchObject({
      body: { pause: { since: NOW.toISOString(), by: 'local' }, nextRun: null },
    });
    const resumed = await call('POST', '/cleanup/resume');
    expect(resumed.body).toMatchObject({ pause: null, nextRun: '2026-03-01T12:17:00.000Z' });
    const { entries } = opened.service.state.audit.page({ limit: 10 });
    expect(entries.map(({ action }) => action)).toEqual(['job.resume', 'job.pause']);
    expect(await call('POST', '/sleep/run')).toMatchObject({ status: 404 });
  });

  test('are for admins', async () => {
    const { access } = opened.service;
    const by = { identity: { ...ADMIN, userId: null }, address: null };
    const user = await access.users.add({ name: 'Anna', password: null }, by);
    const { secret } = access.tokens.create(
      { userId: user.id, name: 'x', scopes: ['view'], expiresAtMs: null },
      by,
    );
    const headers = { authorization: `Bearer ${secret}` };
    expect(await call('GET', '', headers)).toMatchObject({ status: 403 });
    expect(await call('POST', '/maintenance/run', headers)).toMatchObject({ status: 403 });
    expect(await call('POST', '/maintenance/run')).toMatchObject({ status: 401 });
  });
});

const ADMIN = { kind: 'user', name: 'x', isAdmin: true, groupIds: [], scopes: null } as const;
