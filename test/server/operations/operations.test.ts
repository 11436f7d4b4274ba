import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { buildApp } from '../../../src/server/app.ts';
import { serviceConfigSchema } from '../../../src/server/config/service-config.ts';
import { closeApp } from '../../../src/server/operations/closing.ts';
import { assertMayListen } from '../../../src/server/operations/listening.ts';
import { openService } from '../../../src/server/service.ts';
import { openTestService, type TestService } from '../service.fixture.ts';

let opened: TestService;
beforeEach(async () => {
  opened = await openTestService();
});
afterEach(async () => {
  await opened.close();
});

async function get(url: string) {
  const { statusCode, payload, headers } = await opened.app.inject(url);
  return { status: statusCode, text: payload, headers };
}

describe('supervision', () => {
  test('healthz answers while the process lives, readyz while the stores do', async () => {
    expect(await get('/healthz')).toMatchObject({ status: 200, text: '{"status":"ok"}' });
    const ready = await get('/readyz');
    expect(ready.status).toBe(200);
    expect(ready.headers['cache-control']).toBe('no-store');
    await opened.service.datastream.close();
    const failing = await get('/readyz');
    expect(failing.status).toBe(503);
    expect(JSON.parse(failing.text)).toEqual({
      status: 'failing',
      checks: { store: 'failing', state: 'ok', running: 'ok' },
    });
    const { status, text } = await get('/api/v1/streams');
    expect({ status, ...JSON.parse(text) }).toEqual({
      status: 503,
      type: 'about:blank',
      title: 'Not available',
      detail: 'The store cannot do this now; the log of the service says why.',
      code: 'BACKEND_CLOSED',
    });
    expect((await get('/healthz')).status).toBe(200);
  });

  test('a service that is to end is not ready', async () => {
    opened.service.end();
    expect(await get('/readyz')).toMatchObject({ status: 503 });
  });

  test('metrics count requests by route, datapoints by protocol, jobs and streams', async () => {
    const { metrics, datastream, jobs } = opened.service;
    const id = await datastream.ensureStream(
      { a: 1 },
      { valueDownsamplers: [], highestGranularity: 'seconds' },
    );
    await get(`/api/v1/streams/${id}`);
    await get('/nobody/knows/this');
    metrics.noteIngest('line', { accepted: 5, duplicate: 0, dropped: 2 });
    metrics.noteEventStreamOpened();
    await jobs.run('cleanup');
    const { text, headers } = await get('/metrics');
    expect(headers['content-type']).toMatch(/^text\/plain; version=/);
    expect(text).toContain(
      'datastream_http_request_duration_seconds_count{method="GET",route="/api/v1/streams/:id",status="200"} 1',
    );
    expect(text).toMatch(/_count\{method="GET",route="[^"]*",status="404"\} 1/);
    expect(text).not.toContain('nobody');
    expect(text).toContain(
      'datastream_ingest_datapoints_total{protocol="line",result="accepted"} 5',
    );
    expect(text).toContain(
      'datastream_ingest_datapoints_total{protocol="line",result="dropped"} 2',
    );
    expect(text).toContain('\ndatastream_event_streams 1');
    expect(text).toContain('job="cleanup",outcome="succeeded"} 1');
    expect(text).toContain('\ndatastream_streams 1');
    await datastream.close();
    expect((await get('/metrics')).text).not.toContain('\ndatastream_streams ');
  });

  test('metrics are for whoever is signed in, unless they are public', async () => {
    for (const [publicMetrics, status] of [
      [false, 401],
      [true, 200],
    ] as const) {
      const other = await openTestService({ access: { publicMetrics } });
      expect((await other.app.inject('/metrics')).statusCode).toBe(status);
      expect((await other.app.inject('/healthz')).statusCode).toBe(200);
      await other.close();
    }
  });
});

describe('the log', () => {
  test('has one line for a request, without its query', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
    const app = await buildApp(opened.service, { logger: log as never });
    await app.inject({
      url: '/api/v1/streams?u=anna&p=hunter2secret',
      headers: { authorization: 'Bearer verysecret' },
    });
    await app.inject('/healthz');
    await app.close();
    const requests = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request');
    expect(requests).toMatchObject([
      { method: 'GET', path: '/api/v1/streams', msg: 'request', address: '127.0.0.1' },
    ]);
    expect(lines.join('')).not.toMatch(/secret/);
  });
});

/** Whether there is a success at the address. */
async function isAnswered(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

describe('listening', () => {
  const config = (host: string) => serviceConfigSchema.parse({ host });

  test('beyond this host is refused without users', () => {
    for (const host of ['127.0.0.1', 'localhost', '::1', '127.1.2.3']) {
      assertMayListen(config(host), { hasUsers: false });
    }
    for (const host of ['0.0.0.0', '::', '192.0.2.7', 'example.org', '']) {
      expect(() => assertMayListen(config(host), { hasUsers: false })).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID' }),
      );
      assertMayListen(config(host), { hasUsers: true });
    }
  });

  test('of Graphite beyond this host is refused without users, too', () => {
    const config = (graphiteHost: string, graphitePort: number | null) =>
      serviceConfigSchema.parse({ ingest: { graphiteHost, graphitePort } });
    assertMayListen(config('127.0.0.1', 2003), { hasUsers: false });
    assertMayListen(config('0.0.0.0', null), { hasUsers: false });
    for (const host of ['0.0.0.0', '::', 'example.org']) {
      expect(() => assertMayListen(config(host, 2003), { hasUsers: false })).toThrow(
        `ingest.graphiteHost: "${host}" can be reached from elsewhere, and there is no user yet`,
      );
      assertMayListen(config(host, 2003), { hasUsers: true });
    }
  });

  test('ends after the requests under way, and after a time without them', async () => {
    const { service } = opened;
    const app = await buildApp(service);
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let arrived: () => void = () => {};
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    app.get('/slow', { config: { access: 'public' } }, async () => {
      arrived();
      await held;
      return 'done';
    });
    const address = await app.listen({ host: '127.0.0.1', port: 0 });
    const answer = fetch(`${address}/slow`);
    await arrival;
    const closed = closeApp(app, 60_000);
    while (await isAnswered(`${address}/healthz`)) await nextTurn();
    release();
    expect(await (await answer).text()).toBe('done');
    await closed;

    const endless = await buildApp(service);
    const begun = new Promise<void>((resolve) => {
      endless.get('/never', { config: { access: 'public' } }, () => {
        resolve();
        return new Promise(() => {});
      });
    });
    const { port } = new URL(await endless.listen({ host: '127.0.0.1', port: 0 }));
    const socket = connect(Number(port), '127.0.0.1').resume();
    socket.write('GET /never HTTP/1.1\r\nhost: x\r\n\r\n');
    await begun;
    const ended = once(socket, 'close');
    await closeApp(endless, 50);
    await ended;
  });

  test('with a certificate that is none is refused', async () => {
    const tls = { certificate: 'package.json', key: '/nowhere' };
    const service = await openService(serviceConfigSchema.parse({ store: 'memory:', tls }));
    await expect(buildApp(service)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('tls.key: cannot read /nowhere'),
    });
    await service.close();
  });
});
