import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openTestService, type TestService } from '../service.fixture.ts';

const PASSWORD = 'correct horse battery';

let opened: TestService;
beforeEach(async () => {
  opened = await openTestService({ access: { mode: 'users' } });
});
afterEach(async () => {
  await opened.close();
});

async function setUp(): Promise<{ cookie: string; csrfToken: string }> {
  const token = opened.service.access.setupLink.issue();
  const answer = await opened.app.inject({
    method: 'POST',
    url: '/api/v1/setup',
    payload: { token, name: 'ada', password: PASSWORD },
  });
  expect(answer.statusCode).toBe(200);
  const [cookie] = answer.cookies;
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
  return { cookie: `${cookie!.name}=${cookie!.value}`, csrfToken: answer.json().csrfToken };
}

describe('sessions over HTTP', () => {
  test('the link of the first start makes an admin, once', async () => {
    const before = await opened.app.inject('/api/v1/session');
    expect(before.json()).toMatchObject({ needsSetup: true, user: null });
    const { cookie } = await setUp();
    const after = await opened.app.inject({ url: '/api/v1/session', headers: { cookie } });
    expect(after.json()).toMatchObject({ needsSetup: false, user: { name: 'ada', isAdmin: true } });
    expect(opened.service.access.setupLink.issue()).toBeNull();
  });

  test('nobody reads or writes without one, and no change is made without its token', async () => {
    const { cookie, csrfToken } = await setUp();
    const streams = '/api/v1/streams';
    expect((await opened.app.inject(streams)).statusCode).toBe(401);
    expect((await opened.app.inject({ url: streams, headers: { cookie } })).statusCode).toBe(200);
    const create = { method: 'POST' as const, url: streams, payload: { query: { a: 'b' } } };
    expect((await opened.app.inject({ ...create, headers: { cookie } })).statusCode).toBe(403);
    const headers = { cookie, 'x-csrf-token': csrfToken };
    expect((await opened.app.inject({ ...create, headers })).statusCode).toBe(201);
  });

  test('a browser logs in and out', async () => {
    await setUp();
    const login = (password: string) =>
      opened.app.inject({
        method: 'POST',
        url: '/api/v1/session',
        payload: { name: 'ada', password },
      });
    expect((await login('wrong password')).statusCode).toBe(401);
    const answer = await login(PASSWORD);
    const [held] = answer.cookies;
    const cookie = `${held!.name}=${held!.value}`;
    const headers = { cookie, 'x-csrf-token': answer.json().csrfToken };
    const out = { method: 'DELETE' as const, url: '/api/v1/session' };
    expect((await opened.app.inject({ ...out, headers: { cookie } })).statusCode).toBe(403);
    expect((await opened.app.inject({ ...out, headers })).statusCode).toBe(204);
    const after = await opened.app.inject({ url: '/api/v1/session', headers: { cookie } });
    expect(after.json().user).toBeNull();
  });
});
