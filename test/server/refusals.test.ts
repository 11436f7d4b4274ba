import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openTestService, type TestService } from './service.fixture.ts';

let opened: TestService;
beforeAll(async () => {
  opened = await openTestService();
  await opened.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => opened.close());

/** What comes back for bytes that may be no request. */
function answerTo(bytes: string): Promise<string> {
  const { port } = opened.app.server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setEncoding('utf8');
    socket.on('data', (part) => {
      text += part;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
}

describe('requests that no route is for', () => {
  test.each([
    ['PUT', '/api/v1/streams', 'GET, HEAD, POST'],
    ['GET', '/api/v1/write', 'POST'],
    ['OPTIONS', '/api/v1/write?x=1', 'POST'],
    ['DELETE', '/write', 'POST'],
    ['POST', '/api/v1/streams/0d9ac6f4-0000-4000-8000-000000000000', 'DELETE, GET, HEAD, PATCH'],
    ['PATCH', '/grafana/query', 'POST'],
    ['POST', '/healthz', 'GET, HEAD'],
  ])('%s %s is told the methods that there are', async (method, url, allow) => {
    const answer = await opened.app.inject({ method: method as 'GET', url });
    expect(answer.statusCode).toBe(405);
    expect(answer.headers['allow']).toBe(allow);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.json()).toMatchObject({ status: 405, title: 'Method not allowed' });
  });

  test.each([
    ['GET', '/api/v1/nothing'],
    ['POST', '/api/v1/streams/1/2/3'],
    ['PUT', '/nothing'],
    ['GET', '/api/v1/write/'],
  ])('%s %s is nothing', async (method, url) => {
    const answer = await opened.app.inject({ method: method as 'GET', url });
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ status: 404, detail: `There is no ${method} ${url}.` });
  });
});

describe('requests that cannot be read', () => {
  test.each([
    ['an address that means nothing', 'GET /api/v1/streams/%zz HTTP/1.1', '', 400],
    ['headers without an end', 'GET / HTTP/1.1', `x: ${'a'.repeat(20_000)}\r\n`, 431],
    ['a method that nobody knows', 'FOO / HTTP/1.1', '', 400],
    ['no HTTP', '\u0016\u0003\u0001', '', 400],
  ])('are told what is wrong: %s', async (_what, line, headers, status) => {
    const text = await answerTo(`${line}\r\nhost: x\r\nconnection: close\r\n${headers}\r\n`);
    const [head, body] = text.split('\r\n\r\n') as [string, string];
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toMatch(/^content-type: application\/problem\+json/im);
    expect(JSON.parse(body)).toMatchObject({ type: 'about:blank', status });
  });
});
