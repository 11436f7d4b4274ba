import { describe, expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import type { LeaseOptions, Page, PageRequest } from '../../src/backends/backend.ts';
import { COMPLETE_MANIFEST } from '../../src/backends/manifest.ts';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';
import type { DatastreamWarning } from '../../src/exceptions/warnings.ts';
import type { StreamId } from '../../src/model/stream.ts';
import { at, open, SECONDS } from './support.ts';

const STREAM_COUNT = 40;
const NEVER = new Date(at(1e6));
const LATE = { checkTimestamp: false } as const;
const ALL = { concurrency: STREAM_COUNT } as const;

async function fill(datastream: Datastream, pointCount = 100): Promise<StreamId[]> {
  const ids: StreamId[] = [];
  const timestamps = Float64Array.from({ length: pointCount }, (_, row) => at(row));
  for (let n = 0; n < STREAM_COUNT; n++) {
    const id = await datastream.ensureStream({ n }, SECONDS);
    const values = timestamps.map((_, row) => (row * (n + 3)) % 101);
    await datastream.appendColumns(id, { timestamps, values });
    ids.push(id);
  }
  return ids;
}

/** One derivative of each stream, over the data that is there. */
async function derive(datastream: Datastream, ids: readonly StreamId[]): Promise<StreamId[]> {
  const derived: StreamId[] = [];
  for (const [n, deriveFrom] of ids.entries()) {
    const definition = { ...SECONDS, deriveFrom, deriveOp: 'derivative' };
    derived.push(await datastream.ensureStream({ derived: n }, definition));
  }
  return derived;
}

describe('streams that are maintained together', () => {
  test('share their commits', async () => {
    const { backend, datastream, warnings } = await open({ now: () => NEVER });
    await fill(datastream);
    let commitCount = 0;
    backend.beforeCommit = async () => {
      commitCount++;
    };
    await datastream.downsampleStreams(ALL);
    expect(commitCount).toBe(1);
    expect(warnings).toEqual([]);
    const report = await datastream.verify();
    expect(report).toMatchObject({ differenceCount: 0, bucketCount: STREAM_COUNT * 10 });
  });

  test('share them for history, too, window after window', async () => {
    const { backend, datastream, warnings } = await open({ now: () => NEVER });
    const derived = await derive(datastream, await fill(datastream));
    let commitCount = 0;
    backend.beforeCommit = async () => {
      commitCount++;
    };
    await datastream.backprocessStreams(ALL);
    expect(commitCount).toBe(1);
    for (const id of derived) {
      expect((await datastream.getStream(id)).pendingBackprocess).toBe(false);
      expect(await datastream.getData(id, 'seconds', { start: at(0) }).count()).toBe(99);
    }
    expect(warnings).toEqual([]);
    expect(await datastream.verify()).toMatchObject({ differenceCount: 0, staleRangeCount: 0 });
  });

  test('move their watermarks alone when nothing was stale, and write the rest as corrections', async () => {
    const { backend, datastream } = await open({ now: () => NEVER });
    const [first, second] = await fill(datastream);
    const kinds: string[] = [];
    backend.beforeCommit = async ({ update = [], writes = [] }) => {
      kinds.push(...update.map(() => 'record'), ...writes.map(({ kind }) => kind));
    };
    const maintainFirst = (): Promise<unknown> =>
      datastream.downsampleStreams({ queryTags: { stream_id: first! } });
    await maintainFirst();
    expect(kinds.splice(0)).toEqual(['advance', 'advance']);
    await datastream.append(first!, 5, at(150));
    kinds.length = 0;
    await maintainFirst();
    expect(kinds.splice(0)).toEqual(['advance', 'advance']);
    await datastream.append(first!, 5, at(55), LATE);
    await datastream.append(first!, 5, at(400));
    kinds.length = 0;
    await maintainFirst();
    expect(new Set(kinds)).toEqual(new Set(['record', 'replace']));
    backend.beforeCommit = null;
    expect(second).toBeDefined();
    expect(await datastream.verify()).toMatchObject({ differenceCount: 0, staleRangeCount: 0 });
  });

  test('are done again, each for itself, where somebody else was quicker', async () => {
    const { backend, datastream, warnings } = await open({ now: () => NEVER });
    const ids = await fill(datastream);
    await datastream.downsampleStreams();
    for (const id of ids) await datastream.append(id, 1, at(130));
    const other = new Datastream(backend);
    const written: number[] = [];
    backend.beforeCommit = async ({ writes = [] }) => {
      written.push(new Set(writes.map((write) => 'streamId' in write && write.streamId)).size);
      // Changes the records that two of them were computed from.
      if (written.length > 1) return;
      for (const id of [ids[3]!, ids[17]!]) await other.append(id, 99, at(20), LATE);
    };
    await datastream.downsampleStreams(ALL);
    backend.beforeCommit = null;
    // All, the others, and the two apart.
    expect(written).toEqual([STREAM_COUNT, STREAM_COUNT - 2, 1, 1]);
    expect(warnings).toEqual([]);
    expect(await datastream.verify()).toMatchObject({ differenceCount: 0, staleRangeCount: 0 });
  });

  test('follow sources that somebody appends to before each of their commits', async () => {
    const { backend, datastream, warnings } = await open({ now: () => NEVER });
    const ids = await fill(datastream);
    const derived = await derive(datastream, ids);
    const other = new Datastream(backend);
    let second = 100;
    backend.beforeCommit = async () => {
      if (second < 110) await other.append(ids[5]!, second, at(second++));
    };
    await datastream.backprocessStreams(ALL);
    backend.beforeCommit = null;
    expect(second).toBeGreaterThan(101);
    expect(await datastream.getData(derived[5]!, 'seconds', { start: at(0) }).count()).toBe(
      second - 1,
    );
    expect(warnings).toEqual([]);
    expect(await datastream.verify()).toMatchObject({ differenceCount: 0, staleRangeCount: 0 });
  });

  test('mark one dependent of many of them once', async () => {
    const { datastream, warnings } = await open({ now: () => NEVER });
    const ids = await fill(datastream);
    const definition = { ...SECONDS, highestGranularity: '10seconds', deriveOp: 'sum' };
    const deriveFrom = ids.map((stream) => ({ stream, granularity: '10seconds' }));
    const sum = await datastream.ensureStream({ sum: 1 }, { ...definition, deriveFrom });
    await datastream.downsampleStreams(ALL);
    expect(await datastream.getData(sum, '10seconds', { start: at(0) }).count()).toBe(9);
    expect(warnings).toEqual([]);
    expect(await datastream.verify()).toMatchObject({ differenceCount: 0, staleRangeCount: 0 });
  });
});

/** A memory store with a clock of its own that each page moves. */
class SlowBackend extends MemoryBackend {
  static clockMs = 0;
  pageMs = 0;
  /** Whose lease is taken away as soon as it has run out. */
  stolen: StreamId | null = null;
  unreadable: StreamId | null = null;

  constructor() {
    super({ now: () => new Date(SlowBackend.clockMs) });
  }

  protected override async _readPage(request: PageRequest): Promise<Page> {
    SlowBackend.clockMs += this.pageMs;
    return super._readPage(request);
  }

  protected override async _renewLease(id: StreamId, options: LeaseOptions): Promise<boolean> {
    return id === this.stolen ? false : super._renewLease(id, options);
  }

  protected override async _readStreams(
    ids: readonly StreamId[],
  ): ReturnType<MemoryBackend['_readStreams']> {
    if (this.unreadable !== null && ids.includes(this.unreadable)) throw new Error('unreadable');
    return super._readStreams(ids);
  }
}

interface Slow {
  readonly backend: SlowBackend;
  readonly datastream: Datastream;
  readonly warnings: DatastreamWarning[];
}

async function openSlow(): Promise<Slow> {
  const backend = new SlowBackend();
  await backend.open();
  const warnings: DatastreamWarning[] = [];
  const datastream = new Datastream(backend, {
    now: () => new Date(NEVER.getTime() + SlowBackend.clockMs),
    leaseDurationMs: 2000,
    onWarning: (warning) => warnings.push(warning),
  });
  return { backend, datastream, warnings };
}

describe('the leases of a group', () => {
  test('are kept while its streams wait for each other', async () => {
    const { backend, datastream, warnings } = await openSlow();
    await fill(datastream);
    backend.pageMs = 300;
    await datastream.downsampleStreams(ALL);
    backend.pageMs = 0;
    expect(warnings).toEqual([]);
    expect(await datastream.verify()).toMatchObject({ bucketCount: STREAM_COUNT * 10 });
  });

  test('are lost one by one', async () => {
    const { backend, datastream, warnings } = await openSlow();
    const ids = await fill(datastream);
    backend.pageMs = 300;
    backend.stolen = ids[11]!;
    await datastream.downsampleStreams(ALL);
    backend.pageMs = 0;
    const causes = warnings.map(({ cause }) => (cause as { code: string }).code);
    expect(causes).toEqual(['LOCK_EXPIRED_MID_MAINTENANCE']);
    expect(warnings[0]!.message).toContain(ids[11]);
    expect(await datastream.verify()).toMatchObject({ bucketCount: (STREAM_COUNT - 1) * 10 });
  });

  test('are all given back, also of streams that failed', async () => {
    const { backend, datastream, warnings } = await openSlow();
    const ids = await fill(datastream);
    backend.pageMs = 1;
    backend.unreadable = ids[4]!;
    // It is found by its tags, and cannot be read any more.
    await datastream.downsampleStreams(ALL);
    backend.unreadable = null;
    expect(warnings.map(({ message }) => message.includes(ids[4]!))).toEqual([true]);
    for (const id of ids) {
      expect(await backend.acquireLease(id, { owner: 'other', durationMs: 1 })).toBe(true);
    }
    expect(await datastream.verify()).toMatchObject({ bucketCount: (STREAM_COUNT - 1) * 10 });
  });

  test('are taken one at a time from a store that is not in this process', async () => {
    const { backend, datastream } = await open({ now: () => NEVER });
    await fill(datastream);
    const supports = { ...COMPLETE_MANIFEST, liveLevels: false };
    const server = new Proxy(backend, {
      get(target, key) {
        if (key === 'supports') return supports;
        const own = Reflect.get(target, key) as unknown;
        return typeof own === 'function' ? own.bind(target) : own;
      },
    });
    let commitCount = 0;
    backend.beforeCommit = async () => {
      commitCount++;
    };
    await new Datastream(server, { now: () => NEVER }).downsampleStreams(ALL);
    expect(commitCount).toBe(STREAM_COUNT);
  });
});
