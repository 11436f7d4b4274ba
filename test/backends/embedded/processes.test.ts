import { describe, expect, test } from '@jest/globals';
import type { EmbeddedBackend } from '../../../src/backends/embedded/embedded-backend.ts';
import { rawBlock } from '../../../src/model/block.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import type { StreamId, StreamSnapshot } from '../../../src/model/stream.ts';
import {
  append,
  createStream,
  numericRecord,
  opened,
  readAll,
  rowsOf,
  withFolder,
} from './fixtures.ts';

async function snapshot(backend: EmbeddedBackend, id: StreamId): Promise<StreamSnapshot> {
  const [found] = await backend.readStreams([id]);
  if (!found) throw new Error('the stream is there');
  return found;
}

/**
 * Two backends on one folder share nothing in memory but LMDB's environment: they stand for
 * processes.
 */
async function withTwo(
  action: (a: EmbeddedBackend, b: EmbeddedBackend) => Promise<void>,
  tuning = {},
): Promise<void> {
  await withFolder(async (path) => {
    const a = await opened(path, tuning);
    const b = await opened(path, tuning);
    try {
      await action(a, b);
    } finally {
      await a.close();
      await b.close();
    }
  });
}

describe('two backends on one folder', () => {
  test('see each commit of the other at once', () =>
    withTwo(async (a, b) => {
      const id = await createStream(a, { name: 'x' });
      await append(a, id, [[1, 10]]);
      expect(rowsOf(await readAll(b, id))).toEqual([[1, 10]]);
      await append(b, id, [[2, 20]]);
      expect(rowsOf(await readAll(a, id))).toEqual([
        [1, 10],
        [2, 20],
      ]);
      expect(await b.countStreams({ name: 'x' })).toBe(1);
    }));

  test('agree on revisions and versions of what both have seen', () =>
    withTwo(async (a, b) => {
      const id = await createStream(a);
      await append(a, id, [[1, 10]]);
      const [fromA, fromB] = [await snapshot(a, id), await snapshot(b, id)];
      expect(fromB.revision).toBe(fromA.revision);
      expect(fromB.version).toBe(fromA.version);
    }));

  test('refuse a commit that was computed before the other one appended', () =>
    withTwo(async (a, b) => {
      const id = await createStream(a);
      const { version, revision } = await snapshot(b, id);
      await append(a, id, [[1, 10]]);
      const write = {
        kind: 'append' as const,
        streamId: id,
        granularity: Granularity.Seconds,
        block: rawBlock(Float64Array.of(2), Float64Array.of(20)),
      };
      const stale = await b.commit({ expect: [{ streamId: id, version }], writes: [write] });
      expect(stale).toEqual({ isCommitted: false, conflicts: [id] });
      // The record did not change.
      const outcome = await b.commit({ expect: [{ streamId: id, revision }], writes: [write] });
      expect(outcome.isCommitted).toBe(true);
      expect(rowsOf(await readAll(a, id))).toEqual([
        [1, 10],
        [2, 20],
      ]);
    }));

  test('never create two streams for one set of tags', () =>
    withTwo(async (a, b) => {
      const tags = { node: 'n', port: 1 };
      const create = () => [{ record: numericRecord(tags), unlessTags: tags }];
      const outcomes = await Promise.all(
        [a, b, a, b].map((backend) => backend.commit({ expect: [], create: create() })),
      );
      expect(outcomes.filter(({ isCommitted }) => isCommitted)).toHaveLength(1);
      expect(outcomes.filter(({ isCommitted }) => !isCommitted)).toContainEqual({
        isCommitted: false,
        conflicts: [],
      });
      expect(await a.countStreams(tags)).toBe(1);
    }));

  test('forget a stream that the other one deleted, with its rows and its lease', () =>
    withTwo(async (a, b) => {
      const id = await createStream(a, { k: 'v' });
      await append(a, id, [[1, 10]]);
      expect(await a.acquireLease(id, { owner: 'a', durationMs: 60_000 })).toBe(true);
      expect(rowsOf(await readAll(b, id))).toEqual([[1, 10]]);
      await a.commit({ expect: [], delete: [id] });
      expect(await b.readStreams([id])).toEqual([null]);
      expect((await readAll(b, id)).timestamps).toHaveLength(0);
      expect(await b.queryStreams({ tags: { k: 'v' }, limit: 5 })).toEqual([]);
      const record = { ...numericRecord(), id };
      await b.commit({ expect: [], create: [{ record }] });
      expect((await readAll(a, id)).timestamps).toHaveLength(0);
      expect(await b.acquireLease(id, { owner: 'b', durationMs: 60_000 })).toBe(true);
    }));

  test('give a version that differs from all before it, after the journal was trimmed away', () =>
    withTwo(
      async (a, b) => {
        const id = await createStream(a);
        const other = await createStream(a);
        const seen = new Set([(await snapshot(b, id)).version]);
        await append(a, id, [[1, 10]]);
        const before = (await snapshot(a, id)).version;
        for (let i = 0; i < 200; i++) await append(a, other, [[i, i]]);
        // b was away for so long that the journal no longer tells what happened.
        const rebuilt = await snapshot(b, id);
        expect(seen.has(rebuilt.version)).toBe(false);
        const outcome = await b.commit({
          expect: [{ streamId: id, version: rebuilt.version }],
          update: [rebuilt.record],
        });
        expect(outcome.isCommitted).toBe(true);
        const late = await a.commit({ expect: [{ streamId: id, version: before }] });
        expect(late).toEqual({ isCommitted: false, conflicts: [id] });
        expect(rowsOf(await readAll(b, other))).toHaveLength(200);
      },
      { journalSizeMaxBytes: 500, sizePerTailBytes: 0 },
    ));
});

