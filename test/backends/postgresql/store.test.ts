import { expect, test } from '@jest/globals';
import { Client } from 'pg';
import type { Backend } from '../../../src/backends/backend.ts';
import { openBackend } from '../../../src/backends/open-backend.ts';
import {
  append,
  commit,
  createStream,
  newRecord,
  readRaw,
  readRawMeanwhile,
  snapshotOf,
} from '../../../src/conformance/contract/rows-of.ts';
import { BASE_MS } from '../../../src/conformance/fixture.ts';
import { rawBlock } from '../../../src/model/block.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import type { StreamId } from '../../../src/model/stream.ts';
import type { Tags } from '../../../src/model/tags.ts';
import { describeWith } from '../../servers/available.ts';
import type { Store } from '../../servers/stores.ts';

const HOSTILE = `x'; DROP TABLE streams; --\n",a=1 `;

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

async function codeOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return null;
}

/** The database of the store, in which several schemas may stand. */
async function withStore(
  createStore: () => Promise<Store>,
  body: (url: string, open: (more?: string) => Promise<Backend>) => Promise<void>,
): Promise<void> {
  const store = await createStore();
  const opened: Backend[] = [];
  const separator = store.url.includes('?') ? '&' : '?';
  try {
    await body(store.url, async (more = '') => {
      const backend = await openBackend(more === '' ? store.url : store.url + separator + more);
      opened.push(backend);
      return backend;
    });
  } finally {
    for (const backend of opened) await backend.close();
    await store.drop();
  }
}

