import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openTestService, type TestService } from '../service.fixture.ts';

let opened: TestService;
beforeEach(async () => {
  opened = await openTestService();
});
afterEach(async () => {
  await opened.close();
});

function post(
  url: string,
  payload: string | Buffer,
  headers: Record<string, string> = { 'content-type': 'application/json' },
) {
  return opened.app.inject({ method: 'POST', url: `/api/v1${url}`, payload, headers });
}

const ROWS = [
  { tags: { m: 'a' }, t: '2026-01-01T00:00:00Z', v: 1 },
  { tags: { m: 'b' }, timestamps: [1767225600000, 1767225601000], values: [2, null] },
];

describe('writing over HTTP', () => {
  test('takes JSON, and the same once more as duplicates', async () => {
    const first = await post('/write', JSON.stringify(ROWS));
    expect(first.json()).toEqual({
      accepted: 3,
      duplicate: 0,
      dropped: 0,
      last: '2026-01-01T00:00:01.000Z',
      problems: [],
    });
    const again = await post('/write', JSON.stringify(ROWS));
    expect(again.json()).toMatchObject({ accepted: 0, duplicate: 3, dropped: 0 });
  });

  test('tells what is wrong with a datapoint, and stores the others', async () => {
    const lines = '{"tags":{"m":"a"},"t":1,"v":1}\n{"tags":{"m":"a"},"t":"x","v":2}\nnot json\n';
    const answer = await post('/write', lines, { 'content-type': 'application/x-ndjson' });
    expect(answer.json()).toMatchObject({
      accepted: 1,
      dropped: 2,
      problems: [{ line: 2 }, { line: 3 }],
    });
    const strict = await post('/write?strict', lines.replace('"t":1', '"t":5'), {
      'content-type': 'application/x-ndjson',
    });
    expect(strict.statusCode).toBe(400);
    expect(strict.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(strict.json()).toMatchObject({
      status: 400,
      detail: expect.stringMatching(/^Nothing is stored, at line 2: "x" is not a timestamp/),
      accepted: 0,
      dropped: 3,
      problems: [{ line: 2 }, { line: 3 }],
    });
  });

  test('takes CSV of one stream, compressed', async () => {
    await post('/write', JSON.stringify(ROWS));
    const [stream] = await opened.service.datastream.findStreams({ m: 'a' }).toArray();
    const answer = await post(
      `/streams/${stream!.id}/data`,
      gzipSync('timestamp,value\n2026-01-02T00:00:00Z,5\n'),
      { 'content-type': 'text/csv', 'content-encoding': 'gzip' },
    );
    expect(answer.json()).toMatchObject({ accepted: 1, last: '2026-01-02T00:00:00.000Z' });
    const one = await post(`/streams/${stream!.id}/data`, '{"t":"2026-01-03T00:00:00Z","v":6}');
    expect(one.json()).toMatchObject({ accepted: 1 });
  });

  test('refuses what it cannot read as a whole', async () => {
    expect((await post('/write', 'x', { 'content-type': 'text/plain' })).statusCode).toBe(415);
    expect((await post('/write', '[{"tags":')).json()).toMatchObject({
      status: 400,
      code: 'BODY_INVALID',
      detail: expect.stringContaining('not JSON'),
    });
    expect((await post('/write', '')).statusCode).toBe(400);
    const broken = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    expect((await post('/write', 'not gzip', broken)).statusCode).toBe(400);
    const unknown = { 'content-type': 'application/json', 'content-encoding': 'lzw' };
    expect((await post('/write', 'x', unknown)).statusCode).toBe(415);
    expect((await post('/write?nonsense=1', '[]')).statusCode).toBe(400);
  });

  test('reads no more than the configuration allows, decompressed', async () => {
    await opened.close();
    opened = await openTestService({ limits: { bodyBytes: 1024 } });
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const bomb = gzipSync(Buffer.alloc(100_000, ' '));
    expect((await post('/write', bomb, headers)).statusCode).toBe(413);
  });
});
