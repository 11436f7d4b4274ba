import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { BSON, type Document, MongoClient } from 'mongodb';
import type { MongodbBackend } from '../../../src/backends/mongodb/mongodb-backend.ts';
import { rawBlock } from '../../../src/model/block.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import { describeWith } from '../../servers/available.ts';
import { append, appendOf, createStream, opened, type Row, readRows, TINY } from './fixtures.ts';

/** A gate in front of the calls of one name. */
class Gate {
  readonly #name: string;
  #isClosed = false;
  #open: () => void = () => {};
  #opened: Promise<void> = Promise.resolve();
  #reach: () => void = () => {};
  /** Resolves when a call stands before the closed gate. */
  reached: Promise<void> = Promise.resolve();

  constructor(name: string) {
    this.#name = name;
  }

  close(): void {
    this.#isClosed = true;
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
    this.reached = new Promise((resolve) => {
      this.#reach = resolve;
    });
  }

  open(): void {
    this.#isClosed = false;
    this.#open();
  }

  readonly onCall = async (name: string): Promise<void> => {
    if (!this.#isClosed || name !== this.#name) return;
    this.#reach();
    await this.#opened;
  };
}

function rowsUpTo(count: number): readonly Row[] {
  return Array.from({ length: count }, (_, i) => [i, i]);
}

describeWith('mongodb', ({ createStore }) => {
  test('a commit under a number that was given, applied and removed long ago counts once, later', async () => {
    const { url, drop } = await createStore();
    const gate = new Gate('journal.insert');
    const slow = await opened(url, { ...TINY, onCall: gate.onCall });
    const id = await createStream(slow);
    gate.close();
    const late = slow.commit({ expect: [], writes: [appendOf(id, [[1000, -1]])] });
    await gate.reached;
    // Each that closes has applied and removed what those before it left.
    for (let i = 0; i < 60; i += 10) {
      const quick = await opened(url, TINY);
      for (const row of rowsUpTo(60).slice(i, i + 10)) await append(quick, id, [row]);
      await quick.close();
    }
    gate.open();
    expect((await late).isCommitted).toBe(true);
    const wanted = [...rowsUpTo(60), [1000, -1]];
    expect(await readRows(slow, id)).toEqual(wanted);
    await slow.close();
    const fresh = await opened(url, TINY);
    expect(await readRows(fresh, id)).toEqual(wanted);
    await fresh.close();
    await drop();
  });

  test('a commit after a rest counts, whatever others applied and removed meanwhile', async () => {
    const { url, drop } = await createStore();
    const rested = await opened(url, TINY);
    const id = await createStream(rested);
    const busy = await opened(url, { ...TINY, urgentEntryCount: 3 });
    let at = 0;
    // Removal has its phases: some counts end in each of them.
    for (let count = 1; count <= 20; count++) {
      for (let i = 0; i < count; i++, at++) await append(busy, id, [[at, at]]);
      await append(rested, id, [[at, at++]]);
    }
    expect(await readRows(rested, id)).toEqual(rowsUpTo(at));
    await rested.close();
    await busy.close();
    await drop();
  });

  test('a reader that slept through applying and removal reads what is there now', async () => {
    const { url, drop } = await createStore();
    const reader = await opened(url, TINY);
    const writer = await opened(url, TINY);
    const id = await createStream(writer);
    await append(writer, id, rowsUpTo(10));
    expect(await readRows(reader, id)).toEqual(rowsUpTo(10));
    for (let i = 10; i < 60; i++) await append(writer, id, [[i, i]]);
    expect(await readRows(reader, id)).toEqual(rowsUpTo(60));
    await reader.close();
    await writer.close();
    await drop();
  });

  test('a document that a late applier sets back is mended from the journal', async () => {
    const { url, drop } = await createStore();
    const patient = { ...TINY, urgentEntryCount: 6, deletionDelayMs: 600_000 };
    const gate = new Gate('streams.replace');
    const first = await opened(url, patient);
    const id = await createStream(first);
    for (let i = 0; i < 8; i++) await append(first, id, [[i, i]]);
    await first.close();
    const slow = await opened(url, { ...patient, onCall: gate.onCall });
    const quick = await opened(url, patient);
    gate.close();
    for (let i = 8; i < 14; i++) await append(slow, id, [[i, i]]);
    await gate.reached;
    for (let i = 14; i < 50; i++) await append(quick, id, [[i, i]]);
    await quick.close();
    gate.open();
    await slow.close();
    const reader = await opened(url, patient);
    expect(await readRows(reader, id)).toEqual(rowsUpTo(50));
    await reader.close();
    // Before the entries go, the document says what they said.
    const other = await opened(url, { ...TINY, urgentEntryCount: 3 });
    const otherId = await createStream(other);
    for (let i = 0; i < 30; i++) await append(other, otherId, [[i, i]]);
    await other.close();
    const fresh = await opened(url, TINY);
    expect(await readRows(fresh, id)).toEqual(rowsUpTo(50));
    await fresh.close();
    await drop();
  });

  test('of takers that all saw a lease run out, one gets it', async () => {
    const { url, drop } = await createStore();
    let nowMs = 1_000_000;
    const now = () => new Date(nowMs);
    const backends = [];
    for (let i = 0; i < 4; i++) backends.push(await opened(url, { now }));
    const id = await createStream(backends[0]!);
    for (let round = 0; round < 10; round++) {
      const answers = await Promise.all(
        backends.map((backend, i) =>
          backend.acquireLease(id, { owner: `${round}-${i}`, durationMs: 1000 }),
        ),
      );
      expect(answers.filter(Boolean)).toHaveLength(1);
      const winner = answers.indexOf(true);
      const renewals = await Promise.all(
        backends.map((backend, i) =>
          backend.renewLease(id, { owner: `${round}-${i}`, durationMs: 1000 }),
        ),
      );
      expect(renewals.indexOf(true)).toBe(winner);
      if (round % 2 === 0) nowMs += 1001;
      else await backends[winner]!.releaseLease(id, `${round}-${winner}`);
    }
    for (const backend of backends) await backend.close();
    await drop();
  });

  test('a taker that comes late with an old number gets nothing', async () => {
    const { url, drop } = await createStore();
    let nowMs = 1_000_000;
    const now = () => new Date(nowMs);
    const gate = new Gate('leases.insert');
    const slow = await opened(url, { now, onCall: gate.onCall });
    const quick = await opened(url, { now });
    const id = await createStream(quick);
    gate.close();
    const late = slow.acquireLease(id, { owner: 'late', durationMs: 1000 });
    await gate.reached;
    for (const owner of ['b', 'c']) {
      expect(await quick.acquireLease(id, { owner, durationMs: 1000 })).toBe(true);
      if (owner === 'b') await quick.releaseLease(id, owner);
    }
    nowMs += 1;
    gate.open();
    expect(await late).toBe(false);
    expect(await quick.renewLease(id, { owner: 'c', durationMs: 1000 })).toBe(true);
    await slow.close();
    await quick.close();
    await drop();
  });

  test('a lease that a taker left half taken when it died is taken over and given back', async () => {
    const { url, drop } = await createStore();
    let nowMs = 1_000_000;
    const now = () => new Date(nowMs);
    const backend = await opened(url, { now });
    const dying = await opened(url, {
      now,
      onCall: async (name) => {
        if (name === 'leases.clear') throw new Error('killed');
      },
    });
    const id = await createStream(backend);
    expect(await backend.acquireLease(id, { owner: 'a', durationMs: 1000 })).toBe(true);
    await backend.releaseLease(id, 'a');
    const taken = dying.acquireLease(id, { owner: 'b', durationMs: 1000 });
    await expect(taken).rejects.toThrow('killed');
    expect(await backend.acquireLease(id, { owner: 'c', durationMs: 1000 })).toBe(false);
    nowMs += 1001;
    const fresh = await opened(url, { now });
    for (const [i, each] of [backend, fresh, backend].entries()) {
      expect(await each.acquireLease(id, { owner: `d${i}`, durationMs: 1000 })).toBe(true);
      expect(await each.renewLease(id, { owner: `d${i}`, durationMs: 1000 })).toBe(true);
      await each.releaseLease(id, `d${i}`);
      expect(await each.renewLease(id, { owner: `d${i}`, durationMs: 1000 })).toBe(false);
    }
    for (const each of [backend, dying, fresh]) await each.close();
    await drop();
  });

  test('many writers on one store lose and double nothing', async () => {
    const { url, drop } = await createStore();
    const backends = await Promise.all(Array.from({ length: 4 }, () => opened(url, TINY)));
    const id = await createStream(backends[0]!);
    await Promise.all(
      backends.map(async (backend, who) => {
        for (let i = 0; i < 15; i++) await append(backend, id, [[i, who * 100 + i]]);
      }),
    );
    const wanted = backends.flatMap((_, who) =>
      Array.from({ length: 15 }, (_, i) => who * 100 + i),
    );
    for (const backend of backends) {
      const rows = await readRows(backend, id);
      expect(rows.map(([, value]) => value).sort()).toEqual([...wanted].sort());
      expect(rows.map(([t]) => t)).toEqual(rows.map(([t]) => t).sort((a, b) => a - b));
    }
    await Promise.all(backends.map((backend) => backend.close()));
    await drop();
  });

  test('a lost answer to an insert does not double the commit', async () => {
    const { url, drop } = await createStore();
    let failureCount = 0;
    const name = 'MongoNetworkError';
    const backend: MongodbBackend = await opened(url, {
      onAnswer: async (call) => {
        if (call !== 'journal.insert' || failureCount++ > 2) return;
        throw Object.assign(new Error('the connection was lost'), { name });
      },
    });
    const id = await createStream(backend);
    for (const row of rowsUpTo(5)) await append(backend, id, [row]);
    expect(failureCount).toBeGreaterThan(3);
    expect(await readRows(backend, id)).toEqual(rowsUpTo(5));
    await backend.close();
    await drop();
  });

  test('a commit whose answer comes after others have applied and removed it counts at most once', async () => {
    const { url, drop } = await createStore();
    const gate = new Gate('journal.insert');
    const slow = await opened(url, { ...TINY, onAnswer: gate.onCall });
    const id = await createStream(slow);
    gate.close();
    const outcomes = [-1, -2].map((value) =>
      slow.commit({ expect: [], writes: [appendOf(id, [[0, value]])] }).then(
        ({ isCommitted }) => String(isCommitted),
        ({ code }: { code: string }) => code,
      ),
    );
    await gate.reached;
    // Each that closes has applied, and removed, what it can.
    for (let round = 0; round < 3; round++) {
      const quick = await opened(url, TINY);
      for (const row of rowsUpTo(60).slice(round * 20, round * 20 + 20))
        await append(quick, id, [row]);
      await quick.close();
    }
    gate.open();
    // It was stored, and what could prove that is gone.
    expect(await Promise.all(outcomes)).toEqual(['STREAM_APPEND_FAILED', 'STREAM_APPEND_FAILED']);
    await append(slow, id, [[1000, 1000]]);
    const wanted = [[0, -1], [0, -2], ...rowsUpTo(60), [1000, 1000]];
    const fresh = await opened(url, TINY);
    for (const backend of [slow, fresh]) {
      expect(await readRows(backend, id)).toEqual(wanted);
      await backend.close();
    }
    await drop();
  });

  test.each(['blocks.directory', 'blocks.read', 'streams.read'])(
    'a reader that sleeps before %s while blocks are superseded and removed sees all rows',
    async (name) => {
      const { url, drop } = await createStore();
      const first = await opened(url, TINY);
      const id = await createStream(first);
      await append(first, id, rowsUpTo(40));
      for (let i = 0; i < 12; i++) await append(first, id, [[40 + i, 40 + i]]);
      // Applies everything: the reader has to look into the documents.
      await first.close();
      const gate = new Gate(name);
      const reader = await opened(url, { ...TINY, onCall: gate.onCall });
      gate.close();
      const rows = readRows(reader, id);
      await gate.reached;
      const writer = await opened(url, TINY);
      for (let i = 0; i < 40; i++) await append(writer, id, [[i, -i]]);
      // Removes what is superseded.
      await writer.close();
      gate.open();
      const seen = (await rows).map(([timestampMs]) => timestampMs);
      expect([...new Set(seen)]).toEqual(rowsUpTo(52).map(([timestampMs]) => timestampMs));
      await reader.close();
      await drop();
    },
  );

  test('a document that a late applier inserts does not bring a deleted stream back', async () => {
    const { url, drop } = await createStore();
    const gate = new Gate('streams.insert');
    const slow = await opened(url, { ...TINY, onCall: gate.onCall });
    const quick = await opened(url, { ...TINY, urgentEntryCount: 3 });
    gate.close();
    const id = await createStream(slow, { kind: 'short-lived' });
    for (let i = 0; i < 4; i++) await append(slow, id, [[i, i]]);
    await gate.reached;
    const other = await createStream(quick);
    expect((await quick.commit({ expect: [], delete: [id] })).isCommitted).toBe(true);
    for (let i = 0; i < 40; i++) await append(quick, other, [[i, i]]);
    // Longer than an applier has for its documents.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    gate.open();
    await slow.close();
    const fresh = await opened(url, TINY);
    expect(await fresh.queryStreams({ tags: { kind: 'short-lived' }, limit: 10 })).toEqual([]);
    expect(await fresh.countStreams({})).toBe(1);
    await fresh.close();
    await quick.close();
    await drop();
  });

  test('values of any size go through tails, blocks and documents', async () => {
    const { url, drop } = await createStore();
    const backend = await opened(url, { entriesSizeMaxBytes: 1_000_000 });
    const id = await createStream(backend);
    for (let round = 0; round < 9; round++) {
      const timestamps = Float64Array.from({ length: 20 }, (_, i) => round * 20 + i);
      // Compression does not make such texts small.
      const values = Array.from(
        timestamps,
        (t) => `${t} ${randomBytes(75_000).toString('base64')}`,
      );
      const write = {
        kind: 'append',
        streamId: id,
        granularity: Granularity.Seconds,
        block: rawBlock(timestamps, values),
      } as const;
      expect((await backend.commit({ expect: [], writes: [write] })).isCommitted).toBe(true);
    }
    await backend.close();
    const fresh = await opened(url);
    const rows = await readRows(fresh, id, { rowCountMax: 30 });
    expect(rows.map(([t, value]) => [t, Number.parseInt(String(value), 10)])).toEqual(
      rowsUpTo(180),
    );
    await fresh.close();
    const sizes = (await documentsOf(url)).map((document) => BSON.calculateObjectSize(document));
    expect(Math.max(...sizes)).toBeLessThan(16 * 2 ** 20);
    await drop();
  });

  test('blocks of writers that died before their commit are removed, those of slow ones are not missed', async () => {
    const { url, drop } = await createStore();
    const orphanAgeMs = 0;
    const gate = new Gate('journal.insert');
    const dying = await opened(url, {
      ...TINY,
      onCall: async (name) => {
        if (name === 'journal.insert') throw new Error('killed');
      },
    });
    const slow = await opened(url, { ...TINY, onCall: gate.onCall });
    const quick = await opened(url, { ...TINY, orphanAgeMs });
    const id = await createStream(quick);
    const rows = rowsUpTo(30);
    const doomed = dying.commit({ expect: [], writes: [appendOf(id, rows)] });
    await expect(doomed).rejects.toThrow('killed');
    gate.close();
    const late = slow.commit({ expect: [], writes: [appendOf(id, rows)] });
    await gate.reached;
    const orphans = (await blocksOf(url)).filter((document) => !('s' in document));
    expect(orphans.length).toBeGreaterThan(8);
    await quick.close();
    // What one run cannot do is left to the next one.
    for (let i = 0; i < 24; i += 8) {
      const applier = await opened(url, { ...TINY, orphanAgeMs });
      for (let k = i; k < i + 8; k++) await append(applier, id, [[100 + k, k]]);
      await applier.close();
    }
    const left = new Set((await blocksOf(url)).map(({ _id }) => _id));
    expect(orphans.filter(({ _id }) => left.has(_id))).toEqual([]);
    gate.open();
    expect((await late).isCommitted).toBe(true);
    const wanted = [...rows, ...Array.from({ length: 24 }, (_, i) => [100 + i, i])];
    expect(await readRows(slow, id)).toEqual(wanted);
    const fresh = await opened(url, { ...TINY, orphanAgeMs });
    for (let i = 24; i < 32; i++) await append(fresh, id, [[100 + i, i]]);
    expect(await readRows(fresh, id)).toHaveLength(62);
    for (const backend of [fresh, slow, dying]) await backend.close();
    await drop();
  });
});

async function documentsOf(url: string): Promise<readonly Document[]> {
  const client = new MongoClient(url);
  try {
    const collections = await client.db().collections();
    return (await Promise.all(collections.map((each) => each.find().toArray()))).flat();
  } finally {
    await client.close();
  }
}

async function blocksOf(url: string): Promise<readonly Document[]> {
  return (await documentsOf(url)).filter((document) => 'n' in document);
}