describe('commits of one turn', () => {
  test('each have their own outcome', () =>
    withTwo(async (a) => {
      const id = await createStream(a);
      const { version } = await snapshot(a, id);
      const write = (timestampMs: number) => ({
        kind: 'append' as const,
        streamId: id,
        granularity: Granularity.Seconds,
        block: rawBlock(Float64Array.of(timestampMs), Float64Array.of(timestampMs)),
      });
      const expectation = [{ streamId: id, version }];
      const [first, second, third] = await Promise.all([
        a.commit({ expect: expectation, writes: [write(1)] }),
        a.commit({ expect: expectation, writes: [write(2)] }),
        a.commit({ expect: [], writes: [write(3)] }),
      ]);
      expect(first?.isCommitted).toBe(true);
      expect(second).toEqual({ isCommitted: false, conflicts: [id] });
      expect(third?.isCommitted).toBe(true);
      expect(rowsOf(await readAll(a, id))).toEqual([
        [1, 1],
        [3, 3],
      ]);
    }));

  test('are not disturbed by one among them that fails half-way', () =>
    withTwo(async (a, b) => {
      const [x, y] = [await createStream(a), await createStream(a)];
      const write = (streamId: StreamId, timestamps: Float64Array) => ({
        kind: 'append' as const,
        streamId,
        granularity: Granularity.Seconds,
        block: rawBlock(timestamps, Float64Array.from(timestamps)),
      });
      // No block can hold this instant: the second write of the commit fails after the first was
      // made.
      const bad = [write(x, Float64Array.of(5)), write(y, Float64Array.of(1, 9e15))];
      const outcomes = await Promise.allSettled([
        a.commit({ expect: [], writes: [write(x, Float64Array.of(1))] }),
        a.commit({ expect: [], writes: bad }),
        a.commit({ expect: [], writes: [write(y, Float64Array.of(2))] }),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      for (const backend of [a, b]) {
        expect(rowsOf(await readAll(backend, x))).toEqual([[1, 1]]);
        expect(rowsOf(await readAll(backend, y))).toEqual([[2, 2]]);
      }
    }));

  test('conflict when they write to a stream that is gone', () =>
    withTwo(async (a) => {
      const id = await createStream(a);
      await a.commit({ expect: [], delete: [id] });
      const values = Float64Array.of(1);
      const writes = [{ kind: 'tick' as const, timestampMs: 0, streamIds: [id], values }];
      expect(await a.commit({ expect: [], writes })).toEqual({
        isCommitted: false,
        conflicts: [id],
      });
    }));
});
