import { describe, expect, test } from '@jest/globals';
import { copyStreams } from '../../src/api/copy-streams.ts';
import { Datastream } from '../../src/api/datastream.ts';
import type { StreamDefinition } from '../../src/api/types.ts';
import type { CommitOutcome, GroupedCommit } from '../../src/backends/backend.ts';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';
import type { StreamId } from '../../src/model/stream.ts';

const PLAIN = { valueDownsamplers: ['mean'], highestGranularity: 'seconds' } as const;
const SUM: StreamDefinition = { ...PLAIN, deriveOp: 'sum', deriveFrom: { query: { site: 'x' } } };
const SECOND_MS = Date.UTC(2020, 0, 1);

/** Counts what is written of records, and can be made to die between two commits. */
class CountingBackend extends MemoryBackend {
  commitCount = 0;
  updateSizeBytes = 0;
  isDead = false;

  override async commit(commit: GroupedCommit): Promise<CommitOutcome> {
    if (this.isDead) throw new Error('killed');
    this.commitCount++;
    this.updateSizeBytes += JSON.stringify(commit.update ?? []).length;
    return super.commit(commit);
  }
}

async function open(): Promise<{ backend: CountingBackend; datastream: Datastream }> {
  const backend = new CountingBackend();
  await backend.open();
  return { backend, datastream: new Datastream(backend) };
}

function ensureMember(datastream: Datastream, index: number): Promise<StreamId> {
  return datastream.ensureStream({ index }, { ...PLAIN, tags: { site: 'x' } });
}

async function valuesOf(datastream: Datastream, streamId: string): Promise<unknown[]> {
  const rows = await datastream.getData(streamId, 'seconds', { start: SECOND_MS }).toArray();
  return rows.map(({ v }) => v);
}

async function minutesOf(datastream: Datastream, streamId: string): Promise<unknown[]> {
  const rows = await datastream.getData(streamId, 'minutes', { start: SECOND_MS }).toArray();
  return rows.map(({ v }) => v);
}

