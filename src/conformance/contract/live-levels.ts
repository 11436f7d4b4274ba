import assert from 'node:assert/strict';
import { Datastream } from '../../api/datastream.ts';
import type { Backend, BucketWrite } from '../../backends/backend.ts';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { assertCode, BASE_MS, type Fixture, type Suite } from '../fixture.ts';
import { append, commit, createStream, readRaw, readRows, snapshotOf } from './rows-of.ts';

const { Minutes } = Granularity;
const MINUTE_MS = Minutes.durationMs;

/** Registers a test for stores whose levels can follow appends; elsewhere the absence is asserted. */
function liveTest(suite: Suite, name: string, body: (fixture: Fixture) => Promise<void>): void {
  suite.test(name, async (fixture) => {
    const { backend } = fixture;
    if (backend.supports.liveLevels) {
      await body(fixture);
      return;
    }
    await assertCode(() => new Datastream(backend, { liveDownsampling: true }), 'NOT_SUPPORTED');
    // Without the option the same store is fine.
    assert(new Datastream(backend, { liveDownsampling: false }) instanceof Datastream);
  });
}

/** A bucket of the minute that many minutes after `BASE_MS`; `i` is the count times ten. */
function bucket(
  streamIds: readonly StreamId[],
  minute: number,
  counts: readonly number[],
): BucketWrite {
  const startMs = BASE_MS + minute * MINUTE_MS;
  const c = Float64Array.from(counts);
  return {
    kind: 'bucket',
    granularity: Minutes,
    streamIds,
    startMs,
    untilMs: startMs + MINUTE_MS,
    columns: { c, i: c.map((count) => count * 10), m: new Float64Array(counts.length).fill(0.5) },
  };
}

/** Buckets of minutes as `[minutes after BASE_MS, c, i, m]`. */
async function minutesOf(backend: Backend, streamId: StreamId): Promise<unknown[][]> {
  const rows = await readRows(backend, streamId, { granularity: Minutes });
  return rows.map(([ms, { c, i, m }]) => [(ms - BASE_MS) / MINUTE_MS, c, i, m]);
}

async function watermarkOf(backend: Backend, streamId: StreamId): Promise<number | null> {
  const { record } = await snapshotOf(backend, streamId);
  const untilMs = record.levels.minutes?.untilMs ?? null;
  return untilMs === null ? null : (untilMs - BASE_MS) / MINUTE_MS;
}

async function createStreams(backend: Backend, count: number): Promise<StreamId[]> {
  const ids: StreamId[] = [];
  for (let index = 0; index < count; index++) ids.push(await createStream(backend, { index }));
  return ids;
}

