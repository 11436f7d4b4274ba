import { expect, test } from '@jest/globals';
import type { Backend } from '../../../src/backends/backend.ts';
import { openBackend } from '../../../src/backends/open-backend.ts';
import {
  append,
  commit,
  createStream,
  readRaw,
  snapshotOf,
} from '../../../src/conformance/contract/rows-of.ts';
import { BASE_MS } from '../../../src/conformance/fixture.ts';
import { rawBlock } from '../../../src/model/block.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import type { StreamId } from '../../../src/model/stream.ts';
import { describeWith } from '../../servers/available.ts';

function tick(backend: Backend, ids: readonly StreamId[], second: number) {
  const values = Float64Array.from(ids, (_, index) => second + index);
  const timestampMs = BASE_MS + second * 1000;
  const write = { kind: 'tick', timestampMs, streamIds: ids, values } as const;
  return commit(backend, { expect: [], writes: [write] });
}

describeWith('influxdb', ({ createStore }) => {
  async function withTwo(body: (one: Backend, other: Backend) => Promise<void>) {
    const store = await createStore();
    const backends = [await openBackend(store.url), await openBackend(store.url)] as const;
    try {
      await body(...backends);
    } finally {
      for (const backend of backends) await backend.close();
      await store.drop();
    }
  }

  test('ticks of two processes over each other leave each row once, and the right bounds', () =>
    withTwo(async (one, other) => {
      const ids: StreamId[] = [];
      for (let index = 0; index < 40; index++) ids.push(await createStream(one, { index }));
      // Both have written to all of the streams, the second in the opposite order.
      await tick(one, ids, 0);
      await tick(other, ids, 1);
      await Promise.all(
        Array.from({ length: 40 }, (_, n) =>
          tick(n % 2 === 0 ? one : other, n % 2 === 0 ? ids : ids.toReversed(), n + 2),
        ),
      );
      for (const [index, id] of [ids[0]!, ids[7]!, ids[39]!].entries()) {
        const place = [0, 7, 39][index]!;
        const rows = await readRaw(one, id);
        expect(rows.map(([second]) => second)).toEqual(Array.from({ length: 42 }, (_, n) => n));
        for (const [second, value] of rows.slice(2)) {
          expect(value).toBe(second + (second % 2 === 0 ? place : 39 - place));
        }
        const { earliestMs, latestMs } = await snapshotOf(other, id);
        expect([earliestMs, latestMs]).toEqual([BASE_MS, BASE_MS + 41_000]);
      }
    }));

  test('a commit that expects another version or revision, or comes late, stores no row behind', () =>
    withTwo(async (one, other) => {
      const id = await createStream(one, {});
      for (let second = 0; second < 3; second++) await append(one, id, [[second, second]]);
      const before = await snapshotOf(one, id);
      await append(other, id, [[3, 3]]);
      const block = rawBlock(Float64Array.of(BASE_MS + 9000), Float64Array.of(9));
      const granularity = Granularity.Seconds;
      const writes = [{ kind: 'append', streamId: id, granularity, block }] as const;
      for (const expected of [{ version: before.version }, { revision: '1' }]) {
        const expect_ = [{ streamId: id, ...expected }];
        const outcome = await one.commit({ expect: expect_, writes });
        expect(outcome).toEqual({ isCommitted: false, conflicts: [id] });
      }
      await append(one, id, [[1, 10]]);
      expect(await readRaw(one, id)).toEqual([
        [0, 0],
        [1, 10],
        [2, 2],
        [3, 3],
      ]);
    }));

  test('a stream that another process has deleted takes no rows', () =>
    withTwo(async (one, other) => {
      const ids = [await createStream(one, { a: 1 }), await createStream(one, { a: 2 })];
      for (let second = 0; second < 3; second++) await tick(one, ids, second);
      await commit(other, { expect: [], delete: [ids[1]!] });
      const values = Float64Array.of(1, 2);
      const write = { kind: 'tick', timestampMs: BASE_MS + 9000, streamIds: ids, values } as const;
      const outcome = await one.commit({ expect: [], writes: [write] });
      expect(outcome).toEqual({ isCommitted: false, conflicts: [ids[1]] });
      expect(await readRaw(one, ids[0]!)).toHaveLength(3);
    }));
});
