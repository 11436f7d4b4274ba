import { describe, expect, test } from '@jest/globals';
import { copyStreams } from '../../src/api/copy-streams.ts';
import type { Backend } from '../../src/backends/backend.ts';
import { copyStores, ForgetfulBackend } from './copy-stores.ts';
import {
  assertClean,
  assertSettles,
  at,
  contentsOf,
  engineOn,
  fill,
  snapshots,
} from './copy-support.ts';

const { opening, memory, embedded } = copyStores();

const STORES: readonly (readonly [string, (name: string) => Promise<Backend>])[] = [
  ['memory', () => memory()],
  ['embedded', embedded],
];

describe('a copy', () => {
  for (const [fromName, openFrom] of STORES) {
    for (const [toName, openTo] of STORES) {
      test(`from ${fromName} to ${toName} holds every stream, level and row as they were`, async () => {
        const [from, to] = [await openFrom('from'), await openTo('to')];
        await fill(from);
        const report = await copyStreams(from, to);
        expect(report).toMatchObject({ streamCount: 14, copiedCount: 14, unsupported: [] });
        expect(await contentsOf(to)).toEqual(await contentsOf(from));
        await assertClean(to);
        await assertSettles(to);
      });
    }
  }

  test('that is finished is left alone by the next one', async () => {
    const [from, to] = [await memory(), await embedded('to')];
    await fill(from);
    await copyStreams(from, to);
    const before = await snapshots(to);
    const report = await copyStreams(from, to);
    expect(report).toMatchObject({ streamCount: 14, copiedCount: 0, rowCount: 0 });
    expect(await snapshots(to)).toEqual(before);
  });

  test('goes on where it was broken off, and writes each row once', async () => {
    const [from, to] = [await embedded('from'), await memory()];
    await fill(from);
    const { rowCount } = await copyStreams(from, await memory());
    let writtenCount = 0;
    let tryCount = 0;
    for (let isDone = false; !isDone; tryCount++) {
      const abort = new AbortController();
      let commitCount = 0;
      to.beforeCommit = async ({ writes = [] }) => {
        commitCount++;
        if (commitCount === 2) abort.abort();
        for (const write of writes) {
          if (write.kind !== 'tick') writtenCount += write.block.timestamps.length;
        }
      };
      isDone = await copyStreams(from, to, { signal: abort.signal, concurrency: 1 }).then(
        () => true,
        (error) => {
          expect(error).toMatchObject({ name: 'AbortError' });
          return false;
        },
      );
    }
    to.beforeCommit = null;
    expect(tryCount).toBeGreaterThan(5);
    expect(writtenCount).toBe(rowCount);
    expect(await contentsOf(to)).toEqual(await contentsOf(from));
  });

  test('of long streams goes on in the middle of one', async () => {
    const [from, to] = [await embedded('from'), await embedded('to')];
    const streamId = await longStream(from, 100_000);
    const first = new AbortController();
    const onProgress = ({ rowCount }: { rowCount: number }) => {
      if (rowCount > 40_000) first.abort();
    };
    await expect(copyStreams(from, to, { signal: first.signal, onProgress })).rejects.toThrow();
    const [{ latestMs } = { latestMs: null }] = await snapshots(to);
    expect(latestMs).toBeGreaterThan(at(40_000));
    expect(latestMs).toBeLessThan(at(99_999));
    const { rowCount } = await copyStreams(from, to);
    expect(rowCount).toBeLessThan(80_000);
    expect(await contentsOf(to)).toEqual(await contentsOf(from));
    expect((await snapshots(to))[0]!.record.id).toBe(streamId);
  });

  test('keeps the order of creation, whatever is copied at once', async () => {
    const [from, to] = [await memory(), await memory()];
    const datastream = engineOn(from);
    for (let n = 0; n < 300; n++) {
      await datastream.ensureStream({ n }, { valueDownsamplers: [], highestGranularity: 'days' });
    }
    await copyStreams(from, to, { concurrency: 50 });
    const order = (await snapshots(to)).map(({ record }) => record.tags['n']);
    expect(order).toEqual(Array.from({ length: 300 }, (_, n) => n));
  });

  test('of a store without streams is empty', async () => {
    const report = await copyStreams(await memory(), await memory());
    expect(report).toEqual({ streamCount: 0, copiedCount: 0, rowCount: 0, unsupported: [] });
  });

  test('refuses to copy a store to itself, and options that nobody reads', async () => {
    const from = await memory();
    await expect(copyStreams(from, from)).rejects.toThrow(RangeError);
    const to = await memory();
    await expect(copyStreams(from, to, { concurrency: 0 })).rejects.toThrow(RangeError);
    await expect(copyStreams(from, to, { tags: {} } as object)).rejects.toThrow(TypeError);
  });
});

