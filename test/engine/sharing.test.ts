import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import type { BackprocessOptions, DatastreamOptions } from '../../src/api/types.ts';
import type { LeaseOptions, Page, PageRequest } from '../../src/backends/backend.ts';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';
import { isInShard } from '../../src/engine/sharing.ts';
import { BackendUnavailable } from '../../src/exceptions/errors.ts';
import type { DatastreamWarning } from '../../src/exceptions/warnings.ts';
import type { StreamId } from '../../src/model/stream.ts';
import { at, SECONDS } from './support.ts';

const STREAM_COUNT = 40;
const NEVER = new Date(at(1e6));

/** A memory store with a clock of its own, that notes the leases that workers ask for. */
class WatchedBackend extends MemoryBackend {
  static clockMs = 0;
  /** By how much reading a page moves the clock. */
  static pageMs = 0;
  readonly acquired: StreamId[] = [];
  readonly refused: StreamId[] = [];
  readonly durationsMs = new Set<number>();
  renewalCount = 0;
  isAway = false;

  constructor() {
    super({ now: () => new Date(WatchedBackend.clockMs) });
  }

  protected override async _acquireLease(id: StreamId, options: LeaseOptions): Promise<boolean> {
    const isAcquired = await super._acquireLease(id, options);
    (isAcquired ? this.acquired : this.refused).push(id);
    this.durationsMs.add(options.durationMs);
    return isAcquired;
  }

  protected override async _renewLease(id: StreamId, options: LeaseOptions): Promise<boolean> {
    this.renewalCount++;
    return super._renewLease(id, options);
  }

  protected override async _readPage(request: PageRequest): Promise<Page> {
    WatchedBackend.clockMs += WatchedBackend.pageMs;
    return super._readPage(request);
  }

  protected override async _readStreams(
    ids: readonly StreamId[],
  ): ReturnType<MemoryBackend['_readStreams']> {
    if (this.isAway) throw new BackendUnavailable('The store is away.');
    return super._readStreams(ids);
  }
}

interface Shared {
  readonly backend: WatchedBackend;
  readonly warnings: DatastreamWarning[];
  worker(options?: DatastreamOptions): Datastream;
}

async function open(): Promise<Shared> {
  const backend = new WatchedBackend();
  await backend.open();
  const warnings: DatastreamWarning[] = [];
  const onWarning = (warning: DatastreamWarning): void => {
    warnings.push(warning);
  };
  return {
    backend,
    warnings,
    worker: (options = {}) => new Datastream(backend, { now: () => NEVER, onWarning, ...options }),
  };
}

async function fill(datastream: Datastream): Promise<StreamId[]> {
  const ids: StreamId[] = [];
  for (let n = 0; n < STREAM_COUNT; n++) {
    const id = await datastream.ensureStream({ n }, SECONDS);
    for (const second of [0, 10, 25]) await datastream.append(id, second, at(second));
    ids.push(id);
  }
  return ids;
}

/** How many 10-second buckets each stream has. */
async function bucketCounts(datastream: Datastream, ids: readonly StreamId[]): Promise<number[]> {
  return Promise.all(
    ids.map((id) => datastream.getData(id, '10seconds', { start: at(-100) }).count()),
  );
}

