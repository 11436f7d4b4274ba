import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openTestService, type TestService } from '../service.fixture.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NOW_MS = Date.parse('2026-03-10T12:00:00Z');
const DEFINITION = { valueDownsamplers: ['mean', 'count'], highestGranularity: 'seconds' };

let folder: string;
let nowMs: number;
let opened: TestService;

async function open(store: string): Promise<void> {
  nowMs = NOW_MS;
  opened = await openTestService({ store }, { now: () => new Date(nowMs) });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'datastream-statistics-'));
});
afterEach(async () => {
  await opened.close();
  rmSync(folder, { recursive: true, force: true });
});

async function get(url: string) {
  const response = await opened.app.inject(`/api/v1/statistics${url}`);
  return { status: response.statusCode, body: response.json() };
}

/** A stream with a datapoint every ten seconds of some hours until now. */
async function filled(name: string, hourCount: number): Promise<string> {
  const { datastream } = opened.service;
  const id = await datastream.ensureStream({ name }, DEFINITION);
  const count = hourCount * 360;
  const timestamps = Float64Array.from(
    { length: count },
    (_, row) => NOW_MS - (count - row) * 10_000,
  );
  await datastream.appendColumns(id, { timestamps, values: timestamps.map((_, row) => row % 97) });
  return id;
}

describe.each(['memory', 'embedded'] as const)('statistics of a store in %s', (kind) => {
  const certainty = kind === 'embedded' ? 'exact' : 'estimate';

  beforeEach(() => open(kind === 'memory' ? 'memory:' : `embedded:${folder}`));

  test('count the datapoints of each stream, and how many come', async () => {
    const { datastream } = opened.service;
    const id = await filled('a', 50);
    await datastream.downsampleStreams();
    const empty = await datastream.ensureStream({ name: 'b' }, DEFINITION);
    const { status, body } = await get('/streams');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      streams: [
        {
          stream: id,
          tags: { name: 'a' },
          datapointCount: 18_000,
          certainty,
          latestDatapoint: new Date(NOW_MS - 10_000).toISOString(),
          ratePerMinute: 6,
          owner: null,
        },
        {
          stream: empty,
          datapointCount: 0,
          certainty: 'exact',
          latestDatapoint: null,
          ratePerMinute: 0,
        },
      ],
      next: null,
    });
    const [{ sizeBytes }] = body.streams;
    if (kind === 'memory') expect(sizeBytes).toBeNull();
    else expect(sizeBytes).toBeGreaterThan(1000);
  });

  test('follow what is added, and are of the last hour', async () => {
    const { datastream } = opened.service;
    const id = await filled('a', 1);
    expect((await get('/streams')).body.streams[0]).toMatchObject({ datapointCount: 360 });
    nowMs += 30 * MINUTE_MS;
    await datastream.append(id, 1, nowMs - MINUTE_MS);
    // What was measured a moment ago is measured again when that took no time worth mentioning.
    for (;;) {
      const [stream] = (await get('/streams')).body.streams;
      expect(stream.ratePerMinute).toBeCloseTo(181 / 60, 5);
      if (stream.datapointCount === 361) break;
      expect(stream.datapointCount).toBe(360);
    }
    nowMs += 2 * HOUR_MS;
    expect((await get('/streams')).body.streams[0]).toMatchObject({ ratePerMinute: 0 });
  });

  test('come in pages, and for a search', async () => {
    const { datastream } = opened.service;
    const ids = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      ids.push(await datastream.ensureStream({ name, of: name < 'c' ? 'x' : 'y' }, DEFINITION));
    }
    const seen = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { body }: { body: { streams: { stream: string }[]; next: string | null } } = await get(
        `/streams?limit=2${cursor && `&cursor=${cursor}`}`,
      );
      expect(body.streams.length).toBeLessThanOrEqual(2);
      seen.push(...body.streams.map(({ stream }) => stream));
      cursor = body.next;
    }
    expect(seen).toEqual(ids);
    const { body } = await get('/streams?tags__of=y&q=D');
    expect(body.streams.map(({ stream }: { stream: string }) => stream)).toEqual([ids[3]]);
    expect((await get('/streams?limit=1000')).status).toBe(400);
    expect((await get('/streams?cursor=x')).status).toBe(400);
  });

  test('of the whole store are counted when somebody asks', async () => {
    await filled('a', 2);
    await filled('b', 3);
    await opened.service.datastream.downsampleStreams();
    const first = await get('');
    expect(first.body).toMatchObject({
      openedAt: new Date(NOW_MS).toISOString(),
      uptimeMs: 0,
      totals: null,
      appendedPerMinute: 0,
      eventStreamCount: 0,
    });
    await opened.service.statistics.idle();
    nowMs += MINUTE_MS;
    const { body } = await get('');
    expect(body).toMatchObject({
      uptimeMs: MINUTE_MS,
      totals: {
        streamCount: 2,
        datapointCount: 1800,
        certainty,
        countedAt: new Date(NOW_MS).toISOString(),
      },
    });
    if (kind === 'memory') expect(body.storeSizeBytes).toBeNull();
    else expect(body.storeSizeBytes).toBeGreaterThan(10_000);
  });

  test('tell what was written over HTTP in the last minute', async () => {
    const id = await filled('a', 1);
    for (const second of [0, 30]) {
      nowMs = NOW_MS + second * 1000;
      const rows = Array.from({ length: 10 }, (_, row) => ({ stream: id, v: row }));
      const payload = rows.map((row, index) => ({ ...row, t: nowMs + index * 1000 }));
      const answer = await opened.app.inject({ method: 'POST', url: '/api/v1/write', payload });
      expect(answer.json()).toMatchObject({ accepted: 10 });
    }
    expect((await get('')).body.appendedPerMinute).toBe(20);
    nowMs = NOW_MS + 75_000;
    expect((await get('')).body.appendedPerMinute).toBe(10);
    nowMs = NOW_MS + 10 * HOUR_MS;
    expect((await get('')).body.appendedPerMinute).toBe(0);
  });
});

describe('statistics of a stream that no level counts', () => {
  beforeEach(() => open('memory:'));

  test.each([
    { rowCount: 100_000, certainty: 'exact' },
    { rowCount: 150_000, certainty: 'atLeast' },
  ])('of $rowCount datapoints are $certainty', async ({ rowCount, certainty }) => {
    const { datastream } = opened.service;
    const definition = { valueDownsamplers: [], highestGranularity: 'seconds' };
    const id = await datastream.ensureStream({ name: 'a' }, definition);
    const timestamps = Float64Array.from({ length: rowCount }, (_, row) => NOW_MS + row * 1000);
    await datastream.appendColumns(id, { timestamps, values: timestamps });
    expect((await get('/streams')).body.streams).toMatchObject([
      { datapointCount: 100_000, certainty },
    ]);
    await get('');
    await opened.service.statistics.idle();
    expect((await get('')).body.totals).toMatchObject({ datapointCount: 100_000, certainty });
  });
});
