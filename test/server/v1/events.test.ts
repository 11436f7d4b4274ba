import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Frames } from '../event-frames.fixture.ts';
import { openTestService, type TestService } from '../service.fixture.ts';

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
