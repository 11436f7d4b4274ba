import assert from 'node:assert/strict';
import type { Backend } from '../../backends/backend.ts';
import { Granularity } from '../../model/granularity.ts';
import { ALL_TIME } from '../../model/time-range.ts';
import { assertCode, type Suite } from '../fixture.ts';
import { append, createStream, newRecord, readRaw, snapshotOf } from './rows-of.ts';

const { id } = newRecord({});
const LEASE = { owner: 'a', durationMs: 1000 };

/** Each method of the contract that needs an open store. */
const OPERATIONS: Readonly<Record<string, (backend: Backend) => Promise<unknown>>> = {
  readStreams: (backend) => backend.readStreams([id]),
  queryStreams: (backend) => backend.queryStreams({ tags: {}, limit: 1 }),
  countStreams: (backend) => backend.countStreams({}),
  commit: (backend) => backend.commit({ expect: [], create: [{ record: newRecord({}) }] }),
  readPage: (backend) =>
    backend.readPage({
      streamId: id,
      granularity: Granularity.Seconds,
      range: ALL_TIME,
      rowCountMax: 1,
    }),
  readRows: (backend) =>
    backend.readRows({ streamId: id, granularity: Granularity.Seconds, range: ALL_TIME }),
  readStreamRows: (backend) =>
    backend.readStreamRows(id, () => ({
      rows: { granularity: Granularity.Seconds, range: ALL_TIME },
    })),
  skipRows: (backend) =>
    backend.skipRows({
      streamId: id,
      granularity: Granularity.Seconds,
      range: ALL_TIME,
      rowCountMax: 1,
    }),
  streamSize: (backend) => backend.streamSize(id),
  storeSize: (backend) => backend.storeSize(),
  acquireLease: (backend) => backend.acquireLease(id, LEASE),
  renewLease: (backend) => backend.renewLease(id, LEASE),
  releaseLease: (backend) => backend.releaseLease(id, 'a'),
};

export function lifecycleTopic({ test }: Suite): void {
  test('the manifest answers every question', async ({ backend: { supports } }) => {
    const { timestampRange, levels, valueDownsamplers, timeDownsamplers, ...flags } = supports;
    assert.deepEqual(
      Object.fromEntries(Object.entries(flags).map(([key, flag]) => [key, typeof flag])),
      {
        transactions: 'boolean',
        durable: 'boolean',
        processes: 'boolean',
        equalTimestamps: 'boolean',
        groupValues: 'boolean',
        highAccuracy: 'boolean',
        liveLevels: 'boolean',
        extraLevels: 'boolean',
        backup: 'boolean',
      },
    );
    assert(levels === 'stored' || levels === 'computed');
    for (const names of [valueDownsamplers, timeDownsamplers]) {
      assert(names === 'all' || names.includes('mean'), 'every backend gives the mean');
    }
    assert(timestampRange.startMs <= 0, 'the epoch is supported');
    assert(timestampRange.endMs >= 2 ** 31 * 1000, 'the years to 2038 are supported');
  });

  test('backups overwrite nothing, and are refused where there are none', async ({ backend }) => {
    const code = backend.supports.backup ? 'BACKEND_UNAVAILABLE' : 'NOT_SUPPORTED';
    await assertCode(() => backend.backUp('.'), code);
    await backend.close();
    await assertCode(() => backend.backUp('.'), 'BACKEND_CLOSED');
  });

  test('open() of an open store does nothing', async ({ backend }) => {
    const streamId = await createStream(backend, {});
    await backend.open();
    await Promise.all([backend.open(), backend.open()]);
    await snapshotOf(backend, streamId);
  });

  test('close() may be repeated, also while it runs', async ({ backend }) => {
    await Promise.all([backend.close(), backend.close()]);
    await backend.close();
  });

  test('a closed store does not open again', async ({ backend }) => {
    await backend.close();
    await assertCode(() => backend.open(), 'BACKEND_CLOSED');
  });

  for (const [name, operation] of Object.entries(OPERATIONS)) {
    test(`${name}() works on an open store and rejects on a closed one`, async ({ backend }) => {
      await operation(backend);
      await backend.close();
      await assertCode(() => operation(backend), 'BACKEND_CLOSED');
    });
  }

  test('exactly a durable store can be reopened, with all that was committed', async (fixture) => {
    const { backend, store } = fixture;
    assert.equal(store.reopen !== undefined, backend.supports.durable);
    if (store.reopen === undefined) return;
    const record = newRecord({ name: 'kept', nested: { list: [1, { deep: null }] } });
    await backend.commit({ expect: [], create: [{ record }] });
    await append(backend, record.id, [
      [1, 10],
      [3, 30],
    ]);
    await append(backend, record.id, [[2, 20]]);
    const before = await snapshotOf(backend, record.id);
    await fixture.reopen();
    assert.deepEqual(await snapshotOf(fixture.backend, record.id), before);
    assert.deepEqual(await readRaw(fixture.backend, record.id), [
      [1, 10],
      [2, 20],
      [3, 30],
    ]);
    await assertCode(() => backend.readStreams([record.id]), 'BACKEND_CLOSED');
  });

  test('creation order goes on after reopening', async (fixture) => {
    if (!fixture.backend.supports.durable) return;
    const first = await createStream(fixture.backend, {});
    const before = await snapshotOf(fixture.backend, first);
    await fixture.reopen();
    const second = await createStream(fixture.backend, {});
    const after = await snapshotOf(fixture.backend, second);
    assert(after.ordinal > before.ordinal);
  });
}