describeWith('postgresql', ({ createStore }) => {
  test('several processes may open one store for the first time at once', async () => {
    await withStore(createStore, async (_url, open) => {
      const backends = await Promise.all(Array.from({ length: 6 }, () => open()));
      const id = await createStream(backends[0]!, { name: 'a' });
      for (const backend of backends) {
        expect((await snapshotOf(backend, id)).record.tags).toEqual({ name: 'a' });
      }
    });
  });

  test('each schema is a store of its own', async () => {
    await withStore(createStore, async (url, open) => {
      const [one, two] = [await open('schema=one'), await open('schema=two')];
      await createStream(one, {});
      expect(await one.countStreams({})).toBe(1);
      expect(await two.countStreams({})).toBe(0);
      const tables = await query(url, `SELECT 1 FROM pg_tables WHERE schemaname = 'datastream'`);
      expect(tables).toEqual([]);
    });
  });

  test('a store of a newer version, or of another backend, is left alone', async () => {
    await withStore(createStore, async (url, open) => {
      await open();
      await query(url, 'UPDATE datastream.format SET version = 99');
      expect(await codeOf(() => open())).toBe('STORE_FORMAT_UNSUPPORTED');
      await query(url, `UPDATE datastream.format SET version = 1, layout = 'influxdb'`);
      expect(await codeOf(() => open())).toBe('STORE_FORMAT_UNSUPPORTED');
    });
  });

  test('a read-only database refuses appends and serves reads, also when opened so', async () => {
    await withStore(createStore, async (url, open) => {
      const before = await open();
      const id = await createStream(before, { name: 'a' });
      await append(before, id, [[0, 1]]);
      const database = new URL(url).pathname.slice(1);
      await query(url, `ALTER DATABASE "${database}" SET default_transaction_read_only = on`);
      const backend = await open();
      expect(await readRaw(backend, id)).toEqual([[0, 1]]);
      expect(await codeOf(() => append(backend, id, [[1, 2]]))).toBe('STREAM_APPEND_FAILED');
      expect(await codeOf(() => backend.acquireLease(id, { owner: 'a', durationMs: 1 }))).toBe(
        'BACKEND_UNAVAILABLE',
      );
      await query(
        url,
        `BEGIN READ WRITE; ALTER DATABASE "${database}" RESET default_transaction_read_only; COMMIT`,
      );
      expect(await readRaw(backend, id)).toEqual([[0, 1]]);
    });
  });

  test('the pool is bounded, whatever is asked at once', async () => {
    await withStore(createStore, async (url, open) => {
      const backend = await open('pool=3&application_name=bounded');
      const ids: StreamId[] = [];
      for (let index = 0; index < 20; index++) ids.push(await createStream(backend, { index }));
      const work = ids.flatMap((id, index) => [
        append(backend, id, [[index, index]]),
        backend.readStreams([id]),
        readRawMeanwhile(backend, id),
      ]);
      const count = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'bounded'`;
      const [counted] = await Promise.all([query(url, count), ...work]);
      const after = await query(url, count);
      for (const [row] of [counted, after]) expect(row?.['n']).toBeLessThanOrEqual(3);
      expect(after[0]?.['n']).toBeGreaterThan(0);
      await backend.close();
    });
  });

  test('close waits for the work under way, whose results then stand', async () => {
    await withStore(createStore, async (_url, open) => {
      const reopened = await open();
      const id = await createStream(reopened, {});
      for (const size of [1, 2, 8]) {
        const backend = await open(`pool=${size}`);
        const before = (await readRaw(reopened, id)).length;
        const appending = Array.from({ length: 20 }, (_, n) => append(backend, id, [[n, size]]));
        const reading = Array.from({ length: 20 }, () => backend.countStreams({}));
        await backend.close();
        await Promise.all(appending);
        expect(await Promise.all(reading)).toEqual(Array.from({ length: 20 }, () => 1));
        expect((await readRaw(reopened, id)).length).toBe(before + 20);
      }
    });
  });

  test('replacing an instant takes its rows from the last block and from the tail', async () => {
    await withStore(createStore, async (_url, open) => {
      const backend = await open();
      const id = await createStream(backend, {});
      // More than a tail takes, so that the tail then begins with the instant that ends the last block.
      const many = Array.from({ length: 2000 }, (_, n) => [1, Math.sin(n)] as const);
      await append(backend, id, many);
      await append(backend, id, [[1, 9]]);
      await append(backend, id, [[2, 2]]);
      const { block, range } = {
        block: rawBlock(Float64Array.of(BASE_MS + 1000), Float64Array.of(7)),
        range: { startMs: BASE_MS + 1000, endMs: BASE_MS + 1001 },
      };
      const place = { streamId: id, granularity: Granularity.Seconds };
      await commit(backend, { expect: [], writes: [{ kind: 'replace', ...place, range, block }] });
      expect(await readRaw(backend, id)).toEqual([
        [1, 7],
        [2, 2],
      ]);
    });
  });

  test('more rows of one instant than a block holds are refused, and nothing is stored', async () => {
    await withStore(createStore, async (_url, open) => {
      const backend = await open();
      const id = await createStream(backend, {});
      await append(backend, id, [[0, 1]]);
      const rows = Array.from({ length: 2 ** 20 + 1 }, () => [1, 2] as const);
      expect(await codeOf(() => append(backend, id, rows))).toBe('STREAM_APPEND_FAILED');
      expect(await readRaw(backend, id)).toEqual([[0, 1]]);
    });
  });

  test('leases run by the clock of the server, not by that of the process', async () => {
    await withStore(createStore, async (url, open) => {
      const backend = await open();
      const id = await createStream(backend, {});
      expect(await backend.acquireLease(id, { owner: 'a', durationMs: 60_000 })).toBe(true);
      const [row] = await query(
        url,
        `SELECT until_ms - extract(epoch FROM clock_timestamp()) * 1000 AS left FROM datastream.leases`,
      );
      expect(Number(row!['left'])).toBeGreaterThan(0);
      expect(Number(row!['left'])).toBeLessThanOrEqual(60_000);
      await query(url, 'UPDATE datastream.leases SET until_ms = until_ms - 60001');
      expect(await backend.renewLease(id, { owner: 'a', durationMs: 60_000 })).toBe(false);
      expect(await backend.acquireLease(id, { owner: 'b', durationMs: 60_000 })).toBe(true);
      expect(await backend.acquireLease(id, { owner: 'a', durationMs: 60_000 })).toBe(false);
    });
  });

  test('hostile tags, ids and owners are just values', async () => {
    await withStore(createStore, async (_url, open) => {
      const backend = await open();
      const texts = [HOSTILE, 'a\u0000b', '\ud800', 'a\udc00b', '\\u0000', '$1', '%s', '{"a":1}'];
      for (const text of texts) {
        const tags: Tags = { name: text, [text]: { [text]: [text, { [text]: 1 }] } };
        const id = await createStream(backend, tags);
        expect((await snapshotOf(backend, id)).record.tags).toEqual(tags);
        const found = await backend.queryStreams({ tags, limit: 10 });
        expect(found.map(({ record }) => record.id)).toEqual([id]);
        expect(await backend.countStreams({ name: text })).toBe(1);
        await append(backend, id, [[0, 1]]);
        expect(await readRaw(backend, id)).toEqual([[0, 1]]);
        const strange = text as StreamId;
        expect(await backend.readStreams([strange])).toEqual([null]);
        expect(await backend.acquireLease(strange, { owner: text, durationMs: 1000 })).toBe(true);
        await backend.releaseLease(strange, text);
      }
      expect(await backend.countStreams({})).toBe(texts.length);
    });
  });

  test('two clients that append to the same streams lose and double nothing', async () => {
    await withStore(createStore, async (_url, open) => {
      const clients = [await open(), await open()];
      const ids: StreamId[] = [];
      for (let index = 0; index < 20; index++) ids.push(await createStream(clients[0]!, { index }));
      const TICK_COUNT = 150;
      await Promise.all(
        clients.map(async (client, n) => {
          // Each in its own order, so that they meet in every way.
          const own = n === 0 ? ids : ids.toReversed();
          await client.readStreams(ids);
          for (let tick = 0; tick < TICK_COUNT; tick++) {
            const values = Float64Array.from(own, () => n);
            await commit(client, {
              expect: [],
              writes: [{ kind: 'tick', timestampMs: tick * 1000, streamIds: own, values }],
            });
          }
        }),
      );
      for (const id of ids) {
        const rows = await readRaw(clients[0]!, id);
        expect(rows.length).toBe(2 * TICK_COUNT);
        expect(rows.filter(([, value]) => value === 0).length).toBe(TICK_COUNT);
        const times = rows.map(([second]) => second);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
      }
    });
  });

  test('of commits on one version by several clients exactly one takes effect', async () => {
    await withStore(createStore, async (_url, open) => {
      const clients = await Promise.all(Array.from({ length: 4 }, () => open()));
      const id = await createStream(clients[0]!, {});
      for (const client of clients) await client.readStreams([id]);
      for (let round = 0; round < 40; round++) {
        const { version } = await snapshotOf(clients[0]!, id);
        const block = rawBlock(Float64Array.of(round * 1000), Float64Array.of(round));
        const outcomes = await Promise.all(
          clients.map((client) =>
            client.commit({
              expect: [{ streamId: id, version }],
              writes: [{ kind: 'append', streamId: id, granularity: Granularity.Seconds, block }],
            }),
          ),
        );
        expect(outcomes.filter(({ isCommitted }) => isCommitted).length).toBe(1);
      }
      expect((await readRaw(clients[0]!, id)).map(([, value]) => value)).toEqual(
        Array.from({ length: 40 }, (_, round) => round),
      );
    });
  });

  test('streams created by many clients at once have ordinals in the order of creation', async () => {
    await withStore(createStore, async (_url, open) => {
      const clients = await Promise.all(Array.from({ length: 3 }, () => open()));
      const seen: number[] = [];
      await Promise.all(
        clients.map(async (client) => {
          for (let index = 0; index < 20; index++) {
            const record = newRecord({ index });
            await commit(client, { expect: [], create: [{ record }] });
            const { ordinal } = await snapshotOf(client, record.id);
            // Whoever paged up to here would miss a smaller one that came later.
            expect(ordinal).toBeGreaterThan(Math.max(0, ...seen.slice(0, -clients.length)));
            seen.push(ordinal);
          }
        }),
      );
      expect(new Set(seen).size).toBe(60);
    });
  });

  test('after deletion by another client an append conflicts, and nothing is stored', async () => {
    await withStore(createStore, async (url, open) => {
      const [a, b] = [await open(), await open()];
      const id = await createStream(a, {});
      await append(a, id, [[0, 1]]);
      await commit(b, { expect: [], delete: [id] });
      const block = rawBlock(Float64Array.of(1000), Float64Array.of(1));
      const outcome = await a.commit({
        expect: [],
        writes: [{ kind: 'append', streamId: id, granularity: Granularity.Seconds, block }],
      });
      expect(outcome).toEqual({ isCommitted: false, conflicts: [id] });
      for (const table of ['streams', 'heads', 'blocks', 'leases']) {
        expect(await query(url, `SELECT 1 FROM datastream.${table}`)).toEqual([]);
      }
    });
  });
});
