import { expect, test } from '@jest/globals';
import { Datastream } from '../../../src/api/datastream.ts';
import type { Backend } from '../../../src/backends/backend.ts';
import { openBackend } from '../../../src/backends/open-backend.ts';
import {
  commit,
  createStream,
  readRaw,
  readRawMeanwhile,
  readRows,
} from '../../../src/conformance/contract/rows-of.ts';
import { BASE_MS } from '../../../src/conformance/fixture.ts';
import { Fold } from '../../../src/downsamplers/fold.ts';
import { LevelSchema } from '../../../src/downsamplers/level-schema.ts';
import { type Column, EMPTY_BLOCK, rawBlock } from '../../../src/model/block.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import type { StreamId } from '../../../src/model/stream.ts';
import { describeWith } from '../../servers/available.ts';

const DOWNSAMPLERS = ['mean', 'sum', 'min', 'max', 'sum_squares', 'std_dev', 'count'];

/** Numbers from 0 up to 2³² in an order that is the same in each run (Numerical Recipes, 7.1). */
function* pseudoRandom(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state;
  }
}

function put(
  backend: Backend,
  streamId: StreamId,
  { seconds, values }: { readonly seconds: readonly number[]; readonly values: Column },
): Promise<unknown> {
  const timestamps = Float64Array.from(seconds, (second) => BASE_MS + second * 1000);
  const block = rawBlock(timestamps, values);
  const write = { kind: 'append', streamId, granularity: Granularity.Seconds, block } as const;
  return commit(backend, { expect: [], writes: [write] });
}

/** The store, opened with so many connections for commits and reads. */
function withPool(storeUrl: string, poolSize: number): string {
  const [server, encoded] = storeUrl.split('?metadata=') as [string, string];
  const metadata = decodeURIComponent(encoded);
  const withSize = `${metadata}${metadata.includes('?') ? '&' : '?'}pool=${poolSize}`;
  return `${server}?metadata=${encodeURIComponent(withSize)}`;
}

/** Names of what InfluxDB keeps of a store. */
async function measurements(storeUrl: string): Promise<readonly string[]> {
  const { host, pathname, username, password } = new URL(storeUrl.replace(/^influxdb/, 'http'));
  const response = await fetch(`http://${host}/query`, {
    method: 'POST',
    body: new URLSearchParams({ q: 'SHOW MEASUREMENTS', db: pathname.slice(1) }),
    headers: username === '' ? {} : { authorization: `Basic ${btoa(`${username}:${password}`)}` },
  });
  const answer = (await response.json()) as {
    results: { series?: { values: [string][] }[] }[];
  };
  return (answer.results[0]!.series?.[0]?.values ?? []).map(([name]) => name);
}

