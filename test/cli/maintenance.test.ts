import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openBackend } from '../../src/backends/open-backend.ts';
import { Granularity } from '../../src/model/granularity.ts';
import type { StreamId, StreamRecord } from '../../src/model/stream.ts';
import {
  appendSeconds,
  ensureStream,
  NOW,
  type TemporaryStore,
  temporaryStore,
} from './harness.ts';

const LATER = new Date(NOW.getTime() + 3_600_000);

let store: TemporaryStore;

beforeEach(async () => {
  store = await temporaryStore();
});

afterEach(() => store.remove());

const ensure = (...options: string[]): Promise<string> => ensureStream(store, ...options);

/** What another version of this program could have written. */
async function changeRecord(
  streamId: string,
  change: (record: StreamRecord) => StreamRecord,
): Promise<void> {
  const backend = await openBackend(store.url);
  const [snapshot] = await backend.readStreams([streamId as StreamId]);
  const { revision, record } = snapshot!;
  const expectation = { streamId: streamId as StreamId, revision };
  await backend.commit({ expect: [expectation], update: [change(record)] });
  await backend.close();
}

describe('maintenance', () => {
  test('backprocess and downsample compute, verify agrees and counts', async () => {
    const id = await ensure('--query', 'm=a');
    await appendSeconds(store, id, 41);
    await ensure('--query', 'm=d', '--derive-op', 'derivative', '--derive-from', id);
    const pending = await store.cli(['streams', 'm=d']);
    expect(pending.stdout).toContain('derivative (pending)');
    expect((await store.cli(['backprocess'])).stdout).toBe('1 stream, 40 rows written\n');
    const later = { now: () => LATER };
    expect((await store.cli(['downsample', 'm=a', '--until', '+20s'])).exitCode).toBe(0);
    const partly = await store.cli(['get', id, '10seconds', '--format', 'ndjson']);
    expect(partly.stdout.trimEnd().split('\n')).toHaveLength(2);
    expect((await store.cli(['downsample', '--concurrency', '1'], later)).exitCode).toBe(0);
    const verified = await store.cli(['verify'], later);
    expect(verified).toMatchObject({ exitCode: 0, stderr: '' });
    expect(verified.stdout).toBe(
      '2 streams: recomputed 8 buckets and 40 derived datapoints, 0 differences\n',
    );
  });

  test('verify reports each difference and gives 1', async () => {
    const id = await ensure('--query', 'm=a');
    await appendSeconds(store, id, 41);
    await store.cli(['downsample'], { now: () => LATER });
    const backend = await openBackend(store.url);
    const range = { startMs: NOW.getTime(), endMs: NOW.getTime() + 20_000 };
    const level = { streamId: id as StreamId, granularity: Granularity.Seconds10 };
    const { block } = await backend.readPage({ ...level, range, rowCountMax: 10 });
    const columns = { ...block.columns, u: new Float64Array(block.timestamps.length).fill(99) };
    const replaced = { ...level, range, block: { timestamps: block.timestamps, columns } };
    await backend.commit({ expect: [], writes: [{ kind: 'replace', ...replaced }] });
    await backend.close();
    const result = await store.cli(['verify', '--max', '1']);
    expect(result).toMatchObject({ exitCode: 1, stderr: 'datastream: 2 differences found\n' });
    const lines = result.stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toBe(`${id} 10seconds 2026-01-01T12:00:00Z u stored 99 expected 9`);
    expect(lines[1]).toContain('recomputed 4 buckets and 0 derived datapoints, 2 differences');
  });

  /** A source, and two streams derived from it, one of them by an operator that is not there. */
  async function ensureBroken(): Promise<void> {
    const id = await ensure('--query', 'm=a');
    await appendSeconds(store, id, 41);
    const broken = await ensure('--query', 'm=d', '--derive-op', 'sum', '--derive-from', id);
    await ensure('--query', 'm=e', '--derive-op', 'sum', '--derive-from', id);
    await changeRecord(broken, (record) => ({
      ...record,
      derivation: { ...record.derivation!, op: 'of_another_version' },
      stale: [{ startMs: NOW.getTime(), endMs: NOW.getTime() + 10_000 }],
    }));
  }

  test.each(['downsample', 'backprocess'])('%s goes on when a stream fails', async (command) => {
    await ensureBroken();
    const result = await store.cli([command], { now: () => LATER });
    expect(result.exitCode).toBe(7);
    expect(result.stderr).toMatch(/warning: Maintenance of stream .+ failed: [^\n]+\n/);
    expect(result.stderr).toMatch(/datastream: maintenance failed: 1 time, see the warnings\n$/);
    expect(result.stdout).toMatch(/[1-9]\d* rows written\n$/);
  });

  test('downsample --every goes on too, and reports failures when it is ended', async () => {
    await ensureBroken();
    const abort = new AbortController();
    let roundCount = 0;
    const result = await store.cli(['downsample', '--every', '1s'], {
      now: () => LATER,
      signal: abort.signal,
      sleep: async () => {
        roundCount++;
        if (roundCount === 3) abort.abort();
      },
    });
    expect(result.exitCode).toBe(7);
    expect(result.stdout.trimEnd().split('\n')).toHaveLength(3);
    expect(result.stderr).toMatch(/maintenance failed: 3 times/);
  });

  test('stale ranges are named, not compared', async () => {
    const id = await ensure('--query', 'm=a');
    await appendSeconds(store, id, 41);
    await store.cli(['downsample'], { now: () => LATER });
    await store.cli(['append', id, '7', '--at', '2026-01-01T12:00:05Z', '--allow-late']);
    const result = await store.cli(['verify']);
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain('left out 1 stale range');
  });
});
