import assert from 'node:assert/strict';
import type { Backend, Commit } from '../../backends/backend.ts';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import type { Suite } from '../fixture.ts';
import { append, block, commit, createStream, newRecord, snapshotOf } from './rows-of.ts';

/** Each kind of commit, to a stream that is there. */
const COMMITS: readonly (readonly [string, (streamId: StreamId) => Omit<Commit, 'expect'>])[] = [
  ['creates', () => ({ create: [{ record: newRecord({}) }] })],
  ['updates', (id) => ({ update: [{ ...newRecord({ name: 'other' }), id }] })],
  [
    'appends',
    (streamId) => ({
      writes: [
        {
          kind: 'append',
          streamId,
          granularity: Granularity.Seconds,
          block: block([5], Float64Array.of(1)),
        },
      ],
    }),
  ],
  [
    'ticks',
    (id) => ({
      writes: [{ kind: 'tick', timestampMs: 6000, streamIds: [id], values: Float64Array.of(1) }],
    }),
  ],
  [
    'replaces',
    (streamId) => ({
      writes: [
        {
          kind: 'replace',
          streamId,
          granularity: Granularity.Seconds,
          range: { startMs: 0, endMs: 9000 },
          block: block([], new Float64Array(0)),
        },
      ],
    }),
  ],
  ['deletes', (id) => ({ delete: [id] })],
];

/** What is read before and after each commit differs, unless the store has nothing cheap to tell. */
async function assertMoved(backend: Backend, before: string | null): Promise<string | null> {
  const after = await backend.changeToken();
  assert.equal(after === null, before === null);
  if (after !== null) assert.notEqual(after, before);
  return after;
}

export function changeTokensTopic({ test }: Suite): void {
  test('every kind of commit changes the token', async ({ backend }) => {
    const id = await createStream(backend, {});
    let token = await backend.changeToken();
    for (const [, changesOf] of COMMITS) {
      await commit(backend, { expect: [], ...changesOf(id) });
      token = await assertMoved(backend, token);
    }
  });

  test('the token stays while nothing is committed', async ({ backend }) => {
    const id = await createStream(backend, {});
    await append(backend, id, [[1, 1]]);
    const token = await backend.changeToken();
    await backend.readStreams([id]);
    assert.equal(await backend.changeToken(), token);
  });

  test('the token changes when somebody else has committed', async (fixture) => {
    const { backend, store } = fixture;
    const other = (await store.another?.()) ?? backend;
    const id = await createStream(backend, {});
    const token = await backend.changeToken();
    await append(other, id, [[1, 1]]);
    await assertMoved(backend, token);
  });

  test('the token changes by somebody who came, committed and went', async ({ backend, store }) => {
    if (store.another === undefined) return;
    const id = await createStream(backend, {});
    let token = await backend.changeToken();
    for (const second of [1, 2]) {
      const other = await store.another();
      await append(other, id, [[second, 1]]);
      await other.close();
      token = await assertMoved(backend, token);
    }
  });

  test('versions are those of the snapshots, in the order of the ids', async ({ backend }) => {
    const a = await createStream(backend, { name: 'a' });
    const b = await createStream(backend, { name: 'b' });
    const unknown = newRecord({}).id;
    await append(backend, a, [[1, 1]]);
    const versions = await backend.readVersions([b, unknown, a]);
    const wanted = [await snapshotOf(backend, b), null, await snapshotOf(backend, a)];
    assert.deepEqual(
      versions.map((item) => item && [item.ordinal, item.revision, item.version]),
      wanted.map((item) => item && [item.ordinal, item.revision, item.version]),
    );
    await commit(backend, { expect: [], delete: [a] });
    assert.deepEqual(await backend.readVersions([a]), [null]);
    assert.deepEqual(await backend.readVersions([]), []);
  });

  test('who listens is told of commits, until he ends it, and not of conflicts', async (fixture) => {
    const { backend } = fixture;
    let count = 0;
    const end = backend.onCommit(() => count++);
    const id = await createStream(backend, {});
    assert.equal(count, 1);
    await append(backend, id, [[1, 1]]);
    assert.equal(count, 2);
    const gone = newRecord({}).id;
    const outcome = await backend.commit({ expect: [{ streamId: gone }], delete: [id] });
    assert(!outcome.isCommitted);
    assert.equal(count, 2);
    end();
    await append(backend, id, [[2, 1]]);
    assert.equal(count, 2);
  });

  test('what a record says of edits comes back', async ({ backend }) => {
    const edits = { count: 12, fromMs: [-8.64e15, 0, 1_700_000_000_000] };
    const id = await createStream(backend, {}, { edits });
    assert.deepEqual((await snapshotOf(backend, id)).record.edits, edits);
  });
}