describeWith('influxdb', ({ createStore }) => {
  async function withBackend(body: (backend: Backend, url: string) => Promise<void>) {
    const store = await createStore();
    const backend = await openBackend(store.url);
    try {
      await body(backend, store.url);
    } finally {
      await backend.close();
      await store.drop();
    }
  }

  test('any finite float comes back with the same bits', () =>
    withBackend(async (backend) => {
      const id = await createStream(backend, {});
      const random = pseudoRandom(7);
      const words = Uint32Array.from({ length: 20_000 }, () => random.next().value);
      const anything = new Float64Array(words.buffer).filter(Number.isFinite);
      const edges = [-0, 0, 5e-324, -5e-324, 2.2250738585072014e-308, 2.225073858507201e-308];
      const values = Float64Array.of(
        ...anything,
        ...edges,
        Number.MAX_VALUE,
        -Number.MAX_VALUE,
        0.1,
        1 / 3,
        2 ** 53 + 2,
        1e21,
        1e-7,
      );
      await put(backend, id, { seconds: [...values.keys()], values });
      const rows = await readRaw(backend, id, { rowCountMax: 5000 });
      expect(rows.length).toBe(values.length);
      const wrong = rows.filter(([second, value]) => !Object.is(value, values[second]));
      expect(wrong).toEqual([]);
    }));

  test('texts of any kind are values and nothing else', () =>
    withBackend(async (backend) => {
      const id = await createStream(backend, {}, { valueType: 'nominal' });
      const texts = [
        'x\'; DROP TABLE streams; --\n",a=1 ',
        '"; DROP MEASUREMENT x; --',
        '\\',
        '\\"',
        'ends\\',
        'a,b=c d',
        '\n\r\t\u0000\u0001\u007f',
        '\u2028 čšž 漢字 😀 \ud800',
        '\\n',
        '',
      ];
      const values = [...texts, ...texts.map((text) => ({ [text]: [text, { [text]: text }] }))];
      await put(backend, id, { seconds: [...values.keys()], values });
      expect(await readRaw(backend, id)).toEqual(values.map((value, second) => [second, value]));
    }));

  test('a text at the limit is kept, and one beyond it is refused with all that came with it', () =>
    withBackend(async (backend) => {
      const id = await createStream(backend, {}, { valueType: 'nominal' });
      const fitting = 'é'.repeat((65_535 - 3) / 2);
      await put(backend, id, { seconds: [0], values: [fitting] });
      const refused = put(backend, id, { seconds: [1, 2], values: ['short', `${fitting}é`] });
      await expect(refused).rejects.toMatchObject({ code: 'STREAM_APPEND_FAILED' });
      expect(await readRaw(backend, id)).toEqual([[0, fitting]]);
    }));

  test('what InfluxDB cannot hold is refused before anything is stored', () =>
    withBackend(async (backend) => {
      const id = await createStream(backend, {});
      const { startMs, endMs } = backend.supports.timestampRange;
      for (const second of [startMs - 1000, endMs].map((ms) => (ms - BASE_MS) / 1000)) {
        const refused = put(backend, id, { seconds: [second], values: Float64Array.of(1) });
        await expect(refused).rejects.toMatchObject({ code: 'INVALID_TIMESTAMP' });
      }
      for (const values of [Float64Array.of(Number.POSITIVE_INFINITY), [{ c: 1 }], ['1.5']]) {
        const refused = put(backend, id, { seconds: [0], values });
        await expect(refused).rejects.toMatchObject({ code: 'NOT_SUPPORTED' });
      }
      expect(await readRaw(backend, id)).toEqual([]);
    }));

  test('nulls over values, values over nulls, and nulls alone are what was written last', () =>
    withBackend(async (backend) => {
      const id = await createStream(backend, {});
      const write = (seconds: readonly number[], values: readonly (number | null)[]) =>
        put(backend, id, { seconds, values });
      await write([0, 1, 2, 3], [1, null, 3, null]);
      await write([0, 1, 2], [null, 2, 30]);
      await write([3], [null]);
      expect(await readRaw(backend, id)).toEqual([
        [0, null],
        [1, 2],
        [2, 30],
        [3, null],
      ]);
      const minutes = await readRows(backend, id, { granularity: Granularity.Minutes });
      expect(minutes.map(([, { c, s }]) => [c, s])).toEqual([[2, 32]]);
    }));

  test('levels are what our own fold gives, before and after the past has changed', () =>
    withBackend(async (backend) => {
      const valueDownsamplers = DOWNSAMPLERS;
      const id = await createStream(backend, {}, { valueDownsamplers });
      const schema = LevelSchema.of({
        valueType: 'numeric',
        valueTypeOptions: {},
        valueDownsamplers,
      });
      const random = pseudoRandom(3);
      const rows = new Map<number, number>();
      const write = async (seconds: readonly number[]) => {
        // Quarters: their sums are exact in any order. Some of the buckets stay empty, some rows null.
        const values = Float64Array.from(seconds, () => {
          const next = random.next().value;
          return next % 9 === 0 ? Number.NaN : 1e6 + (next % 4000) / 4;
        });
        for (const [index, second] of seconds.entries()) rows.set(second, values[index]!);
        await put(backend, id, { seconds, values });
      };
      const expectLevels = async () => {
        const seconds = [...rows.keys()].sort((a, b) => a - b);
        const block = rawBlock(
          Float64Array.from(seconds, (second) => BASE_MS + second * 1000),
          Float64Array.from(seconds, (second) => rows.get(second)!),
        );
        for (const granularity of Granularity.values.slice(1)) {
          const fold = new Fold(schema, granularity);
          fold.addRaw(block);
          const wanted = fold.finish();
          for (const isReverse of [false, true]) {
            const pages = await readRows(backend, id, { granularity, isReverse, rowCountMax: 700 });
            expect(pages.map(([ms]) => ms)).toEqual([...wanted.timestamps]);
            for (const column of ['c', 's', 'l', 'u', 'q']) {
              expect(pages.map(([, cells]) => cells[column])).toEqual([...wanted.columns[column]!]);
            }
            for (const column of ['mu', 'm2']) {
              for (const [row, [, cells]] of pages.entries()) {
                expect(cells[column]).toBeCloseTo(Number(wanted.columns[column]![row]), 4);
              }
            }
          }
        }
      };
      const days = (count: number, from: number) =>
        Array.from({ length: count * 240 }, (_, n) => from + n * 360);
      await write(days(9, 0).filter((second) => second % 86_400 < 70_000));
      await expectLevels();
      await expectLevels();
      await write([-3 * 86_400, 5, 86_407, 400_000]);
      await expectLevels();
      await write(days(2, 9 * 86_400));
      const emptied = { startMs: BASE_MS + 86_400_000, endMs: BASE_MS + 3 * 86_400_000 };
      const empty = rawBlock(new Float64Array(0), new Float64Array(0));
      await commit(backend, {
        expect: [],
        writes: [
          {
            kind: 'replace',
            streamId: id,
            granularity: Granularity.Seconds,
            range: emptied,
            block: empty,
          },
        ],
      });
      for (const second of rows.keys()) {
        if (second >= 86_400 && second < 3 * 86_400) rows.delete(second);
      }
      await expectLevels();
    }));

  test('the deviation of 10⁹ ± 0.5 is exact, and a sum that overflows is infinite', () =>
    withBackend(async (backend) => {
      const id = await createStream(backend, {}, { valueDownsamplers: DOWNSAMPLERS });
      const values = Float64Array.of(1e9 - 0.5, 1e9 + 0.5, 1e9 - 0.5, 1e9 + 0.5);
      await put(backend, id, { seconds: [0, 1, 2, 3], values });
      const huge = Float64Array.of(1.7e308, 1.7e308);
      await put(backend, id, { seconds: [60, 61], values: huge });
      const rows = await readRows(backend, id, { granularity: Granularity.Minutes });
      expect(rows[0]![1]['m2']).toBeCloseTo(1, 12);
      expect(rows[1]![1]).toMatchObject({ c: 2, s: Number.POSITIVE_INFINITY, u: 1.7e308 });
    }));

  test('two processes that overwrite the same rows leave the row of the later commit', () =>
    withBackend(async (backend, storeUrl) => {
      const other = await openBackend(storeUrl);
      try {
        const id = await createStream(backend, {});
        const versions = new Map<string, number>();
        const order: number[] = [];
        let value = 0;
        const writeAll = async (one: Backend) => {
          for (let round = 0; round < 60; round++) {
            const mine = ++value;
            const before = await one.readStreams([id]);
            const write = {
              kind: 'append',
              streamId: id,
              granularity: Granularity.Seconds,
              block: rawBlock(Float64Array.of(BASE_MS), Float64Array.of(mine)),
            } as const;
            const { version } = before[0]!;
            const outcome = await one.commit({
              expect: [{ streamId: id, version }],
              writes: [write],
            });
            if (!outcome.isCommitted) continue;
            versions.set(String(outcome.version), mine);
            order.push(mine);
          }
        };
        await Promise.all([writeAll(backend), writeAll(other)]);
        const [last] = await backend.readStreams([id]);
        const wanted = [[0, versions.get(String(last!.version))]];
        expect(order.length).toBeGreaterThan(60);
        expect(await readRaw(backend, id)).toEqual(wanted);
        expect(await readRaw(other, id)).toEqual(wanted);
      } finally {
        await other.close();
      }
    }));

  test('readers see a rewritten stretch whole, before or after', () =>
    withBackend(async (backend) => {
      const id = await createStream(backend, {});
      const seconds = Array.from({ length: 200 }, (_, n) => n);
      const rewrite = (value: number, step: number) => {
        const kept = seconds.filter((second) => second % step === 0);
        const timestamps = Float64Array.from(kept, (second) => BASE_MS + second * 1000);
        const block = rawBlock(timestamps, new Float64Array(kept.length).fill(value));
        const range = { startMs: BASE_MS, endMs: BASE_MS + 200_000 };
        const granularity = Granularity.Seconds;
        const write = { kind: 'replace', streamId: id, granularity, range, block } as const;
        return commit(backend, { expect: [], writes: [write] });
      };
      await rewrite(0, 1);
      let isRunning = true;
      const writing = (async () => {
        for (let round = 1; round <= 15; round++) await rewrite(round, (round % 3) + 1);
      })().finally(() => {
        // Also of a writer that fails: nobody would end the reader's loop.
        isRunning = false;
      });
      while (isRunning) {
        const rows = await readRawMeanwhile(backend, id);
        const [value] = new Set(rows.map(([, v]) => v as number));
        const step = value === 0 ? 1 : (value! % 3) + 1;
        const wanted = seconds.filter((second) => second % step === 0);
        expect(rows).toEqual(wanted.map((second) => [second, value]));
      }
      await writing;
    }));

  // Each of them waits for the flush lock with a connection in its hand: whoever holds the lock and asks
  // for a connection, too, waits for them, until a timeout of two minutes.
  test.each([1, 8])('readers and writers of the past finish on a pool of %i', (poolSize) =>
    withBackend(async (_, storeUrl) => {
      const backend = await openBackend(withPool(storeUrl, poolSize));
      try {
        const id = await createStream(backend, {});
        const seconds = Array.from({ length: 20 }, (_, n) => n);
        const put20 = (value: number) =>
          put(backend, id, { seconds, values: new Float64Array(20).fill(value) });
        // Takes the latest row away: the commit looks for the one before it in InfluxDB.
        const cut = () => {
          const range = { startMs: BASE_MS + 10_000, endMs: BASE_MS + 20_000 };
          const write = {
            kind: 'replace',
            streamId: id,
            granularity: Granularity.Seconds,
          } as const;
          return commit(backend, { expect: [], writes: [{ ...write, range, block: EMPTY_BLOCK }] });
        };
        const repeat = async (count: number, work: (round: number) => Promise<void>) => {
          for (let round = 0; round < count; round++) await work(round);
        };
        const write = async (round: number) => {
          await put20(round);
          await cut();
        };
        const read = async () => {
          const rows = await readRawMeanwhile(backend, id);
          expect([10, 20]).toContain(rows.length);
          expect(rows.map(([second]) => second)).toEqual(seconds.slice(0, rows.length));
        };
        await put20(0);
        const writers = [1, 2, 3].map(() => repeat(20, write));
        const readers = [1, 2, 3, 4].map(() => repeat(20, read));
        await Promise.all([...writers, ...readers]);
      } finally {
        await backend.close();
      }
    }),
  );

  test('a measurement goes with its stream, and nothing else does', () =>
    withBackend(async (backend, storeUrl) => {
      const datastream = new Datastream(backend);
      const definition = { valueDownsamplers: ['mean'], highestGranularity: Granularity.Seconds };
      const a = await datastream.ensureStream(
        { name: 'x"; DROP MEASUREMENT /.*/; --' },
        definition,
      );
      const b = await datastream.ensureStream({ name: 'b' }, definition);
      await datastream.append(a, 1, BASE_MS);
      await datastream.append(b, 2, BASE_MS);
      await datastream.deleteStreams({ stream_id: a });
      expect(await readRaw(backend, b as StreamId)).toEqual([[0, 2]]);
      expect(await measurements(storeUrl)).toEqual([b]);
      expect(await readRaw(backend, a as StreamId)).toEqual([]);
    }));
});
