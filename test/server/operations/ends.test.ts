import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Datastream } from '../../../src/api/datastream.ts';
import { openBackend } from '../../../src/backends/open-backend.ts';
import { type ServiceProcess, startService } from './service-process.ts';

const BASE_MS = Date.UTC(2026, 0, 1);
const OPEN = ['access.mode=open', 'log=error'];

let folder: string;
let store: string;
let url: string;
const services: ServiceProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'datastream-service-'));
  store = join(folder, 'store');
  url = `embedded:${store}`;
});
afterEach(async () => {
  for (const { child } of services.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

async function started(settings: readonly string[] = OPEN): Promise<ServiceProcess> {
  const service = await startService(url, settings);
  services.push(service);
  return service;
}

async function write(address: string, name: string, count: number): Promise<void> {
  const rows = Array.from({ length: count }, (_, row) => row);
  const timestamps = rows.map((row) => BASE_MS + row * 1000);
  const answer = await fetch(`${address}/api/v1/write`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ tags: { name }, timestamps, values: rows }),
  });
  expect(await answer.json()).toMatchObject({ accepted: count });
}

/** A request that never becomes whole, as soon as the service has begun to read it. */
async function stuckRequest(address: string): Promise<void> {
  const socket = connect(Number(new URL(address).port), '127.0.0.1').on('error', () => {});
  socket.write('POST /api/v1/write HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000\r\n');
  socket.write('content-type: application/json\r\nexpect: 100-continue\r\n\r\n');
  const [told] = await once(socket, 'data');
  expect(String(told)).toMatch(/^HTTP\/1\.1 100 /);
  socket.write('[');
}

describe('a service process ends without an error, and loses nothing', () => {
  test('whatever holds it: event streams, idle and stuck connections, a job', async () => {
    const service = await started([...OPEN, 'shutdown=1s', 'jobs.maintenance.enabled=false']);
    const { address } = service;
    for (let n = 0; n < 5; n++) await write(address, `s${n}`, 20_000);
    const readers = Array.from({ length: 20 }, async () => {
      const answer = await fetch(`${address}/api/v1/events`);
      return { status: answer.status, text: answer.text() };
    });
    const opened = await Promise.all(readers);
    const agent = new Agent({ keepAlive: true });
    const [answer] = await once(get(`${address}/healthz`, { agent }), 'response');
    answer.resume();
    await stuckRequest(address);
    await fetch(`${address}/api/v1/jobs/maintenance/run`, { method: 'POST' });
    expect(await service.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(service.errors()).toBe('');
    for (const { status, text } of opened) {
      expect(status).toBe(200);
      expect(await text).toMatch(/^retry: \d+\n\nid: \d+\nevent: ready\n/);
    }
    agent.destroy();
    const datastream = new Datastream(await openBackend(url));
    for await (const { id, highestGranularity } of datastream.findStreams()) {
      const data = datastream.getData(id, highestGranularity, { start: BASE_MS });
      expect(await data.count()).toBe(20_000);
    }
    await datastream.downsampleStreams();
    expect((await datastream.verify()).differenceCount).toBe(0);
    await datastream.close();
  });

  test('with a long answer that somebody takes to its end', async () => {
    const service = await started([...OPEN, 'shutdown=60s']);
    await write(service.address, 'long', 300_000);
    const listed = await fetch(`${service.address}/api/v1/streams`);
    const { streams } = (await listed.json()) as { streams: { id: string }[] };
    const answer = await fetch(
      `${service.address}/api/v1/streams/${streams[0]!.id}/data?format=ndjson`,
    );
    const ended = service.end('SIGTERM');
    const text = await answer.text();
    expect(text.match(/\n/g)).toHaveLength(300_000);
    expect(await ended).toEqual({ code: 0, signal: null });
  });

  test('at once at the second signal, which its exit code tells', async () => {
    const service = await started([...OPEN, 'shutdown=1h']);
    await write(service.address, 'kept', 10);
    await stuckRequest(service.address);
    const first = service.end('SIGTERM');
    // It has begun to end when it takes no more connections.
    while (await fetch(`${service.address}/healthz`).catch(() => null));
    service.child.kill('SIGTERM');
    expect(await first).toEqual({ code: 130, signal: null });
    const datastream = new Datastream(await openBackend(url));
    const stream = await datastream.findStreams({ name: 'kept' }).at(0);
    expect(stream!.latestDatapoint).toEqual(new Date(BASE_MS + 9000));
    await datastream.close();
  });
});

describe('a service process says why it does not start', () => {
  const reasonOf = async (settings: readonly string[]): Promise<string> =>
    started(settings).then(
      () => 'it started',
      (error: Error) => error.message,
    );

  test('where something listens already', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const taken = `cannot listen on 127.0.0.1, port ${port}: something listens there already`;
    expect(await reasonOf([...OPEN, `ingest.graphitePort=${port}`])).toContain(
      `datastream: ingest.graphiteHost, ingest.graphitePort: ${taken}`,
    );
    other.close();
  });

  test('where a setting is misspelt', async () => {
    expect(await reasonOf(['acess.mode=open'])).toContain('There is no setting "acess.mode".');
  });

  test('where the store or the state is damaged', async () => {
    await (await started()).end('SIGTERM');
    const state = join(store, 'service', 'service.lmdb');
    const whole = await readFile(state);
    await writeFile(state, Buffer.alloc(whole.length, 0xab));
    expect(await reasonOf(OPEN)).toContain('Cannot open the state of the service');
    await writeFile(state, whole);
    const data = join(store, 'data.mdb');
    await writeFile(data, Buffer.alloc((await readFile(data)).length, 0xab));
    expect(await reasonOf(OPEN)).toContain(`Cannot open the store ${store}`);
    expect(await readdir(folder)).toEqual(['store']);
  });

  test('where the store is no folder', async () => {
    await appendFile(store, 'x');
    expect(await reasonOf([...OPEN, `state=${join(folder, 'state')}`])).toContain(
      `Cannot open the store ${store}`,
    );
  });
});
