import assert from 'node:assert/strict';
import { NO_ROW, type Page } from '../../backends/backend.ts';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { BASE_MS, type Fixture, type Suite } from '../fixture.ts';
import {
  append,
  commit,
  createStream,
  newRecord,
  putLevel,
  readPages,
  readRaw,
  readRows,
} from './rows-of.ts';

function range(startSeconds: number, endSeconds: number): { startMs: number; endMs: number } {
  return { startMs: BASE_MS + startSeconds * 1000, endMs: BASE_MS + endSeconds * 1000 };
}

/** A stream with rows (n, n) for n from 0, appended in commits of uneven size. */
async function numbered({ backend }: Fixture, rowCount: number): Promise<StreamId> {
  const id = await createStream(backend, {});
  for (let from = 0, size = 1; from < rowCount; from += size, size = (size * 7) % 113) {
    const length = Math.min(size, rowCount - from);
    await append(
      backend,
      id,
      Array.from({ length }, (_, n) => [from + n, from + n] as const),
    );
  }
  return id;
}

/** The page in memory of its own. */
function copyOf({ block: { timestamps, columns }, rest }: Page): Page {
  const copies = Object.entries(columns).map(([name, column]) => [name, column.slice()]);
  return { block: { timestamps: timestamps.slice(), columns: Object.fromEntries(copies) }, rest };
}

/** Numbers from 0 up to 2³² in an order that is the same in each run (Numerical Recipes, 7.1). */
function* pseudoRandom(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state;
  }
}

