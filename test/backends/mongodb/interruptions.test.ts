import { expect, test } from '@jest/globals';
import type { Backend, Commit } from '../../../src/backends/backend.ts';
import { MemoryBackend } from '../../../src/backends/memory/memory-backend.ts';
import { MongodbBackend } from '../../../src/backends/mongodb/mongodb-backend.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import type { StreamId, StreamRecord } from '../../../src/model/stream.ts';
import { describeWith } from '../../servers/available.ts';
import { appendOf, blockOf, numericRecord, opened, readRows, TINY } from './fixtures.ts';

/** The heir does not wait for the leases of the dead. */
const ALONE = { ...TINY, urgentEntryCount: 3 };

/** A few commits that fill tails, write blocks, rewrite them, apply, trim, delete and create. */
function script(a: StreamRecord, b: StreamRecord): readonly Commit[] {
  const level = { streamId: a.id, granularity: Granularity.Minutes };
  const minutes = blockOf([0, 60, 120, 180].map((t) => [t, t]));
  return [
    { expect: [], create: [{ record: a, unlessTags: { name: 'a' } }, { record: b }] },
    {
      expect: [],
      writes: [
        appendOf(
          a.id,
          [0, 1, 2, 3, 4, 5].map((t) => [t * 10, t]),
        ),
      ],
    },
    {
      expect: [],
      writes: [
        appendOf(a.id, [
          [70, 7],
          [70, 8],
        ]),
        appendOf(b.id, [[5, 1]]),
      ],
    },
    { expect: [], writes: [appendOf(a.id, [[15, 9]])] },
    { expect: [], update: [{ ...a, tags: { name: 'changed' } }], delete: [b.id] },
    {
      expect: [],
      writes: [
        { kind: 'replace', ...level, range: { startMs: 0, endMs: 240 }, block: minutes },
        appendOf(
          a.id,
          [80, 90, 100, 110].map((t) => [t, t]),
        ),
      ],
    },
    { expect: [], create: [{ record: b }], writes: [appendOf(b.id, [[6, 2]])] },
    {
      expect: [],
      writes: [
        {
          kind: 'replace',
          streamId: a.id,
          granularity: Granularity.Seconds,
          range: { startMs: 20, endMs: 75 },
          block: blockOf([[33, 33]]),
        },
      ],
    },
    {
      expect: [],
      writes: [
        { kind: 'tick', timestampMs: 120, streamIds: [a.id, b.id], values: Float64Array.of(1, 2) },
      ],
    },
  ];
}

async function contents(backend: Backend, ids: readonly StreamId[]): Promise<unknown> {
  const snapshots = await backend.readStreams(ids);
  const found = await backend.queryStreams({ tags: {}, limit: 9 });
  const rows: unknown[] = [];
  for (const id of ids) {
    for (const granularity of [Granularity.Seconds, Granularity.Minutes]) {
      rows.push(await readRows(backend, id, { granularity, rowCountMax: 3 }));
    }
  }
  const streams = snapshots.map((item) => item && [item.record, item.earliestMs, item.latestMs]);
  return { streams, found: found.map(({ record }) => record.id), rows };
}

/** What a store holds after each number of commits. */
async function expectedContents(
  commits: readonly Commit[],
  ids: readonly StreamId[],
): Promise<unknown[]> {
  const memory = new MemoryBackend();
  await memory.open();
  const states = [await contents(memory, ids)];
  for (const commit of commits) {
    await memory.commit(commit);
    states.push(await contents(memory, ids));
  }
  return states;
}

class Killed extends Error {}

/** Stops answering before its n-th call from `start()` on: for the server, the process is dead from there. */
class MortalBackend {
  readonly backend: MongodbBackend;
  callCount = 0;
  #leftCount = Number.POSITIVE_INFINITY;
  #isDead = false;

  constructor(url: string) {
    this.backend = new MongodbBackend(url, { ...ALONE, onCall: () => this.#call() });
  }

  start(callCountMax: number): void {
    this.callCount = 0;
    this.#leftCount = callCountMax;
  }

  async #call(): Promise<void> {
    this.callCount++;
    if (--this.#leftCount < 0) this.#isDead = true;
    if (this.#isDead) throw new Killed();
  }
}

/** How many commits of the script were acknowledged before the process died. */
async function runUntilDeath(backend: Backend, commits: readonly Commit[]): Promise<number> {
  for (const [i, commit] of commits.entries()) {
    try {
      const outcome = await backend.commit(commit);
      expect(outcome.isCommitted).toBe(true);
      // The background work of the backend gets its turn between any two commits.
      await backend.countStreams({});
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      return i;
    }
  }
  return commits.length;
}

describeWith('mongodb', ({ createStore }) => {
  test('a process may die before any of its calls: the store is right, and work goes on', async () => {
    const [a, b] = [numericRecord({ name: 'a' }), numericRecord({ name: 'b' })];
    const ids = [a.id, b.id];
    const commits = script(a, b);
    const states = await expectedContents(commits, ids);
    let isThrough = false;
    for (let callCountMax = 0; !isThrough; callCountMax += 1) {
      const { url, drop } = await createStore();
      const mortal = new MortalBackend(url);
      await mortal.backend.open();
      mortal.start(callCountMax);
      const acknowledgedCount = await runUntilDeath(mortal.backend, commits);
      isThrough = acknowledgedCount === commits.length;
      const heir = await opened(url, ALONE);
      // The commit that was under way is stored as a whole, or not at all.
      const found = await contents(heir, ids);
      const possible = states.slice(acknowledgedCount, acknowledgedCount + 2);
      expect(possible).toContainEqual(found);
      const doneCount = states.findIndex((state) => isSame(state, found));
      expect(await runUntilDeath(heir, commits.slice(doneCount))).toBe(commits.length - doneCount);
      expect(await contents(heir, ids)).toEqual(states.at(-1));
      await heir.close();
      await mortal.backend.close();
      await drop();
    }
  }, 600_000);
});

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