describe('workers on one store', () => {
  test('compute each bucket once, whoever comes to it first', async () => {
    const { worker, warnings } = await open();
    const ids = await fill(worker());
    const written = await Promise.all(
      Array.from({ length: 4 }, () =>
        worker().downsampleStreams({ returnDatapoints: true, concurrency: 2 }),
      ),
    );
    const buckets = written
      .flat()
      .filter(({ granularity }) => granularity.name === '10seconds')
      .map(({ streamId, datapoint }) => `${streamId} ${(datapoint.t as { a: Date }).a.getTime()}`);
    expect(new Set(buckets).size).toBe(buckets.length);
    expect(buckets).toHaveLength(STREAM_COUNT * 2);
    expect(await bucketCounts(worker(), ids)).toEqual(ids.map(() => 2));
    expect(warnings).toEqual([]);
  });

  test('go through the streams in orders of their own', async () => {
    const orders: string[] = [];
    for (let run = 0; run < 2; run++) {
      const { backend, worker } = await open();
      const ids = await fill(worker());
      await worker().downsampleStreams({ concurrency: 1 });
      orders.push(backend.acquired.map((id) => ids.indexOf(id)).join());
      expect(backend.acquired).toHaveLength(STREAM_COUNT);
    }
    // Equal by chance once in 10⁴⁷ runs.
    expect(orders[0]).not.toBe(orders[1]);
  });

  test('leave a stream that another one holds to it', async () => {
    const { backend, worker } = await open();
    const ids = await fill(worker());
    await backend.acquireLease(ids[7]!, { owner: 'other', durationMs: 60_000 });
    await worker().downsampleStreams();
    expect(await bucketCounts(worker(), ids)).toEqual(ids.map((_, n) => (n === 7 ? 0 : 2)));
    expect(backend.refused).toEqual([ids[7]]);
    WatchedBackend.clockMs += 60_000;
    await worker().downsampleStreams();
    expect(await bucketCounts(worker(), ids)).toEqual(ids.map(() => 2));
  });

  test('do the rest of the history before they wait for what another one processes', async () => {
    const { backend, worker } = await open();
    const datastream = worker();
    const ids = await fill(datastream);
    const derived: StreamId[] = [];
    for (const [n, deriveFrom] of ids.slice(0, 3).entries()) {
      const definition = { ...SECONDS, deriveFrom, deriveOp: 'sum' };
      derived.push(await datastream.ensureStream({ derived: n }, definition));
    }
    const top = await datastream.ensureStream(
      { top: 1 },
      { ...SECONDS, deriveFrom: derived, deriveOp: 'sum' },
    );
    await backend.acquireLease(derived[0]!, { owner: 'other', durationMs: 60_000 });
    let finishedCount = 0;
    const run = worker().backprocessStreams({
      onProgress: ({ streamCount }) => {
        finishedCount = streamCount;
        // The others are done: the holder is declared dead.
        if (streamCount === 2) WatchedBackend.clockMs += 60_000;
      },
    });
    await run;
    expect(finishedCount).toBe(4);
    expect(await datastream.getData(top, 'seconds', { start: at(-100) }).count()).toBe(3);
  });

  test('end a run at once when the store is away', async () => {
    const { backend, worker, warnings } = await open();
    await fill(worker());
    const run = worker().downsampleStreams({
      concurrency: 1,
      onProgress: ({ streamCount }) => {
        backend.isAway = streamCount === 3;
      },
    });
    await expect(run).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
    expect(warnings).toEqual([]);
    expect(backend.acquired).toHaveLength(3);
  });
});