export function pagesTopic({ test }: Suite): void {
  test('a stream is as large as its rows, where the store knows it', async (fixture) => {
    const { backend } = fixture;
    assert.equal(await backend.streamSize(newRecord({}).id), null);
    const sizes = [];
    for (const rowCount of [0, 3, 2000]) {
      const id = await numbered(fixture, rowCount);
      sizes.push(await backend.streamSize(id));
      await backend.checkpoint();
      const lasting = await backend.streamSize(id);
      assert.equal(lasting?.rowCount, sizes.at(-1)?.rowCount);
      if (lasting !== null) assert.equal(lasting.rowCount, rowCount);
    }
    const bytes = sizes.map((size) => size?.sizeBytes ?? 0);
    if (sizes[0] !== null) assert(bytes[0] === 0 && bytes[1]! > 0 && bytes[2]! > bytes[1]!);
    const total = await backend.storeSize();
    assert(total === null || total > bytes[2]!);
  });

  test('an unknown stream, a level without rows and an empty range have no rows', async (fixture) => {
    const { backend } = fixture;
    const id = await numbered(fixture, 3);
    assert.deepEqual(await readRaw(backend, newRecord({}).id), []);
    const hours = await readRows(backend, id, { granularity: Granularity.Hours });
    if (backend.supports.levels === 'stored') assert.deepEqual(hours, []);
    else
      assert.deepEqual(
        hours.map(([ms, { c, s }]) => [ms, c, s]),
        [[BASE_MS, 3, 3]],
      );
    const finer = await createStream(backend, {}, { highestGranularity: 'minutes' });
    assert.deepEqual(await readRows(backend, finer, { granularity: Granularity.Hours }), []);
    assert.deepEqual(await readRows(backend, finer, { granularity: Granularity.Seconds }), []);
    const page = await backend.readPage({
      streamId: id,
      granularity: Granularity.Seconds,
      range: range(2, 2),
      rowCountMax: 1,
    });
    assert.equal(page.block.timestamps.length, 0);
    assert.equal(page.rest, null);
  });

  test('ranges include their start and exclude their end', async (fixture) => {
    const id = await numbered(fixture, 10);
    for (const isReverse of [false, true]) {
      const read = async (start: number, end: number) =>
        (await readRaw(fixture.backend, id, { range: range(start, end), isReverse })).map(
          ([second]) => second,
        );
      assert.deepEqual(await read(3, 6), [3, 4, 5]);
      assert.deepEqual(await read(-5, 1), [0]);
      assert.deepEqual(await read(9, 100), [9]);
      assert.deepEqual(await read(10, 100), []);
      assert.deepEqual(await read(-5, 0), []);
    }
  });

  test('pages of any size cover every row once, in both directions', async (fixture) => {
    const rowCount = 2500;
    const id = await numbered(fixture, rowCount);
    const wanted = Array.from({ length: rowCount }, (_, n) => [n, n]);
    for (const isReverse of [false, true]) {
      for (const rowCountMax of [1, 7, 100, 1024, 100_000]) {
        const span = rowCountMax === 1 ? range(0, 50) : range(-1000, rowCount + 1000);
        const rows = await readRaw(fixture.backend, id, { rowCountMax, isReverse, range: span });
        assert.deepEqual(rows, rowCountMax === 1 ? wanted.slice(0, 50) : wanted);
      }
    }
  });

  test('a page has about as many rows as asked for', async (fixture) => {
    const id = await numbered(fixture, 20_000);
    const pages = await readPages(fixture.backend, id, { rowCountMax: 500 });
    for (const page of pages) assert(page.length <= 5000, 'pages bound the memory of a reader');
    assert(pages.length <= 400, 'pages are not far smaller than asked for');
  });

  test('a page in the middle of a range starts and ends where it says', async (fixture) => {
    const id = await numbered(fixture, 100);
    const pages = await readPages(fixture.backend, id, { range: range(30, 70), rowCountMax: 10 });
    const seconds = pages.flat().map(([ms]) => (ms - BASE_MS) / 1000);
    assert.deepEqual(
      seconds,
      Array.from({ length: 40 }, (_, n) => 30 + n),
    );
  });

  test('all rows of a range come at once, in arrays of their own', async (fixture) => {
    const { backend } = fixture;
    const streamId = await numbered(fixture, 5000);
    for (const [start, end] of [
      [0, 5000],
      [1234, 1240],
      [4000, 6000],
    ] as const) {
      const request = { streamId, granularity: Granularity.Seconds, range: range(start, end) };
      const wanted = Array.from({ length: Math.min(end, 5000) - start }, (_, n) => start + n);
      for (let time = 0; time < 2; time++) {
        const { timestamps, columns } = await backend.readRows(request);
        const values = columns['v'] as Float64Array;
        assert.deepEqual(Array.from(values), wanted);
        assert.deepEqual(
          Array.from(timestamps),
          wanted.map((second) => BASE_MS + second * 1000),
        );
        assert.notEqual(timestamps.buffer, values.buffer);
        for (const array of [timestamps, values]) {
          assert.equal(array.buffer.byteLength, array.byteLength);
          array.fill(-1);
        }
      }
    }
    const none = { streamId, granularity: Granularity.Seconds, range: range(7, 7) };
    assert.equal((await backend.readRows(none)).timestamps.length, 0);
    const unknown = { ...none, streamId: newRecord({}).id, range: range(0, 10) };
    assert.equal((await backend.readRows(unknown)).timestamps.length, 0);
  });

  test('a stream and rows of it come together', async (fixture) => {
    const { backend } = fixture;
    const id = await numbered(fixture, 40);
    const read = await backend.readStreamRows(id, ({ record, earliestMs, latestMs }) => ({
      record,
      rows: {
        granularity: Granularity.Seconds,
        range: { startMs: earliestMs! + 5000, endMs: latestMs! - 5000 },
      },
    }));
    assert.equal(read?.plan.record.id, id);
    assert.deepEqual(
      Array.from(read.block.columns['v'] as Float64Array),
      Array.from({ length: 29 }, (_, n) => n + 5),
    );
    const fail = (): never => {
      throw new RangeError('no plan');
    };
    await assert.rejects(backend.readStreamRows(id, fail), { message: 'no plan' });
    assert.equal(await backend.readStreamRows(newRecord({}).id, fail), null);
    assert.equal((await readRaw(backend, id)).length, 40);
  });

  test('rows of one timestamp are never split between pages', async (fixture) => {
    const { backend } = fixture;
    const id = await createStream(backend, {});
    if (!backend.supports.equalTimestamps) {
      for (const value of [1, 2, 3]) await append(backend, id, [[0, value]]);
      assert.deepEqual(await readRaw(backend, id, { rowCountMax: 1 }), [[0, 3]]);
      return;
    }
    const rows = Array.from({ length: 300 }, (_, n) => [Math.floor(n / 30), n] as const);
    for (const [second, value] of rows) await append(backend, id, [[second, value]]);
    for (const isReverse of [false, true]) {
      const pages = await readPages(backend, id, { rowCountMax: 7, isReverse });
      const seen = new Set<number>();
      for (const page of pages) {
        const timestamps = new Set(page.map(([ms]) => ms));
        for (const ms of timestamps) {
          assert(!seen.has(ms), 'each timestamp is in one page');
          seen.add(ms);
          assert.equal(page.filter(([other]) => other === ms).length, 30);
        }
      }
      assert.deepEqual(await readRaw(backend, id, { rowCountMax: 7, isReverse }), rows);
    }
  });

  test('pages that are visited together are those that each would be', async ({ backend }) => {
    const streamIds: StreamId[] = [];
    for (let n = 0; n < 12; n++) streamIds.push(await createStream(backend, { n }));
    const tick = (second: number, gapAt?: number): Promise<unknown> => {
      const values = Float64Array.from(streamIds, (_id, n) => (n === 3 ? Number.NaN : second + n));
      if (gapAt !== undefined) values[gapAt] = NO_ROW;
      const timestampMs = BASE_MS + second * 1000;
      return commit(backend, {
        expect: [],
        writes: [{ kind: 'tick', streamIds, values, timestampMs }],
      });
    };
    for (let second = 0; second < 70; second++) await tick(second);
    // From here on, the rows of some are apart from those of the others.
    await tick(70, 5);
    await append(backend, streamIds[7]!, [[71, -1]]);
    await append(backend, streamIds[8]!, [[10.5, -2]]);
    for (let second = 72; second < 80; second++) await tick(second);
    const unknown = newRecord({}).id;
    for (const range of [
      { startMs: BASE_MS, endMs: BASE_MS + 60_000 },
      { startMs: BASE_MS + 31_000, endMs: BASE_MS + 68_000 },
      { startMs: BASE_MS + 60_000, endMs: BASE_MS + 90_000 },
      { startMs: BASE_MS + 100_000, endMs: BASE_MS + 200_000 },
    ]) {
      for (const rowCountMax of [1000, 20]) {
        const requests = [...streamIds, unknown].map((streamId, n) => {
          const request = { streamId, granularity: Granularity.Seconds, range, rowCountMax };
          return n % 2 === 0 ? request : { ...request, columns: ['v'], isReverse: n === 9 };
        });
        const pages: Page[] = [];
        await backend.visitPages(requests, (page, index) => {
          assert.equal(index, pages.length);
          pages.push(copyOf(page));
        });
        assert.equal(pages.length, requests.length);
        for (const [index, request] of requests.entries()) {
          assert.deepEqual(pages[index], await backend.readPage(request));
        }
      }
    }
    await backend.visitPages([], () => assert.fail('nothing was asked for'));
  });

  test('asked columns are there', async ({ backend }) => {
    const id = await createStream(backend, {});
    const isStored = await putLevel(backend, {
      kind: 'replace',
      streamId: id,
      granularity: Granularity.Minutes,
      range: { startMs: 0, endMs: 60_000 },
      block: {
        timestamps: Float64Array.of(0),
        columns: {
          count: Float64Array.of(1),
          mean: Float64Array.of(2.5),
          min: Float64Array.of(-1),
        },
      },
    });
    assert.deepEqual(await readRaw(backend, id, { columns: ['v'] }), []);
    if (!isStored) {
      await append(backend, id, [[0, 2.5]]);
      const columns = { granularity: Granularity.Minutes, columns: ['s', 'c'] };
      const [level] = await readRows(backend, id, columns);
      assert.deepEqual([level?.[0], level?.[1]['s'], level?.[1]['c']], [BASE_MS, 2.5, 1]);
      return;
    }
    const [[row]] = (await readPages(backend, id, {
      granularity: Granularity.Minutes,
      columns: ['mean', 'count'],
    })) as [[readonly [number, Record<string, unknown>]]];
    assert.equal(row[0], 0);
    assert.equal(row[1]['mean'], 2.5);
    assert.equal(row[1]['count'], 1);
  });

  test('random appends, late rows and replacements leave what a plain list would', async (fixture) => {
    const { backend } = fixture;
    const id = await createStream(backend, {});
    const random = pseudoRandom(20);
    const below = (limit: number) => Math.floor((random.next().value / 2 ** 32) * limit);
    let wanted: (readonly [number, number])[] = [];
    for (let step = 0; step < 400; step++) {
      const start = below(3000);
      const rows = Array.from({ length: below(30) + 1 }, (_, n) => [start + n, step] as const);
      if (step % 10 === 9) {
        const end = start + below(200) + 30;
        wanted = wanted.filter(([second]) => second < start || second >= end);
        await commit(backend, {
          expect: [],
          writes: [
            {
              kind: 'replace',
              streamId: id,
              granularity: Granularity.Seconds,
              range: range(start, end),
              block: {
                timestamps: Float64Array.from(rows, ([second]) => BASE_MS + second * 1000),
                columns: { v: Float64Array.from(rows, ([, value]) => value) },
              },
            },
          ],
        });
      } else {
        await append(backend, id, rows);
      }
      wanted.push(...rows);
      if (!backend.supports.equalTimestamps) wanted = [...new Map(wanted)];
      // The sort is stable: equal timestamps stay in order of arrival.
      wanted.sort(([a], [b]) => a - b);
      if (step % 50 === 49) {
        for (const isReverse of [false, true]) {
          assert.deepEqual(await readRaw(backend, id, { rowCountMax: 300, isReverse }), wanted);
        }
      }
    }
  });
}
