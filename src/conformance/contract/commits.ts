import assert from 'node:assert/strict';
import type { AppendWrite } from '../../backends/backend.ts';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import type { Suite } from '../fixture.ts';
import {
  append,
  block,
  commit,
  createStream,
  newRecord,
  putLevel,
  readRaw,
  snapshotOf,
} from './rows-of.ts';

function appendWrite(streamId: StreamId, second: number, value: number): AppendWrite {
  return {
    kind: 'append',
    streamId,
    granularity: Granularity.Seconds,
    block: block([second], Float64Array.of(value)),
  };
}

export function commitsTopic({ test }: Suite): void {
  test('a new record gets a new revision and version: those of the commit', async ({ backend }) => {
    const record = newRecord({ name: 'a' });
    const created = await commit(backend, { expect: [], create: [{ record }] });
    const before = await snapshotOf(backend, record.id);
    assert.equal(before.version, created);
    assert.equal(before.revision, created);
    const updated = await commit(backend, {
      expect: [],
      update: [{ ...record, valueDownsamplers: ['count'] }],
    });
    const after = await snapshotOf(backend, record.id);
    assert.equal(after.version, updated);
    assert.equal(after.revision, updated);
    assert.notEqual(after.revision, before.revision);
    assert.equal(after.ordinal, before.ordinal);
    assert.deepEqual(after.record.valueDownsamplers, ['count']);
  });

  test('an append changes the version and not the revision', async ({ backend }) => {
    const id = await createStream(backend, {});
    const other = await snapshotOf(backend, await createStream(backend, {}));
    const before = await snapshotOf(backend, id);
    const version = await commit(backend, { expect: [], writes: [appendWrite(id, 0, 1)] });
    const after = await snapshotOf(backend, id);
    assert.equal(after.version, version);
    assert.notEqual(after.version, before.version);
    assert.equal(after.revision, before.revision);
    assert.deepEqual(await snapshotOf(backend, other.record.id), other);
  });

  test('a tick and a replacement change the version of each stream', async ({ backend }) => {
    const a = await createStream(backend, {});
    const b = await createStream(backend, {});
    const ticked = await commit(backend, {
      expect: [],
      writes: [
        { kind: 'tick', timestampMs: 1000, streamIds: [a, b], values: Float64Array.of(1, 2) },
      ],
    });
    assert.equal((await snapshotOf(backend, a)).version, ticked);
    assert.equal((await snapshotOf(backend, b)).version, ticked);
    const replaced = await commit(backend, {
      expect: [{ streamId: a, version: ticked }],
      writes: [
        {
          kind: 'replace',
          streamId: a,
          granularity: Granularity.Seconds,
          range: { startMs: 0, endMs: 2000 },
          block: block([], new Float64Array(0)),
        },
      ],
    });
    assert.equal((await snapshotOf(backend, a)).version, replaced);
    assert.equal((await snapshotOf(backend, b)).version, ticked);
  });

  test('a commit takes effect while its expectations hold', async ({ backend }) => {
    const id = await createStream(backend, {});
    const { revision, version } = await snapshotOf(backend, id);
    await commit(backend, {
      expect: [{ streamId: id, revision, version }],
      writes: [appendWrite(id, 0, 1)],
    });
    // The record did not change, so its revision still holds; the version does not.
    await commit(backend, {
      expect: [{ streamId: id, revision }],
      writes: [appendWrite(id, 1, 2)],
    });
    const outcome = await backend.commit({
      expect: [{ streamId: id, revision, version }],
      writes: [appendWrite(id, 2, 3)],
    });
    assert.deepEqual(outcome, { isCommitted: false, conflicts: [id] });
    assert.deepEqual(await readRaw(backend, id), [
      [0, 1],
      [1, 2],
    ]);
  });

  test('an expectation without revision and version asks only that the stream exists', async (fixture) => {
    const { backend } = fixture;
    const id = await createStream(backend, {});
    await commit(backend, { expect: [{ streamId: id }], writes: [appendWrite(id, 0, 1)] });
    const gone = newRecord({}).id;
    const outcome = await backend.commit({
      expect: [{ streamId: gone }, { streamId: id }],
      writes: [appendWrite(id, 1, 2)],
    });
    assert.deepEqual(outcome, { isCommitted: false, conflicts: [gone] });
    assert.equal((await readRaw(backend, id)).length, 1);
  });

  test('conflicts name all the streams that changed and only those', async ({ backend }) => {
    const ids: StreamId[] = [];
    for (let index = 0; index < 4; index++) ids.push(await createStream(backend, { index }));
    const before = await backend.readStreams(ids);
    const [a, b, c, d] = ids as [StreamId, StreamId, StreamId, StreamId];
    await append(backend, a, [[0, 1]]);
    await commit(backend, { expect: [], update: [before[1]!.record] });
    await commit(backend, { expect: [], delete: [c] });
    const outcome = await backend.commit({
      expect: before.map((snapshot) => ({
        streamId: snapshot!.record.id,
        version: snapshot!.version,
      })),
      writes: [appendWrite(d, 0, 1)],
    });
    assert(!outcome.isCommitted, 'three streams changed');
    assert.deepEqual([...outcome.conflicts].sort(), [a, b, c].sort());
  });

  test('a commit with a conflict changes nothing of its own streams', async ({ backend }) => {
    const a = await createStream(backend, { name: 'a' });
    const b = await createStream(backend, { name: 'b' });
    const stale = await snapshotOf(backend, a);
    await append(backend, a, [[0, 1]]);
    const record = newRecord({ name: 'new' });
    const before = [await snapshotOf(backend, a), await snapshotOf(backend, b)];
    const outcome = await backend.commit({
      expect: [{ streamId: a, version: stale.version }],
      create: [{ record }],
      update: [{ ...stale.record, tags: { name: 'changed' } }],
      writes: [appendWrite(a, 1, 2), appendWrite(b, 1, 2)],
      delete: [b],
    });
    assert.equal(outcome.isCommitted, false);
    assert.deepEqual(await snapshotOf(backend, a), before[0]);
    assert.deepEqual(await snapshotOf(backend, b), before[1]);
    assert.deepEqual(await backend.readStreams([record.id]), [null]);
    assert.deepEqual(await readRaw(backend, a), [[0, 1]]);
  });

  test('one commit may create a stream and write to it', async ({ backend }) => {
    const record = newRecord({ name: 'a' });
    await commit(backend, {
      expect: [],
      create: [{ record }],
      writes: [appendWrite(record.id, 7, 70)],
    });
    assert.deepEqual(await readRaw(backend, record.id), [[7, 70]]);
  });

  test('of two commits on one version exactly one takes effect', async ({ backend }) => {
    const id = await createStream(backend, {});
    const { version } = await snapshotOf(backend, id);
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        backend.commit({
          expect: [{ streamId: id, version }],
          writes: [appendWrite(id, index, index)],
        }),
      ),
    );
    const winners = outcomes.flatMap(({ isCommitted }, index) => (isCommitted ? [index] : []));
    assert.equal(winners.length, 1);
    assert.deepEqual(await readRaw(backend, id), [[winners[0], winners[0]]]);
  });

  test('concurrent commits without expectations all take effect', async ({ backend }) => {
    const ids: StreamId[] = [];
    for (let index = 0; index < 5; index++) ids.push(await createStream(backend, { index }));
    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        commit(backend, { expect: [], writes: [appendWrite(ids[index % 5]!, index, index)] }),
      ),
    );
    for (const [offset, id] of ids.entries()) {
      const wanted = Array.from({ length: 40 }, (_, row) => [row * 5 + offset, row * 5 + offset]);
      assert.deepEqual(await readRaw(backend, id), wanted);
    }
  });

  test('unlessTags creates at most one stream, whoever else tries', async ({ backend }) => {
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        backend.commit({
          expect: [],
          create: [{ record: newRecord({ name: 'one', index }), unlessTags: { name: 'one' } }],
        }),
      ),
    );
    assert.equal(outcomes.filter(({ isCommitted }) => isCommitted).length, 1);
    for (const outcome of outcomes) {
      if (!outcome.isCommitted) assert.deepEqual(outcome.conflicts, []);
    }
    assert.equal(await backend.countStreams({ name: 'one' }), 1);
    // Other tags are no hindrance.
    const other = newRecord({ name: 'two' });
    await commit(backend, {
      expect: [],
      create: [{ record: other, unlessTags: { name: 'two' } }],
    });
  });

  test('deletion removes the rows of every level', async ({ backend }) => {
    const record = newRecord({ name: 'a' });
    await commit(backend, { expect: [], create: [{ record }] });
    await append(backend, record.id, [[0, 1]]);
    await putLevel(backend, {
      kind: 'replace',
      streamId: record.id,
      granularity: Granularity.Minutes,
      range: { startMs: 0, endMs: 60_000 },
      block: { timestamps: Float64Array.of(0), columns: { count: Float64Array.of(1) } },
    });
    await commit(backend, { expect: [], delete: [record.id] });
    assert.deepEqual(await readRaw(backend, record.id), []);
    await commit(backend, { expect: [], create: [{ record }] });
    const snapshot = await snapshotOf(backend, record.id);
    assert.equal(snapshot.latestMs, null);
    assert.deepEqual(await readRaw(backend, record.id), []);
    const minutes = { granularity: Granularity.Minutes };
    assert.deepEqual(await readRaw(backend, record.id, minutes), []);
  });
}