describe('a shard', () => {
  test('is one of disjoint parts of about the same size, which are the same in every version', () => {
    const ids = Array.from({ length: 4000 }, () => randomUUID() as string as StreamId);
    const parts = [0, 1, 2, 3].map((index) =>
      ids.filter((id) => isInShard(id, { index, count: 4 })),
    );
    expect(new Set(parts.flat()).size).toBe(ids.length);
    for (const part of parts) expect(Math.abs(part.length - 1000)).toBeLessThan(200);
    const fixed = '0b8f1c9e-7d34-4c7b-9f0e-2f6b5a1c3d4e' as StreamId;
    const indexes = [0, 1, 2, 3, 4, 5, 6].filter((index) => isInShard(fixed, { index, count: 7 }));
    expect(indexes).toEqual([4]);
  });

  test('is all that a run maintains, and together they do everything', async () => {
    const { worker, backend } = await open();
    const datastream = worker();
    const ids = await fill(datastream);
    for (const [n, id] of ids.entries()) {
      const derivation = { deriveFrom: { stream: id, granularity: '10seconds' }, deriveOp: 'sum' };
      const definition = { ...SECONDS, highestGranularity: '10seconds', ...derivation };
      ids.push(await datastream.ensureStream({ derived: n }, definition));
      if (n === STREAM_COUNT - 1) break;
    }
    for (let round = 0; round < 2; round++) {
      for (const index of [0, 1, 2]) {
        const shard = { index, count: 3 };
        backend.acquired.length = 0;
        await worker().downsampleStreams({ shard });
        await worker().backprocessStreams({ shard });
        expect(backend.acquired.filter((id) => !isInShard(id, shard))).toEqual([]);
      }
    }
    backend.acquired.length = 0;
    await worker().downsampleStreams();
    await worker().backprocessStreams();
    expect(backend.acquired).toEqual([]);
    expect(await bucketCounts(worker(), ids.slice(0, STREAM_COUNT))).toEqual(
      ids.slice(0, STREAM_COUNT).map(() => 2),
    );
    expect(await datastream.verify()).toMatchObject({ differenceCount: 0, staleRangeCount: 0 });
  });

  test.each<[string, unknown]>([
    ['an index below 0', { index: -1, count: 2 }],
    ['an index that is not below the count', { index: 2, count: 2 }],
    ['a count of 0', { index: 0, count: 0 }],
    ['a broken index', { index: 0.5, count: 2 }],
    ['no count', { index: 0 }],
    ['an unknown part', { index: 0, count: 1, of: 2 }],
    ['text', '1/2'],
  ])('with %s is refused', async (_name, shard) => {
    const { worker } = await open();
    const options = { shard } as BackprocessOptions;
    const error = { name: expect.stringMatching(/^(Type|Range)Error$/) as unknown };
    await expect(worker().downsampleStreams(options)).rejects.toMatchObject(error);
    await expect(worker().backprocessStreams(options)).rejects.toMatchObject(error);
  });
});

describe('the duration of leases', () => {
  test('is two minutes unless it is told', async () => {
    const { backend, worker } = await open();
    await fill(worker());
    await worker().downsampleStreams();
    expect([...backend.durationsMs]).toEqual([120_000]);
  });

  test('is asked of the store, and renewed when a third of it has passed', async () => {
    const { backend, worker } = await open();
    await fill(worker());
    let nowMs = NEVER.getTime();
    const now = (): Date => {
      nowMs += 1001;
      return new Date(nowMs);
    };
    await worker({ leaseDurationMs: 3000, now }).downsampleStreams();
    expect([...backend.durationsMs]).toEqual([3000]);
    expect(backend.renewalCount).toBeGreaterThanOrEqual(STREAM_COUNT);
    backend.renewalCount = 0;
    await worker({ leaseDurationMs: 3004 }).downsampleStreams();
    expect(backend.renewalCount).toBe(0);
  });

  test('may be shorter than the work on one stream: every page keeps the lease', async () => {
    const { backend, warnings, worker } = await open();
    const [streamId] = await fill(worker());
    await worker().appendColumns(streamId!, {
      timestamps: Float64Array.from({ length: 100_000 }, (_, row) => at(1000 + row).valueOf()),
      values: new Float64Array(100_000),
    });
    WatchedBackend.pageMs = 900;
    const now = (): Date => new Date(NEVER.getTime() + WatchedBackend.clockMs);
    await worker({ leaseDurationMs: 2000, now }).downsampleStreams({ queryTags: { n: 0 } });
    WatchedBackend.pageMs = 0;
    expect(warnings).toEqual([]);
    expect(backend.renewalCount).toBeGreaterThan(3);
    const { downsampledUntil } = await worker().getStream(streamId!);
    expect(downsampledUntil.hours).toBeInstanceOf(Date);
  });

  test.each([999, 1000.5, Number.NaN, '5000'])('may not be %p', async (leaseDurationMs) => {
    const { worker } = await open();
    expect(() => worker({ leaseDurationMs } as DatastreamOptions)).toThrow(RangeError);
  });
});
