import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openBackend } from '../../src/backends/open-backend.ts';
import { Granularity } from '../../src/model/granularity.ts';
import type { StreamId } from '../../src/model/stream.ts';
import { ensureStream, type TemporaryStore, temporaryStore } from './harness.ts';

const START = Date.parse('2026-01-01T10:00:00Z');
let store: TemporaryStore;
let id: StreamId;

beforeEach(async () => {
  store = await temporaryStore();
  id = (await ensureStream(store, '--query', 'm=a')) as StreamId;
  const lines = Array.from({ length: 121 }, (_, second) => `${START / 1000 + second},1`);
  await store.cli(['append', id], { stdin: lines.join('\n') });
});

afterEach(() => store.remove());

describe('status', () => {
  test('shows what is stale until maintenance has done it', async () => {
    const before = await store.cli(['status']);
    expect(before).toMatchObject({ exitCode: 0, stderr: '' });
    expect(before.stdout.split('\n')).toEqual([
      expect.stringMatching(/^id +tags +stale from +age +ranges +buckets to compute +history$/),
      `${id}  m=a   2026-01-01T10:00:00Z  02:00:00       2                  13`,
      '1 stream: 1 with work to come, 13 buckets to compute, 0 with history to process',
      '',
    ]);
    await store.cli(['downsample']);
    const after =
      '1 stream: 0 with work to come, 0 buckets to compute, 0 with history to process\n';
    expect((await store.cli(['status', 'm=a'])).stdout).toBe(after);
    expect((await store.cli(['status', '--all'])).stdout).toContain(`${id}  m=a   –`);
    await store.cli(['append', id, '7', '--at', '2026-01-01T10:00:35Z', '--replace']);
    const [line] = (await store.cli(['status', '--ndjson'])).stdout.trim().split('\n');
    expect(JSON.parse(line!)).toMatchObject({
      streamId: id,
      oldest: '2026-01-01T10:00:00Z',
      bucketCount: 2,
      levels: [
        {
          granularity: '10seconds',
          ranges: [{ start: '2026-01-01T10:00:30Z', end: '2026-01-01T10:00:40Z' }],
        },
        { granularity: 'minutes' },
      ],
    });
  });

  test('of an empty store is one line', async () => {
    await store.cli(['delete', '--yes']);
    const wanted =
      '0 streams: 0 with work to come, 0 buckets to compute, 0 with history to process\n';
    expect(await store.cli(['status'])).toEqual({ exitCode: 0, stdout: wanted, stderr: '' });
  });
});

describe('get --live', () => {
  test('shows buckets that maintenance has not computed, and marks them', async () => {
    const argv = ['get', id, 'minutes', '--value-downsamplers', 'mean', '--format', 'csv'];
    expect((await store.cli(argv)).stdout).toBe('bucket,mean\n');
    expect((await store.cli([...argv, '--live'])).stdout.split('\n')).toEqual([
      'bucket,mean,live',
      '2026-01-01T10:00:00Z,1,true',
      '2026-01-01T10:01:00Z,1,true',
      '2026-01-01T10:02:00Z,1,true',
      '',
    ]);
    await store.cli(['downsample']);
    const { stdout } = await store.cli([...argv, '--live']);
    expect(stdout.split('\n').slice(1, 4)).toEqual([
      '2026-01-01T10:00:00Z,1,false',
      '2026-01-01T10:01:00Z,1,true',
      '2026-01-01T10:02:00Z,1,true',
    ]);
  });
});

describe('verify --repair', () => {
  test('mends what somebody has changed behind the back of the engine', async () => {
    await store.cli(['downsample']);
    const backend = await openBackend(store.url);
    const write = {
      kind: 'replace' as const,
      streamId: id,
      granularity: Granularity.Minutes,
      range: { startMs: START, endMs: START + 60_000 },
      block: { timestamps: new Float64Array(0), columns: {} },
    };
    await backend.commit({ expect: [], writes: [write] });
    await backend.close();
    expect(await store.cli(['verify'])).toMatchObject({ exitCode: 1 });
    const repaired = await store.cli(['verify', '--repair']);
    expect(repaired).toMatchObject({ exitCode: 0, stderr: '' });
    expect(repaired.stdout).toMatch(/, 1 difference\n1 difference repaired\n$/);
    expect((await store.cli(['verify'])).stdout).toMatch(/, 0 differences\n$/);
  });
});
