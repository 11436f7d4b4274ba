import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openTestService, type TestService } from '../service.fixture.ts';

const START = '2026-01-01T00:00:00Z';

let folder: string;
let opened: TestService;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'caching-'));
  opened = await open();
});
afterEach(async () => {
  await opened.close();
  rmSync(folder, { recursive: true, force: true });
});

const open = (): Promise<TestService> =>
  openTestService({ store: `embedded:${join(folder, 'store')}` });

async function write(t: string, v: number): Promise<void> {
  const answer = await opened.app.inject({
    method: 'POST',
    url: '/api/v1/write',
    headers: { 'content-type': 'application/json' },
    payload: JSON.stringify({ tags: { name: 'a' }, t, v }),
  });
  expect(answer.json()).toMatchObject({ accepted: 1 });
}

async function stream(): Promise<{ readonly id: string; readonly version: string }> {
  return (await opened.app.inject('/api/v1/streams')).json().streams[0];
}

/** Of the buckets that have one. */
function maximaOf(
  datapoints: readonly { readonly v: { readonly u: number | null } }[],
): readonly number[] {
  return datapoints.flatMap(({ v }) => v.u ?? []);
}

async function read(parameters: string, headers: Record<string, string> = {}) {
  const { id } = await stream();
  const url = `/api/v1/streams/${id}/data?granularity=minutes&valueDownsamplers=max&${parameters}`;
  const answer = await opened.app.inject({ url, headers });
  return {
    status: answer.statusCode,
    etag: String(answer.headers['etag']),
    caching: String(answer.headers['cache-control']),
    values: answer.statusCode === 200 ? maximaOf(answer.json().datapoints) : null,
  };
}

describe('answers that are kept', () => {
  test('are for ever at a version, and of another one after whatever changes a number', async () => {
    await write(START, 1);
    await write('2026-01-01T00:05:00Z', 2);
    await opened.service.datastream.downsampleStreams();
    const first = await stream();
    const kept = await read(`version=${first.version}`);
    expect(kept).toMatchObject({ values: [1], caching: 'private, max-age=31536000, immutable' });
    expect(await read('', { 'if-none-match': kept.etag })).toMatchObject({ status: 304 });
    expect((await read('')).caching).toBe('private, no-cache');
    // Late, into a bucket that is closed.
    await write('2026-01-01T00:00:30Z', 50);
    const late = await stream();
    expect(late.version).not.toBe(first.version);
    expect((await read(`version=${first.version}`)).caching).toBe('private, no-cache');
    const notYet = await read(`version=${late.version}`, { 'if-none-match': kept.etag });
    expect(notYet).toMatchObject({ status: 200, values: [1] });
    await opened.service.datastream.downsampleStreams();
    const corrected = await stream();
    expect(corrected.version).not.toBe(late.version);
    expect(
      await read(`version=${corrected.version}`, { 'if-none-match': notYet.etag }),
    ).toMatchObject({ status: 200, values: [50], caching: 'private, max-age=31536000, immutable' });
    expect((await read(`version=${corrected.version}&end=now`)).caching).toBe('no-store');
  });

  test('of before a store was put back from a backup stand for nothing after it', async () => {
    await write(START, 1);
    await opened.close();
    cpSync(join(folder, 'store'), join(folder, 'backup'), { recursive: true });
    const versionsAfter = async (value: number): Promise<string> => {
      opened = await open();
      await write('2026-01-01T00:05:00Z', value);
      const { version } = await stream();
      await opened.close();
      return version;
    };
    const before = await versionsAfter(2);
    rmSync(join(folder, 'store'), { recursive: true });
    cpSync(join(folder, 'backup'), join(folder, 'store'), { recursive: true });
    expect(await versionsAfter(3)).not.toBe(before);
    opened = await open();
  });
});
