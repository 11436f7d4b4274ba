import { expect, test } from '@jest/globals';
import type { Backend } from '../../../src/backends/backend.ts';
import { openBackend } from '../../../src/backends/open-backend.ts';
import {
  append,
  commit,
  createStream,
  readRaw,
  readRows,
  snapshotOf,
} from '../../../src/conformance/contract/rows-of.ts';
import { BASE_MS } from '../../../src/conformance/fixture.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import type { StreamId } from '../../../src/model/stream.ts';
import { describeWith } from '../../servers/available.ts';

/** Speaks to the store's InfluxDB past the backend. */
async function influx(storeUrl: string, path: string, body: string | URLSearchParams) {
  const { host, pathname, username, password } = new URL(storeUrl.replace(/^influxdb/, 'http'));
  const query = new URLSearchParams({ db: pathname.slice(1), rp: 'datastream', precision: 'ms' });
  const headers: Record<string, string> =
    username === '' ? {} : { authorization: `Basic ${btoa(`${username}:${password}`)}` };
  const response = await fetch(`http://${host}${path}?${query}`, { method: 'POST', body, headers });
  expect(response.ok).toBe(true);
}

/** Gives the measurement of a stream a field of another type: what the stream gets is refused from then on. */
async function spoil(storeUrl: string, streamId: StreamId) {
  await influx(storeUrl, '/write', `${streamId} v="text" ${BASE_MS - 1000}`);
}

async function mend(storeUrl: string, streamId: StreamId) {
  await influx(storeUrl, '/query', new URLSearchParams({ q: `DROP MEASUREMENT "${streamId}"` }));
}

function tick(backend: Backend, streamIds: readonly StreamId[], second: number) {
  const values = Float64Array.from(streamIds, (_, index) => second + index / 4);
  const timestampMs = BASE_MS + second * 1000;
  return commit(backend, {
    expect: [],
    writes: [{ kind: 'tick', timestampMs, streamIds, values }],
  });
}

describeWith('influxdb', ({ createStore }) => {
  async function withStore(
    body: (backend: Backend, url: string, ids: readonly StreamId[]) => Promise<void>,
    parameters = '',
  ) {
    const store = await createStore();
    const backend = await openBackend(store.url + parameters);
    try {
      const ids: StreamId[] = [];
      for (let index = 0; index < 5; index++) ids.push(await createStream(backend, { index }));
      await body(backend, store.url, ids);
    } finally {
      await backend.close();
      await store.drop();
    }
  }

  const expectRefused = async (backend: Backend, streamId: StreamId) => {
    const reading = readRaw(backend, streamId);
    await expect(reading).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
    await expect(reading).rejects.toThrow(streamId);
  };

  test('what InfluxDB refuses for one stream keeps nothing from the others, and is named', () =>
    withStore(async (backend, url, ids) => {
      const spoilt = ids[2]!;
      await spoil(url, spoilt);
      await append(backend, spoilt, [[0, 0]]);
      for (let second = 1; second < 4; second++) await tick(backend, ids, second);
      await append(backend, ids[0]!, [[2, 200]]);
      await expectRefused(backend, spoilt);
      for (const [index, id] of ids.entries()) {
        if (id === spoilt) continue;
        const rows = [1, 2, 3].map((second) => [second, second + index / 4]);
        if (index === 0) rows[1] = [2, 200];
        expect(await readRaw(backend, id)).toEqual(rows);
      }
      const other = await openBackend(url);
      await tick(other, ids, 4);
      await expectRefused(other, spoilt);
      expect((await readRaw(other, ids[4]!)).at(-1)).toEqual([4, 5]);
      await other.close();
    }));

  test('what was refused comes in its order once InfluxDB takes it', () =>
    withStore(async (backend, url, ids) => {
      const spoilt = ids[2]!;
      await spoil(url, spoilt);
      await tick(backend, ids, 1);
      await append(backend, spoilt, [[1, 10]]);
      await append(backend, spoilt, [[2, 20]]);
      await expectRefused(backend, spoilt);
      await append(backend, spoilt, [[2, 21]]);
      expect((await snapshotOf(backend, spoilt)).latestMs).toBe(BASE_MS + 2000);
      await mend(url, spoilt);
      expect(await readRaw(backend, spoilt)).toEqual([
        [1, 10],
        [2, 21],
      ]);
      await tick(backend, ids, 3);
      expect((await readRaw(backend, spoilt)).at(-1)).toEqual([3, 3.5]);
    }));

  test('a stream with refused changes can be deleted, and takes them with it', () =>
    withStore(async (backend, url, ids) => {
      const [, spoilt, alsoSpoilt] = ids;
      await spoil(url, spoilt!);
      await spoil(url, alsoSpoilt!);
      await tick(backend, ids, 1);
      await tick(backend, ids, 2);
      await commit(backend, { expect: [], delete: [spoilt!] });
      expect(await readRaw(backend, spoilt!)).toEqual([]);
      await expectRefused(backend, alsoSpoilt!);
      await mend(url, alsoSpoilt!);
      expect(await readRaw(backend, alsoSpoilt!)).toEqual([
        [1, 1.5],
        [2, 2.5],
      ]);
      expect(await readRaw(backend, ids[0]!)).toHaveLength(2);
    }));

  test('what is held back of one stream is bounded, and the others go on', () =>
    withStore(async (backend, url, ids) => {
      const spoilt = ids[0]!;
      await spoil(url, spoilt);
      let second = 0;
      const filling = async () => {
        for (; second < 1000; second++) await append(backend, spoilt, [[second, second]]);
      };
      await expect(filling()).rejects.toMatchObject({ code: 'STREAM_APPEND_FAILED' });
      expect(second).toBeGreaterThan(1);
      for (let other = 0; other < 30; other++) await append(backend, ids[1]!, [[other, other]]);
      expect(await readRaw(backend, ids[1]!)).toHaveLength(30);
      await mend(url, spoilt);
      expect(await readRaw(backend, spoilt)).toHaveLength(second);
      await append(backend, spoilt, [[second, second]]);
    }, '&backlogMaxBytes=2000'));

  test('a level that InfluxDB fails to compute is a failure, and not an empty level', () =>
    withStore(async (backend, url, [id]) => {
      await append(backend, id!, [
        [0, 1],
        [600_000, 2],
      ]);
      const hours = () => readRows(backend, id!, { granularity: Granularity.Hours });
      const { pathname } = new URL(url.replace(/^influxdb/, 'http'));
      const q = `DROP RETENTION POLICY "datastream" ON "${pathname.slice(1)}"`;
      await influx(url, '/query', new URLSearchParams({ q }));
      await expect(hours()).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
    }));
});
