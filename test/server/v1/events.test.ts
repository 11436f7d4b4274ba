import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openTestService, type TestService } from '../service.fixture.ts';
import { Frames } from './frames.ts';

const BASE_MS = Date.UTC(2024, 0, 1);

let served: TestService;
let address: string;
let a: string;
let b: string;

beforeEach(async () => {
  served = await openTestService({ live: { heartbeat: '50ms' } });
  address = await served.app.listen({ port: 0, host: '127.0.0.1' });
  const ensure = (name: string): Promise<string> =>
    served.service.datastream.ensureStream(
      { name },
      { valueDownsamplers: ['mean'], highestGranularity: 'seconds', tags: { site: name } },
    );
  a = await ensure('a');
  b = await ensure('b');
});

afterEach(() => served.close());

const turn = (): Promise<void> => sleep(5);

async function follow(
  parameters: string,
  headers: Record<string, string> = {},
): Promise<{ readonly response: Response; readonly frames: Frames }> {
  const response = await fetch(`${address}/api/v1/events?${parameters}`, { headers });
  return { response, frames: new Frames(response) };
}

test('events come as they happen, and go on behind the last one that is known', async () => {
  const { datastream } = served.service;
  const { response, frames } = await follow(`streams=${a}`, { 'accept-encoding': 'gzip' });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(response.headers.get('content-encoding')).toBeNull();
  // Proxies hold nothing back, and change nothing.
  expect(response.headers.get('x-accel-buffering')).toBe('no');
  expect(response.headers.get('cache-control')).toBe('no-store, no-transform');
  expect(await frames.next()).toMatchObject({
    event: 'ready',
    data: { streams: [{ streamId: a, position: { latest: null, count: 0, edits: 0 } }] },
  });
  await datastream.append(b, 1, BASE_MS);
  await datastream.append(a, 1, BASE_MS);
  const first = await frames.next();
  expect(first).toMatchObject({
    event: 'appended',
    data: { kind: 'appended', streamId: a, timestamps: [BASE_MS], values: [1] },
  });
  await frames.cancel();
  while (served.service.live.counts.readers > 0)
    await new Promise((resolve) => setTimeout(resolve, 5));
  await datastream.append(a, 2, BASE_MS + 1000);
  const again = await follow(`streams=${a}`, { 'last-event-id': String(first!.id) });
  expect(await again.frames.next()).toMatchObject({ event: 'appended', data: { values: [2] } });
  const late = await follow(`streams=${a}&after=1&positions=false`);
  expect(await late.frames.next()).toMatchObject({ event: 'reset', data: { streams: [] } });
  await again.frames.cancel();
  await late.frames.cancel();
});

test('streams are chosen by their tags', async () => {
  const { datastream } = served.service;
  await datastream.append(a, 1, BASE_MS);
  const { frames } = await follow('tags__site__in=b,c&positions=false');
  await frames.next();
  await datastream.updateTags(a, { site: 'c' });
  expect(await frames.next()).toMatchObject({ event: 'created', data: { streamId: a } });
  await datastream.append(b, 1, BASE_MS);
  expect(await frames.next()).toMatchObject({ event: 'appended', data: { streamId: b } });
  await frames.cancel();
});

test('where nothing happens there are signs of life that are no events', async () => {
  const response = await fetch(`${address}/api/v1/events`);
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  let text = '';
  while (!/\n\n:\nid: \d+\n\n:\nid: \d+\n\n/.test(text)) {
    const { value } = await reader.read();
    text += decoder.decode(value, { stream: true });
  }
  expect(text.match(/^event: .*$/gm)).toEqual(['event: ready']);
  await reader.cancel();
});

test('readers that go without a word are gone', async () => {
  const { live } = served.service;
  const { port } = new URL(address);
  for (let round = 0; round < 2; round++) {
    const sockets = Array.from({ length: 200 }, () => {
      const socket = connect(Number(port), '127.0.0.1').on('error', () => {});
      socket.write('GET /api/v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
      return socket.resume();
    });
    while (live.counts.readers < sockets.length) await turn();
    for (const socket of sockets) socket.resetAndDestroy();
    while (live.counts.readers > 0) await turn();
  }
  expect((await served.app.inject('/metrics')).payload).toMatch(/^datastream_event_streams 0$/m);
});

test('a reader who takes nothing for long is told to read again, and goes on from there', async () => {
  await served.close();
  served = await openTestService({ live: { waitingEvents: 5 } });
  address = await served.app.listen({ port: 0, host: '127.0.0.1' });
  const { datastream } = served.service;
  const id = await datastream.ensureStream(
    { name: 'a' },
    { valueDownsamplers: [], highestGranularity: 'seconds' },
  );
  const { frames: quick } = await follow('');
  await quick.next();
  const socket = connect(Number(new URL(address).port), '127.0.0.1');
  socket.write('GET /api/v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
  await once(socket, 'data');
  socket.pause();
  const rowCount = 4000;
  const values = Float64Array.from({ length: rowCount }, (_, row) => row / 7);
  // More than buffers of the system hold.
  const partCount = 150;
  for (let part = 0; part < partCount; part++) {
    const fromMs = BASE_MS + part * rowCount * 1000;
    const timestamps = Float64Array.from({ length: rowCount }, (_, row) => fromMs + row * 1000);
    await datastream.appendColumns(id, { timestamps, values });
    expect(await quick.next()).toMatchObject({ event: 'appended' });
  }
  let text = '';
  socket.on('data', (bytes) => {
    text += String(bytes);
  });
  socket.resume();
  while (!/event: reset\ndata: .*\n\n/.test(text)) await once(socket, 'data');
  const reset = text.slice(text.indexOf('event: reset'));
  const latest = new Date(BASE_MS + (partCount * rowCount - 1) * 1000);
  expect(reset).toContain(`"latest":"${latest.toISOString().replace('.000', '')}"`);
  expect(text.match(/^event: appended$/gm)!.length).toBeLessThan(partCount);
  await datastream.append(id, 1, latest.getTime() + 1000);
  while (!/event: appended\n/.test(text.slice(text.indexOf('event: reset')))) {
    await once(socket, 'data');
  }
  socket.destroy();
  await quick.cancel();
}, 120_000);

test('a service that ends ends its event streams', async () => {
  const { frames } = await follow('');
  expect((await frames.next())!.event).toBe('ready');
  served.service.end();
  expect(await frames.next()).toBeNull();
});

test('what cannot be is refused', async () => {
  for (const [parameters, headers] of [
    ['after=-1', {}],
    ['positions=perhaps', {}],
    ['', { 'last-event-id': 'yesterday' }],
  ] as const) {
    const response = await served.app.inject({ url: `/api/v1/events?${parameters}`, headers });
    expect(response.statusCode).toBe(400);
  }
});
