import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openTestService, type TestService } from './service.fixture.ts';

let opened: TestService;
beforeEach(async () => {
  opened = await openTestService();
});
afterEach(async () => {
  await opened.close();
});

function nested(depth: number): string {
  return `${'['.repeat(depth)}1${']'.repeat(depth)}`;
}

async function save(depth: number) {
  const answer = await opened.app.inject({
    method: 'POST',
    url: '/api/v1/dashboards',
    headers: { 'content-type': 'application/json' },
    payload: `{"name":"deep","content":${nested(depth)}}`,
  });
  return [answer.statusCode, answer.json().detail];
}

describe('bodies of JSON', () => {
  test('are nested as deep as anything that is asked for, and no deeper', async () => {
    expect((await save(90))[0]).toBe(201);
    for (const depth of [101, 5000, 200_000]) {
      expect(await save(depth)).toEqual([400, 'The body is nested more than 100 deep.']);
    }
  });

  test('change nothing that all objects have', async () => {
    for (const payload of [
      '{"name":"x","__proto__":{"a":1}}',
      '{"constructor":{"prototype":{}}}',
    ]) {
      const headers = { 'content-type': 'application/json' };
      const answer = await opened.app.inject({
        method: 'POST',
        url: '/api/v1/dashboards',
        headers,
        payload,
      });
      expect(answer.statusCode).toBe(400);
    }
  });
});

describe('levels', () => {
  test('are not thinned where they have hundreds of millions of buckets', async () => {
    const { datastream } = opened.service;
    const id = await datastream.ensureStream(
      { a: 'b' },
      { valueDownsamplers: ['mean'], highestGranularity: 'seconds' },
    );
    await datastream.append(id, 1, new Date('1900-01-01T00:00:00Z'));
    await datastream.append(id, 2, new Date('2026-01-01T00:00:00Z'));
    const answerOf = async (granularity: string, range = '') => {
      const url = `/api/v1/streams/${id}/data?thin=10&fill=0&granularity=${granularity}${range}`;
      return (await opened.app.inject(url)).json();
    };
    expect(await answerOf('10seconds')).toMatchObject({
      status: 400,
      field: 'thin',
      detail: expect.stringContaining('more than 20000000 rows of 10seconds'),
    });
    expect(await answerOf('10seconds', '&end=1950-01-01')).toMatchObject({ field: 'thin' });
    // Of a long stream, a short range.
    const day = '&start=1950-01-01&endExclusive=1950-01-02';
    expect((await answerOf('10seconds', day)).datapoints).toHaveLength(10);
    expect((await answerOf('days')).datapoints).toHaveLength(10);
  });
});

describe('files of the dashboard', () => {
  test.each([
    '/../package.json',
    '/..%2f..%2fpackage.json',
    '/%2e%2e/%2e%2e/package.json',
    '/assets/..%5c..%5c..%5cpackage.json',
    '/docs/static/..%2f..%2f..%2fpackage.json',
    '/%00.js',
  ])('%s leads out of nothing', async (url) => {
    const answer = await opened.app.inject(url);
    expect(answer.statusCode).toBeLessThan(500);
    expect(answer.payload).not.toContain('"dependencies"');
  });
});
