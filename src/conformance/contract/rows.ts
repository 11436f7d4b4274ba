import assert from 'node:assert/strict';
import type { ReplaceWrite } from '../../backends/backend.ts';
import type { Column } from '../../model/block.ts';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { BASE_MS, type Suite } from '../fixture.ts';
import {
  append,
  block,
  commit,
  createStream,
  putLevel,
  readRaw,
  readRows,
  snapshotOf,
} from './rows-of.ts';

function replacement(
  streamId: StreamId,
  range: readonly [number, number],
  rows: readonly (readonly [number, number])[],
): ReplaceWrite {
  return {
    kind: 'replace',
    streamId,
    granularity: Granularity.Seconds,
    range: { startMs: BASE_MS + range[0] * 1000, endMs: BASE_MS + range[1] * 1000 },
    block: block(
      rows.map(([second]) => second),
      Float64Array.from(rows, ([, value]) => value),
    ),
  };
}

export function rowsTopic({ test }: Suite): void {
  test('rows keep their order, and the snapshot knows the first and the last', async (fixture) => {
    const { backend } = fixture;
    const id = await createStream(backend, {});
    await append(backend, id, [
      [10, 1],
      [11, 2],
    ]);
    await append(backend, id, [[20, 3]]);
    assert.deepEqual(await readRaw(backend, id), [
      [10, 1],
      [11, 2],
      [20, 3],
    ]);
    const { earliestMs, latestMs } = await snapshotOf(backend, id);
    assert.deepEqual([earliestMs, latestMs], [BASE_MS + 10_000, BASE_MS + 20_000]);
  });

  test('late rows go to their place, after those of the same timestamp', async ({ backend }) => {
    const id = await createStream(backend, {});
    const { equalTimestamps } = backend.supports;
    await append(backend, id, [
      [10, 1],
      [20, 2],
      [30, 3],
    ]);
    await append(backend, id, [
      [5, 4],
      [20, 5],
      [25, 6],
    ]);
    await append(backend, id, [[20, 7]]);
    const twenties = equalTimestamps ? [2, 5, 7] : [7];
    assert.deepEqual(await readRaw(backend, id), [
      [5, 4],
      [10, 1],
      ...twenties.map((value) => [20, value]),
      [25, 6],
      [30, 3],
    ]);
    const { earliestMs, latestMs } = await snapshotOf(backend, id);
    assert.deepEqual([earliestMs, latestMs], [BASE_MS + 5000, BASE_MS + 30_000]);
  });

  test('equal timestamps are all kept, or the last one stands', async ({ backend }) => {
    const id = await createStream(backend, {});
    await append(backend, id, [
      [1, 10],
      [1, 11],
    ]);
    await append(backend, id, [[1, 12]]);
    const kept = backend.supports.equalTimestamps ? [10, 11, 12] : [12];
    assert.deepEqual(
      await readRaw(backend, id),
      kept.map((value) => [1, value]),
    );
  });

  test('several appends of one commit go in one after the other', async ({ backend }) => {
    const id = await createStream(backend, {});
    const write = (seconds: readonly number[], values: readonly number[]) => ({
      kind: 'append' as const,
      streamId: id,
      granularity: Granularity.Seconds,
      block: block(seconds, Float64Array.from(values)),
    });
    await commit(backend, {
      expect: [],
      writes: [write([1, 2], [1, 2]), write([0, 3], [0, 3]), write([4], [4])],
    });
    assert.deepEqual(
      await readRaw(backend, id),
      [0, 1, 2, 3, 4].map((n) => [n, n]),
    );
  });

  test('a tick adds a row to each stream, null too', async ({ backend }) => {
    const ids: StreamId[] = [];
    for (let index = 0; index < 3; index++) ids.push(await createStream(backend, { index }));
    for (const second of [1, 2, 2]) {
      await commit(backend, {
        expect: [],
        writes: [
          {
            kind: 'tick',
            timestampMs: BASE_MS + second * 1000,
            streamIds: ids,
            values: Float64Array.of(second, Number.NaN, -second),
          },
        ],
      });
    }
    const seconds = backend.supports.equalTimestamps ? [1, 2, 2] : [1, 2];
    for (const [index, sign] of [1, null, -1].entries()) {
      assert.deepEqual(
        await readRaw(backend, ids[index]!),
        seconds.map((second) => [second, sign === null ? null : sign * second]),
      );
      const { earliestMs, latestMs } = await snapshotOf(backend, ids[index]!);
      assert.deepEqual([earliestMs, latestMs], [BASE_MS + 1000, BASE_MS + 2000]);
    }
  });

  test('a replacement puts its rows in the place of those in its range', async ({ backend }) => {
    const id = await createStream(backend, {});
    await append(
      backend,
      id,
      Array.from({ length: 10 }, (_, n) => [n, n] as const),
    );
    await commit(backend, {
      expect: [],
      writes: [replacement(id, [3, 6], [[4, 40]])],
    });
    await commit(backend, { expect: [], writes: [replacement(id, [8, 10], [])] });
    assert.deepEqual(await readRaw(backend, id), [
      [0, 0],
      [1, 1],
      [2, 2],
      [4, 40],
      [6, 6],
      [7, 7],
    ]);
    assert.equal((await snapshotOf(backend, id)).latestMs, BASE_MS + 7000);
    await commit(backend, { expect: [], writes: [replacement(id, [0, 2], [])] });
    assert.equal((await snapshotOf(backend, id)).earliestMs, BASE_MS + 2000);
    await commit(backend, { expect: [], writes: [replacement(id, [0, 100], [])] });
    const { earliestMs, latestMs } = await snapshotOf(backend, id);
    assert.deepEqual([earliestMs, latestMs], [null, null]);
    await commit(backend, { expect: [], writes: [replacement(id, [0, 100], [[50, 5]])] });
    assert.equal((await snapshotOf(backend, id)).latestMs, BASE_MS + 50_000);
  });

  test('a level keeps its columns apart from raw rows and from other levels', async (fixture) => {
    const { backend } = fixture;
    const id = await createStream(backend, {});
    await append(backend, id, [[0, 1]]);
    const levels = [Granularity.Seconds10, Granularity.Minutes, Granularity.Days];
    let areStored = true;
    for (const [index, granularity] of levels.entries()) {
      areStored &&= await putLevel(backend, {
        kind: 'replace',
        streamId: id,
        granularity,
        range: { startMs: 0, endMs: 4 * granularity.durationMs },
        block: {
          timestamps: Float64Array.of(0, granularity.durationMs),
          columns: {
            count: Float64Array.of(index, 2),
            mean: Float64Array.of(Number.NaN, -0.125),
            frequencies: [null, { a: [1, 'x'] }],
          },
        },
      });
    }
    for (const [index, granularity] of areStored ? levels.entries() : []) {
      assert.deepEqual(await readRows(backend, id, { granularity }), [
        [0, { count: index, mean: null, frequencies: null }],
        [granularity.durationMs, { count: 2, mean: -0.125, frequencies: { a: [1, 'x'] } }],
      ]);
    }
    assert.deepEqual(await readRaw(backend, id), [[0, 1]]);
    // Bounds are those of raw rows alone.
    const { earliestMs, latestMs } = await snapshotOf(backend, id);
    assert.deepEqual([earliestMs, latestMs], [BASE_MS, BASE_MS]);
  });

  test('numbers come back bit by bit', async ({ backend }) => {
    const id = await createStream(backend, {});
    const values = [
      0,
      -0,
      1,
      -1,
      0.1,
      0.30000000000000004,
      1e-7,
      123.45,
      99.99,
      5e-324,
      -5e-324,
      2 ** 53,
      2 ** 53 + 2,
      -(2 ** 63),
      1.7976931348623157e308,
      -1.7976931348623157e308,
      1e22,
      1e-300,
    ];
    await append(
      backend,
      id,
      values.map((value, second) => [second, value] as const),
    );
    const rows = await readRaw(backend, id);
    for (const [index, value] of values.entries()) {
      assert(Object.is(rows[index]![1], value), `${value} came back as ${rows[index]![1]}`);
    }
  });

  test('JSON values come back equal, also among numbers', async ({ backend }) => {
    const id = await createStream(backend, { name: 'json' }, { valueType: 'nominal' });
    const values: Column = ['text', null, 'čšž 😀', 1.5, false, { a: [1, { b: null }] }, [], ''];
    const write = (from: number, column: Column) => ({
      kind: 'append' as const,
      streamId: id,
      granularity: Granularity.Seconds,
      block: block(
        Array.from(column, (_, index) => from + index),
        column,
      ),
    });
    await commit(backend, { expect: [], writes: [write(0, Float64Array.of(7, Number.NaN))] });
    await commit(backend, { expect: [], writes: [write(2, values)] });
    await commit(backend, { expect: [], writes: [write(10, Float64Array.of(8))] });
    assert.deepEqual(
      (await readRaw(backend, id)).map(([, v]) => v),
      [7, null, ...values, 8],
    );
  });

  test('the first and the last supported instant can be stored', async ({ backend }) => {
    const id = await createStream(backend, {});
    const { startMs, endMs } = backend.supports.timestampRange;
    const timestamps = Float64Array.of(startMs, 0, Math.ceil(endMs / 1000 - 1) * 1000);
    const values = Float64Array.of(1, 2, 3);
    await commit(backend, {
      expect: [],
      writes: [
        {
          kind: 'append',
          streamId: id,
          granularity: Granularity.Seconds,
          block: { timestamps, columns: { v: values } },
        },
      ],
    });
    const rows = await readRows(backend, id);
    assert.deepEqual(
      rows.map(([ms]) => ms),
      [...timestamps],
    );
  });
}