export function liveLevelsTopic(suite: Suite): void {
  liveTest(
    suite,
    'an advance adds buckets, and moves the watermark and the revision',
    async ({ backend }) => {
      const stale = [{ startMs: 0, endMs: MINUTE_MS }];
      const id = await createStream(backend, {}, { levels: { minutes: { untilMs: null, stale } } });
      await append(backend, id, [[0, 1]]);
      const before = await snapshotOf(backend, id);
      const version = await commit(backend, {
        expect: [{ streamId: id, revision: before.revision }],
        writes: [
          {
            kind: 'advance',
            streamId: id,
            granularity: Minutes,
            block: {
              timestamps: Float64Array.of(BASE_MS, BASE_MS + MINUTE_MS),
              columns: {
                c: Float64Array.of(6, 1),
                i: Float64Array.of(0.25, Number.NaN),
                m: Float64Array.of(1, 2),
              },
            },
            untilMs: BASE_MS + 3 * MINUTE_MS,
          },
        ],
      });
      const after = await snapshotOf(backend, id);
      assert.deepEqual([after.revision, after.version], [version, version]);
      assert.deepEqual(after.record, {
        ...before.record,
        levels: { minutes: { untilMs: BASE_MS + 3 * MINUTE_MS, stale } },
      });
      assert.deepEqual([after.earliestMs, after.latestMs], [BASE_MS, BASE_MS]);
      assert.deepEqual(await minutesOf(backend, id), [
        [0, 6, 0.25, 1],
        [1, 1, null, 2],
      ]);
      const outcome = await backend.commit({
        expect: [{ streamId: id, revision: before.revision }],
      });
      assert.deepEqual(outcome, { isCommitted: false, conflicts: [id] });
    },
  );

  liveTest(suite, 'an advance without buckets moves the watermark', async ({ backend }) => {
    const id = await createStream(backend, {});
    const block = { timestamps: new Float64Array(0), columns: {} };
    const untilMs = BASE_MS + MINUTE_MS;
    const version = await commit(backend, {
      expect: [],
      writes: [{ kind: 'advance', streamId: id, granularity: Minutes, block, untilMs }],
    });
    assert.equal(await watermarkOf(backend, id), 1);
    assert.equal((await snapshotOf(backend, id)).revision, version);
    assert.deepEqual(await minutesOf(backend, id), []);
  });

  liveTest(
    suite,
    'a bucket goes to every stream that has rows in it, its watermark to all',
    async ({ backend }) => {
      const ids = await createStreams(backend, 3);
      for (const [minute, counts] of [
        [0, [6, 6, 6]],
        [1, [6, 0, 6]],
        [2, [6, 0, 3]],
        [4, [1, 2, 3]],
      ] as const) {
        const version = await commit(backend, {
          expect: [],
          writes: [bucket(ids, minute, counts)],
        });
        for (const id of ids) {
          const snapshot = await snapshotOf(backend, id);
          assert.deepEqual([snapshot.revision, snapshot.version], [version, version]);
          assert.equal(await watermarkOf(backend, id), minute + 1);
        }
      }
      const rows = await Promise.all(ids.map((id) => minutesOf(backend, id)));
      assert.deepEqual(rows, [
        [
          [0, 6, 60, 0.5],
          [1, 6, 60, 0.5],
          [2, 6, 60, 0.5],
          [4, 1, 10, 0.5],
        ],
        [
          [0, 6, 60, 0.5],
          [4, 2, 20, 0.5],
        ],
        [
          [0, 6, 60, 0.5],
          [1, 6, 60, 0.5],
          [2, 3, 30, 0.5],
          [4, 3, 30, 0.5],
        ],
      ]);
    },
  );

  liveTest(suite, 'a number in a bucket is the state of every stream', async ({ backend }) => {
    const ids = await createStreams(backend, 3);
    for (const minute of [0, 1, 2]) {
      const write = bucket(ids, minute, [6, 6, 6]);
      const c = minute === 2 ? 0 : 6;
      await commit(backend, {
        expect: [],
        writes: [{ ...write, columns: { ...write.columns, c, m: minute } }],
      });
    }
    for (const id of ids) {
      assert.deepEqual(await minutesOf(backend, id), [
        [0, 6, 60, 0],
        [1, 6, 60, 1],
      ]);
      assert.equal(await watermarkOf(backend, id), 3);
    }
  });

  liveTest(
    suite,
    'raw rows and buckets of one commit go in together or not at all',
    async ({ backend }) => {
      const ids = await createStreams(backend, 2);
      const [a, b] = ids as [StreamId, StreamId];
      const writes = (minute: number) => [
        {
          kind: 'tick' as const,
          timestampMs: BASE_MS + minute * MINUTE_MS,
          streamIds: ids,
          values: Float64Array.of(1, 2),
        },
        bucket(ids, minute, [1, 1]),
      ];
      const version = await commit(backend, { expect: [], writes: writes(0) });
      await commit(backend, { expect: [], expectGroups: [{ streamIds: ids, version }] });
      await append(backend, b, [[61, 9]]);
      const outcome = await backend.commit({
        expect: [],
        expectGroups: [{ streamIds: ids, version }],
        writes: writes(2),
      });
      assert.deepEqual(outcome, { isCommitted: false, conflicts: [b] });
      assert.deepEqual(await readRaw(backend, a), [[0, 1]]);
      assert.deepEqual(await minutesOf(backend, a), [[0, 1, 10, 0.5]]);
      assert.deepEqual([await watermarkOf(backend, a), await watermarkOf(backend, b)], [1, 1]);
    },
  );

  liveTest(
    suite,
    'an updated record has its own watermarks, and levels go on from there',
    async ({ backend }) => {
      const ids = await createStreams(backend, 2);
      const [a, b] = ids as [StreamId, StreamId];
      for (const minute of [0, 1]) {
        await commit(backend, { expect: [], writes: [bucket(ids, minute, [1, 1])] });
      }
      const { record, revision } = await snapshotOf(backend, a);
      const levels = { ...record.levels, minutes: { untilMs: null, stale: [] } };
      await commit(backend, {
        expect: [{ streamId: a, revision }],
        update: [{ ...record, levels }],
      });
      assert.deepEqual([await watermarkOf(backend, a), await watermarkOf(backend, b)], [null, 2]);
      await commit(backend, { expect: [], writes: [bucket(ids, 2, [1, 1])] });
      assert.deepEqual([await watermarkOf(backend, a), await watermarkOf(backend, b)], [3, 3]);
      assert.equal((await minutesOf(backend, a)).length, 3);
    },
  );

  liveTest(
    suite,
    'buckets and watermarks outlive a checkpoint, and the process where data does',
    async (fixture) => {
      const ids = await createStreams(fixture.backend, 3);
      const [first] = ids as [StreamId];
      for (let minute = 0; minute < 5; minute++) {
        await commit(fixture.backend, { expect: [], writes: [bucket(ids, minute, [1, 0, 2])] });
      }
      const { revision } = await snapshotOf(fixture.backend, first);
      await fixture.backend.checkpoint();
      for (const isReopened of fixture.store.reopen === undefined ? [false] : [false, true]) {
        if (isReopened) await fixture.reopen();
        const { backend } = fixture;
        assert.equal((await snapshotOf(backend, first)).revision, revision);
        for (const [index, rowCount] of [5, 0, 5].entries()) {
          assert.equal((await minutesOf(backend, ids[index]!)).length, rowCount);
          assert.equal(await watermarkOf(backend, ids[index]!), 5);
        }
      }
      // What was committed since the checkpoint too.
      await commit(fixture.backend, { expect: [], writes: [bucket(ids, 5, [1, 1, 0])] });
      if (fixture.store.reopen !== undefined) await fixture.reopen();
      const counts = await Promise.all(ids.map((id) => minutesOf(fixture.backend, id)));
      assert.deepEqual(
        counts.map((rows) => rows.length),
        [6, 1, 5],
      );
      assert.equal(await watermarkOf(fixture.backend, first), 6);
    },
  );
}
