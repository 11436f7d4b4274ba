import assert from 'node:assert/strict';
import { NO_ROW, type TickWrite } from '../../backends/backend.ts';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { BASE_MS, type Suite } from '../fixture.ts';
import { append, block, commit, createStream, readRaw, snapshotOf } from './rows-of.ts';

function tick(
  streamIds: readonly StreamId[],
  second: number,
  values: readonly number[],
): TickWrite {
  const timestampMs = BASE_MS + second * 1000;
  return { kind: 'tick', timestampMs, streamIds, values: Float64Array.from(values) };
}

export function groupsTopic({ test }: Suite): void {
  test('a group of one version takes its ticks while nobody else writes to it', async (fixture) => {
    const { backend } = fixture;
    const ids: StreamId[] = [];
    for (let index = 0; index < 3; index++) ids.push(await createStream(backend, { index }));
    let version = await commit(backend, { expect: [], writes: [tick(ids, 0, [0, 0, 0])] });
    for (let second = 1; second < 5; second++) {
      version = await commit(backend, {
        expect: [],
        expectGroups: [{ streamIds: ids, version }],
        writes: [tick(ids, second, [second, -second, second])],
      });
    }
    await append(backend, ids[1]!, [[5, 50]]);
    const gone = await createStream(backend, {});
    await commit(backend, { expect: [], delete: [gone] });
    const outcome = await backend.commit({
      expect: [],
      expectGroups: [{ streamIds: [...ids, gone], version }],
      writes: [tick(ids, 6, [6, 6, 6])],
    });
    assert(!outcome.isCommitted, 'two of the group are not as expected');
    assert.deepEqual([...outcome.conflicts].sort(), [ids[1]!, gone].sort());
    assert.deepEqual(
      (await readRaw(backend, ids[0]!)).map(([second]) => second),
      [0, 1, 2, 3, 4],
    );
    assert.equal((await readRaw(backend, ids[1]!)).length, 6);
  });

  test('several groups may be expected at once, each at its own version', async ({ backend }) => {
    const [a, b] = [await createStream(backend, {}), await createStream(backend, {})];
    const versionA = await commit(backend, { expect: [], writes: [tick([a], 0, [1])] });
    const versionB = await commit(backend, { expect: [], writes: [tick([b], 0, [2])] });
    await commit(backend, {
      expect: [],
      expectGroups: [
        { streamIds: [a], version: versionA },
        { streamIds: [b], version: versionB },
      ],
      writes: [tick([a], 1, [3]), tick([b], 1, [4])],
    });
    assert.deepEqual(await readRaw(backend, b), [
      [0, 2],
      [1, 4],
    ]);
  });

  test('a gap in a tick is no row, and leaves its stream alone', async ({ backend }) => {
    const ids: StreamId[] = [];
    for (let index = 0; index < 4; index++) ids.push(await createStream(backend, { index }));
    const untouched = await snapshotOf(backend, ids[3]!);
    for (const [second, values] of [
      [0, [NO_ROW, 1, 2, NO_ROW]],
      [1, [3, NO_ROW, Number.NaN, NO_ROW]],
      [2, [4, 5, NO_ROW, NO_ROW]],
      [3, [NO_ROW, 6, NO_ROW, NO_ROW]],
    ] as const) {
      await commit(backend, { expect: [], writes: [tick(ids, second, values)] });
    }
    assert.deepEqual(await snapshotOf(backend, ids[3]!), untouched);
    const rows = await Promise.all(ids.map((id) => readRaw(backend, id)));
    assert.deepEqual(rows, [
      [
        [1, 3],
        [2, 4],
      ],
      [
        [0, 1],
        [2, 5],
        [3, 6],
      ],
      [
        [0, 2],
        [1, null],
      ],
      [],
    ]);
    const { earliestMs, latestMs } = await snapshotOf(backend, ids[0]!);
    assert.deepEqual([earliestMs, latestMs], [BASE_MS + 1000, BASE_MS + 2000]);
  });

  test('ticks and other writes of the same streams keep the order of arrival', async (fixture) => {
    const { backend } = fixture;
    const ids: StreamId[] = [];
    for (let index = 0; index < 10; index++) ids.push(await createStream(backend, { index }));
    const [a, b] = ids as [StreamId, StreamId];
    const values = (value: number) => ids.map(() => value);
    for (const second of [0, 10, 20]) {
      await commit(backend, { expect: [], writes: [tick(ids, second, values(second))] });
    }
    // In order, late, of some streams only, and in the place of others.
    await append(backend, a, [[21, 1]]);
    await append(backend, b, [[15, 2]]);
    await commit(backend, { expect: [], writes: [tick([a, b], 25, [3, 3])] });
    await commit(backend, {
      expect: [],
      writes: [
        tick(ids, 30, values(30)),
        {
          kind: 'replace',
          streamId: a,
          granularity: Granularity.Seconds,
          range: { startMs: BASE_MS, endMs: BASE_MS + 11_000 },
          block: block([5], Float64Array.of(4)),
        },
        tick(ids, 40, values(40)),
      ],
    });
    assert.deepEqual(await readRaw(backend, a), [
      [5, 4],
      [20, 20],
      [21, 1],
      [25, 3],
      [30, 30],
      [40, 40],
    ]);
    assert.deepEqual(await readRaw(backend, b), [
      [0, 0],
      [10, 10],
      [15, 2],
      [20, 20],
      [25, 3],
      [30, 30],
      [40, 40],
    ]);
    const others = await readRaw(backend, ids[9]!, { isReverse: true, rowCountMax: 2 });
    assert.deepEqual(
      others.map(([second]) => second),
      [0, 10, 20, 30, 40],
    );
  });
}