describe('the sources of an aggregate by tags', () => {
  test('cost as much to write when they are many as when they are few', async () => {
    const { backend, datastream } = await open();
    const sum = await datastream.ensureStream({ name: 'sum' }, SUM);
    const sizes: number[] = [];
    for (let index = 0; index < 1000; index++) {
      backend.updateSizeBytes = 0;
      await ensureMember(datastream, index);
      sizes.push(backend.updateSizeBytes);
    }
    expect(Math.max(...sizes)).toBeLessThan(sizes[0]! + 20);
    const ids: StreamId[] = [];
    for await (const { id, tags } of datastream.findStreams()) {
      if (tags['site'] !== undefined) ids.push(id);
    }
    await datastream.appendTick(SECOND_MS, ids, new Float64Array(1000).fill(0.5));
    expect(await valuesOf(datastream, sum)).toEqual([500]);
  });

  test('are brought in together when they are created together', async () => {
    const { backend, datastream } = await open();
    await datastream.ensureStream({ name: 'sum' }, SUM);
    const before = backend.commitCount;
    await Promise.all(Array.from({ length: 300 }, (_, index) => ensureMember(datastream, index)));
    // One for each stream, and few for what follows.
    expect(backend.commitCount - before).toBeLessThan(320);
  });

  test('are brought in by maintenance where a process died before it could', async () => {
    const { backend, datastream } = await open();
    const sum = await datastream.ensureStream({ name: 'sum' }, SUM);
    const other = new Datastream(backend);
    const creating = ensureMember(other, 0);
    const { commitCount } = backend;
    while (backend.commitCount === commitCount) await Promise.resolve();
    backend.isDead = true;
    await expect(creating).rejects.toThrow('killed');
    backend.isDead = false;
    const survivor = new Datastream(backend);
    const id = await ensureMember(survivor, 0);
    await survivor.append(id, 5, SECOND_MS);
    expect(await valuesOf(survivor, sum)).toEqual([]);
    await survivor.downsampleStreams({ until: SECOND_MS });
    expect(await valuesOf(survivor, sum)).toEqual([5]);
    await survivor.append(id, 6, SECOND_MS + 1000);
    expect(await valuesOf(survivor, sum)).toEqual([5, 6]);
  });

  test('are copied with it, and not without it', async () => {
    const { backend, datastream } = await open();
    const sum = await datastream.ensureStream({ name: 'sum', kind: 'total' }, SUM);
    const ids = [await ensureMember(datastream, 0), await ensureMember(datastream, 1)];
    for (const id of ids) await datastream.append(id, 2, SECOND_MS);
    const { backend: target, datastream: copied } = await open();
    await expect(copyStreams(backend, target, { queryTags: { kind: 'total' } })).rejects.toThrow(
      expect.objectContaining({ code: 'OUTSTANDING_DEPENDENCIES' }),
    );
    expect((await copyStreams(backend, target)).streamCount).toBe(3);
    expect(await valuesOf(copied, sum)).toEqual([4]);
    for (const id of ids) await copied.append(id, 3, SECOND_MS + 1000);
    const late = await ensureMember(copied, 2);
    await copied.append(late, 1, SECOND_MS + 1000);
    expect(await valuesOf(copied, sum)).toEqual([4, 7]);
    expect((await copied.verify()).differenceCount).toBe(0);
  });

  test('may not lose the mean that is read of them, and come when they get it', async () => {
    const { datastream } = await open();
    const minutes = { ...SUM, highestGranularity: 'minutes' };
    const sum = await datastream.ensureStream({ name: 'sum' }, minutes);
    const id = await datastream.ensureStream(
      { name: 'a' },
      { ...PLAIN, valueDownsamplers: ['min'], tags: { site: 'x' } },
    );
    await datastream.append(id, 4, SECOND_MS);
    await datastream.append(id, 6, SECOND_MS + 100_000);
    expect((await datastream.getStream(id)).contributesTo).toEqual([]);
    await datastream.updateStream(id, { valueDownsamplers: ['mean'] });
    await datastream.downsampleStreams({ until: SECOND_MS + 200_000 });
    await datastream.downsampleStreams({ until: SECOND_MS + 200_000 });
    const rows = await datastream.getData(sum, 'minutes', { start: SECOND_MS }).toArray();
    expect(rows.map(({ v }) => v)).toEqual([4]);
    await expect(datastream.updateStream(id, { valueDownsamplers: ['min'] })).rejects.toThrow(
      expect.objectContaining({ code: 'OUTSTANDING_DEPENDENCIES' }),
    );
  });

  test('count from the beginning once the aggregate is defined so, where they were known already', async () => {
    const { datastream } = await open();
    const a = await ensureMember(datastream, 0);
    const sum = await datastream.ensureStream(
      { name: 'sum' },
      { ...SUM, deriveBackprocess: false },
    );
    await datastream.append(a, 1, SECOND_MS);
    await datastream.updateStream(sum, {
      deriveFrom: { query: { site: 'x' } },
      deriveBackprocess: true,
    });
    await datastream.downsampleStreams();
    await datastream.append(a, 2, SECOND_MS);
    await datastream.append(a, 3, SECOND_MS + 1000);
    expect(await valuesOf(datastream, sum)).toEqual([2, 3]);
    expect((await datastream.verify()).differenceCount).toBe(0);
  });

  test.each([
    ['the first ones', 50_000, []],
    ['all', 150_000, []],
  ])(
    'take with them what was computed of datapoints that are deleted since: %s',
    async (_what, seconds, rest) => {
      const { datastream } = await open();
      const minutes = { ...SUM, highestGranularity: 'minutes' };
      const sum = await datastream.ensureStream({ name: 'sum' }, minutes);
      const id = await ensureMember(datastream, 0);
      await datastream.append(id, 4, SECOND_MS);
      await datastream.append(id, 6, SECOND_MS + 140_000);
      await datastream.downsampleStreams();
      await datastream.downsampleStreams();
      expect(await minutesOf(datastream, sum)).toEqual([4, null]);
      await datastream.deleteData(id, { start: SECOND_MS, end: SECOND_MS + seconds });
      await datastream.updateTags(id, { site: 'y' });
      await datastream.downsampleStreams();
      expect(await minutesOf(datastream, sum)).toEqual(rest);
      expect((await datastream.verify()).differenceCount).toBe(0);
    },
  );

  test('may go when the aggregate has gone, where somebody still knows it', async () => {
    const { backend, datastream } = await open();
    const sum = await datastream.ensureStream({ name: 'sum', kind: 'total' }, SUM);
    const [a, b] = [await ensureMember(datastream, 0), await ensureMember(datastream, 1)];
    await datastream.append(a, 1, SECOND_MS);
    const other = new Datastream(backend);
    await other.deleteStreams({ kind: 'total' });
    await datastream.deleteStreams({ stream_id: b });
    await datastream.append(a, 2, SECOND_MS, { checkTimestamp: false });
    expect(await valuesOf(datastream, a)).toEqual([1, 2]);
    await expect(datastream.getStream(sum)).rejects.toThrow(sum);
  });

  test('cannot be made to derive from it: the loop is named', async () => {
    const { datastream } = await open();
    const sum = await datastream.ensureStream({ name: 'sum' }, SUM);
    const a = await ensureMember(datastream, 0);
    const twice = await datastream.ensureStream(
      { name: 'twice' },
      { ...PLAIN, tags: { site: 'x' }, deriveFrom: a, deriveOp: 'sum' },
    );
    const rate = await datastream.ensureStream(
      { name: 'rate' },
      { ...PLAIN, deriveFrom: sum, deriveOp: 'derivative' },
    );
    const names = [
      [twice, '{"name":"twice","site":"x"}'],
      [sum, '{"name":"sum"}'],
      [rate, '{"name":"rate"}'],
      [twice, '{"name":"twice","site":"x"}'],
    ];
    await expect(datastream.updateStream(twice, { deriveFrom: rate })).rejects.toThrow(
      expect.objectContaining({
        code: 'INVALID_OPERATOR_ARGUMENTS',
        message: expect.stringContaining(names.map((name) => name.join(' ')).join(' → ')),
      }),
    );
  });
});

test('what became stale during a run is computed after all of its sources', async () => {
  const { datastream } = await open();
  const a = await datastream.ensureStream({ name: 'a' }, PLAIN);
  const difference = { ...PLAIN, deriveOp: 'difference' };
  const first = await datastream.ensureStream({ name: 'first' }, { ...difference, deriveFrom: a });
  // Created first, so that it would come first among those of the same depth.
  const sum = await datastream.ensureStream({ name: 'sum' }, SUM);
  await datastream.updateTags(first, { site: 'x' });
  const second = { ...difference, tags: { site: 'x' }, deriveFrom: first };
  await datastream.ensureStream({ name: 'second' }, second);
  await datastream.append(a, 0, SECOND_MS);
  await datastream.append(a, 0, SECOND_MS + 21_000);
  await datastream.append(a, -1, SECOND_MS, { checkTimestamp: false });
  await datastream.backprocessStreams();
  await datastream.downsampleStreams({ until: SECOND_MS + 100_000 });
  expect((await datastream.verify()).differenceCount).toBe(0);
  expect(await valuesOf(datastream, sum)).toEqual([-1, 3]);
});