async function longStream(backend: Backend, rowCount: number): Promise<string> {
  const datastream = engineOn(backend);
  const definition = { valueDownsamplers: ['mean'], highestGranularity: 'seconds' };
  const streamId = await datastream.ensureStream({ name: 'long' }, definition);
  const timestamps = Float64Array.from({ length: rowCount }, (_, i) => at(i));
  await datastream.appendColumns(streamId, { timestamps, values: new Float64Array(rowCount) });
  await datastream.downsampleStreams();
  return streamId;
}

describe('a copy that is under way', () => {
  test('shows a family as a whole or not at all, and is left alone by maintenance', async () => {
    const [from, to] = [await memory(), await memory()];
    const ids = await fill(from);
    const reader = engineOn(to);
    const counts = new Set<number>();
    to.beforeCommit = async () => {
      await reader.backprocessStreams();
      await reader.downsampleStreams();
      expect(await reader.verify()).toMatchObject({ differenceCount: 0 });
      const seen = await reader.findStreams({ site: { room: 12 } }).toArray();
      const names = new Set(seen.map(({ tags }) => tags['name']));
      const tied = ['a', 'b', 'rate', 'sum', 'both', 'level', 'pending', 'young'];
      counts.add(tied.filter((name) => names.has(name)).length);
      for (const { tags, contributesTo, derivedFrom, downsampledUntil } of await reader
        .findStreams()
        .toArray()) {
        if (tags['name'] !== undefined) continue;
        expect(tags).toEqual({});
        expect(contributesTo).toEqual([]);
        expect(derivedFrom).toBeNull();
        expect(Object.values(downsampledUntil).every((until) => until === null)).toBe(true);
      }
    };
    // What maintenance finds to do in finished families moves them on; the copy itself stands.
    await copyStreams(from, to, { concurrency: 1 });
    to.beforeCommit = null;
    expect([...counts].sort()).toEqual([0, 8]);
    expect(Object.keys(ids)).toHaveLength((await snapshots(to)).length);
    await assertSettles(to);
  });

  test('is repaired when somebody writes into it', async () => {
    const [from, to] = [await memory(), await memory()];
    await fill(from);
    const reader = engineOn(to);
    let isDone = false;
    to.beforeCommit = async ({ writes = [] }) => {
      const [write] = writes;
      if (isDone || write === undefined || write.kind === 'tick') return;
      isDone = true;
      if ((await reader.getStream(write.streamId)).valueType !== 'numeric') isDone = false;
      else await reader.append(write.streamId, 4711, at(5));
    };
    await copyStreams(from, to);
    expect(isDone).toBe(true);
    expect(await contentsOf(to)).toEqual(await contentsOf(from));
  });

  test('goes on when the answers to its commits get lost', async () => {
    const from = await memory();
    await fill(from);
    const to = await opening(new ForgetfulBackend());
    await copyStreams(from, to, { concurrency: 2 });
    expect(to.lostCount).toBeGreaterThan(5);
    expect(await contentsOf(to)).toEqual(await contentsOf(from));
  });

  test('loses streams that the source has lost', async () => {
    const [from, to] = [await embedded('from'), await memory()];
    const ids = await fill(from);
    const abort = new AbortController();
    to.beforeCommit = async ({ create }) => {
      if (create !== undefined) abort.abort();
    };
    await expect(copyStreams(from, to, { signal: abort.signal })).rejects.toThrow();
    to.beforeCommit = null;
    expect(await snapshots(to)).toHaveLength(14);
    await engineOn(from).deleteStreams({ stream_id: ids['kind']! });
    await copyStreams(from, to);
    expect(await contentsOf(to)).toEqual(await contentsOf(from));
  });

  test('is not gone on with from another source', async () => {
    const [from, to] = [await embedded('from'), await embedded('to')];
    await fill(from);
    const other = await embedded('other');
    await copyStreams(from, other);
    const abort = new AbortController();
    const onProgress = () => abort.abort();
    await expect(copyStreams(from, to, { signal: abort.signal, onProgress })).rejects.toThrow();
    await expect(copyStreams(other, to)).rejects.toMatchObject({
      code: 'INCONSISTENT_STREAM_CONFIGURATION',
    });
    await expect(copyStreams(to, await memory())).rejects.toMatchObject({
      code: 'INCONSISTENT_STREAM_CONFIGURATION',
    });
    await copyStreams(from, to);
    expect(await contentsOf(to)).toEqual(await contentsOf(from));
  });
});
