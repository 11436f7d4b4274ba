import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { addPerson, WITH_USERS } from './compat/people.ts';
import { openTestService, type TestService } from './service.fixture.ts';

let opened: TestService;
afterEach(() => opened.close());

const LOGIN = { name: 'ada', password: 'long enough, and odd' };

async function open(settings: Record<string, unknown> = {}): Promise<void> {
  opened = await openTestService({ ...WITH_USERS, ...settings });
}

/** What comes back for bytes on a connection of their own, until it ends. */
async function raw(bytes: string): Promise<string> {
  await opened.app.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect((opened.app.server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(bytes);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(socket, 'close');
  return text;
}

/** The address that somebody comes from, as the log of changes has it. */
async function addressOf(headers: Record<string, string>): Promise<unknown> {
  const { app, service } = opened;
  await app.inject({ method: 'POST', url: '/api/v1/session', headers, payload: LOGIN });
  return service.access.audit.page({ limit: 1 }).entries[0]!.actor.address;
}

describe('every answer', () => {
  test('says what browsers may do with it', async () => {
    await open();
    const { app, service } = opened;
    await addPerson(service, 'ada', { isAdmin: true });
    for (const [method, url, status] of [
      ['GET', '/healthz', 200],
      ['GET', '/', 200],
      ['GET', '/api/v1/session', 200],
      ['GET', '/api/v1/streams', 401],
      ['POST', '/api/v1/session', 415],
      ['GET', '/api/v1/nothing', 404],
      ['GET', '/%zz', 400],
      ['GET', `/api/v1/streams/${'a'.repeat(300)}`, 404],
    ] as const) {
      const answer = await app.inject({
        method,
        url,
        payload: 'x',
        headers: { 'content-type': 'x/y' },
      });
      expect([url, answer.statusCode]).toEqual([url, status]);
      expect(answer.headers).toMatchObject({
        'content-security-policy': expect.stringContaining("default-src 'none'"),
        'x-content-type-options': 'nosniff',
        'cache-control': url === '/' ? 'no-cache' : 'no-store',
      });
      if (status < 400) continue;
      expect(answer.headers['content-type']).toBe('application/problem+json');
      expect(answer.json()).toMatchObject({ type: 'about:blank', status });
    }
  });

  test('also that to too many requests', async () => {
    await open({ limits: { requestsPerMinute: 1 } });
    await opened.app.inject('/healthz');
    const { statusCode, headers } = await opened.app.inject('/healthz');
    expect([statusCode, headers['x-content-type-options']]).toEqual([429, 'nosniff']);
  });

  test('also that to what is no request', async () => {
    await open();
    const text = await raw('HELLO\r\n\r\n');
    const [head, body] = text.split('\r\n\r\n');
    expect(head).toContain('HTTP/1.1 400 Bad request');
    expect(head).toContain('content-type: application/problem+json');
    expect(head).toContain('x-content-type-options: nosniff');
    expect(JSON.parse(body!)).toMatchObject({ status: 400, title: 'Bad request' });
  });

  test('lets pages from elsewhere read where it says so, refusals too, and nowhere else', async () => {
    await open();
    await addPerson(opened.service, 'ada', { isAdmin: true });
    const headersOf = async (url: string) => {
      const { headers } = await opened.app.inject({ url, headers: { origin: 'http://evil.test' } });
      return [headers['access-control-allow-origin'], headers['access-control-max-age']];
    };
    expect(await headersOf('/api/v1/stream/')).toEqual(['*', '3600']);
    for (const url of [
      '/api/v1/streams',
      '/api/v1/session',
      '/grafana/',
      '/openorg/',
      '/healthz',
    ]) {
      expect([url, ...(await headersOf(url))]).toEqual([url, undefined, undefined]);
    }
  });
});

describe('a request', () => {
  test('that does not come to its end is ended', async () => {
    await open({ limits: { requestTime: '100ms' } });
    const text = await raw(
      'POST /api/v1/session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
    );
    expect(text).toContain('HTTP/1.1 408 ');
  });

  test('through a proxy comes from where that proxy has seen it, whatever was written before', async () => {
    const forged = { 'x-forwarded-for': '6.6.6.6, 7.7.7.7' };
    await open({ trustProxy: true });
    await addPerson(opened.service, 'ada');
    expect(await addressOf(forged)).toBe('7.7.7.7');
    await opened.close();
    await open();
    await addPerson(opened.service, 'ada');
    expect(await addressOf(forged)).toBe('127.0.0.1');
  });

  test('through several proxies comes from the first address that is none of them', async () => {
    await open({ trustProxy: ['127.0.0.1', '10.0.0.0/8'] });
    await addPerson(opened.service, 'ada');
    const chain = { 'x-forwarded-for': '6.6.6.6, 7.7.7.7, 10.1.2.3' };
    expect(await addressOf(chain)).toBe('7.7.7.7');
  });
});

describe('behind a proxy that speaks TLS', () => {
  test('cookies are for TLS alone, and browsers stay with it, whatever the proxy says', async () => {
    await open({ publicUrl: 'https://data.example.org' });
    await addPerson(opened.service, 'ada');
    const { app } = opened;
    const login = await app.inject({ method: 'POST', url: '/api/v1/session', payload: LOGIN });
    const [cookie] = login.cookies;
    expect(cookie).toMatchObject({
      name: '__Host-datastream',
      secure: true,
      httpOnly: true,
      sameSite: 'Lax',
    });
    expect(login.headers['strict-transport-security']).toContain('max-age=');
    const cookies = { [cookie!.name]: cookie!.value };
    expect((await app.inject({ url: '/api/v1/session', cookies })).json().user.name).toBe('ada');
  });
});
