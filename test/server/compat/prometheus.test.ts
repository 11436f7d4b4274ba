import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compress } from 'snappyjs';
import { message } from '../ingest/remote-write.fixture.ts';
import { openTestService, type TestService } from '../service.fixture.ts';

const URL = '/api/v1/prom/write';
const HEADERS = {
  'content-type': 'application/x-protobuf',
  'content-encoding': 'snappy',
  'x-prometheus-remote-write-version': '0.1.0',
};
const NOW_MS = Date.parse('2026-01-01T00:00:00Z');
const COUNTER = 1;

let opened: TestService;
beforeEach(async () => {
  opened = await openTestService();
});
afterEach(async () => {
  await opened.close();
});

function write(payload: Buffer, headers: Record<string, string> = HEADERS) {
  return opened.app.inject({ method: 'POST', url: URL, payload, headers });
}

const up = (...samples: readonly (readonly [number, number])[]) => ({
  labels: [
    ['__name__', 'up'],
    ['job', 'a'],
  ] as const,
  samples,
});

async function rowsOf(tags: Record<string, string>): Promise<unknown[]> {
  const { datastream } = opened.service;
  const [stream] = await datastream.findStreams(tags).toArray();
  if (stream === undefined) return [];
  const data = datastream.getData(stream.id, stream.highestGranularity, { start: 0 });
  return (await data.toArray()).map(({ t, v }) => [t.getTime(), v]);
}

describe('Prometheus remote write', () => {
  test('stores samples, and a repeat of the request changes nothing', async () => {
    const body = compress(message([up([1, NOW_MS], [0, NOW_MS + 15_000])]));
    for (let count = 0; count < 2; count++) {
      const answer = await write(body);
      expect([answer.statusCode, answer.payload]).toEqual([204, '']);
    }
    expect(await rowsOf({ metric: 'up', job: 'a' })).toEqual([
      [NOW_MS, 1],
      [NOW_MS + 15_000, 0],
    ]);
  });

  test('remembers from request to request what is a counter, and derives its rate', async () => {
    expect((await write(compress(message([], [['http_requests', COUNTER]])))).statusCode).toBe(204);
    const labels = [['__name__', 'http_requests_total']] as const;
    const samples = [
      [5, NOW_MS],
      [65, NOW_MS + 60_000],
    ] as const;
    expect((await write(compress(message([{ labels, samples }])))).statusCode).toBe(204);
    const streams = await opened.service.datastream.findStreams().toArray();
    expect(streams.map(({ derivedFrom }) => derivedFrom?.op ?? null)).toContain(
      'counter_derivative',
    );
  });

  test('refuses what cannot be stored for good, so that it is not sent again, and stores the rest', async () => {
    const infinite = {
      labels: [['__name__', 'bad']] as const,
      samples: [[Number.POSITIVE_INFINITY, NOW_MS]] as const,
    };
    const answer = await write(compress(message([up([1, NOW_MS]), infinite])));
    expect(answer.statusCode).toBe(400);
    expect(answer.payload).toMatch(/^time series 2: .* dropped=1 accepted=1\n$/);
    expect(await rowsOf({ metric: 'up' })).toEqual([[NOW_MS, 1]]);
    const broken = await write(Buffer.from('not snappy'));
    expect(broken.statusCode).toBe(400);
    expect(broken.payload).toMatch(/cannot be read/);
  });

  test('takes nothing but its own protocol', async () => {
    const body = compress(message([up([1, NOW_MS])]));
    const others = [
      { ...HEADERS, 'content-encoding': 'gzip' },
      { ...HEADERS, 'content-type': 'application/json' },
      {
        ...HEADERS,
        'content-type': 'application/x-protobuf;proto=io.prometheus.write.v2.Request',
      },
    ];
    for (const headers of others) expect((await write(body, headers)).statusCode).toBe(415);
    const named = {
      ...HEADERS,
      'content-type': 'application/x-protobuf; proto=prometheus.WriteRequest',
    };
    expect((await write(body, named)).statusCode).toBe(204);
  });

  test('a store that is away for now is a reason to send again', async () => {
    await opened.service.datastream.close();
    const answer = await write(compress(message([up([1, NOW_MS])])));
    expect(answer.statusCode).toBe(503);
  });

  test('too large a body is refused for good', async () => {
    const small = await openTestService({ limits: { bodyBytes: 1024 } });
    try {
      const headers = HEADERS;
      const all = { method: 'POST', url: URL, headers } as const;
      const large = await small.app.inject({ ...all, payload: Buffer.alloc(2000) });
      expect(large.statusCode).toBe(413);
      // A few bytes that stand for more than is taken.
      const bomb = await small.app.inject({ ...all, payload: compress(Buffer.alloc(1_000_000)) });
      expect(bomb.statusCode).toBeGreaterThanOrEqual(400);
      expect(bomb.statusCode).toBeLessThan(500);
    } finally {
      await small.close();
    }
  });

  test('no bytes at all make it fail', async () => {
    const whole = compress(message([up([1, NOW_MS])]));
    const broken = fc
      .tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }))
      .map(([at, byte]) => Buffer.from(whole).fill(byte, at, at + 1));
    const odd = fc.oneof(
      broken,
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => compress(Buffer.from(bytes))),
    );
    await fc.assert(
      fc.asyncProperty(odd, async (payload) => {
        expect((await write(payload)).statusCode).toBeLessThan(500);
      }),
      { numRuns: 300 },
    );
  });
});
