import { expect, test } from '@jest/globals';
import type { MongodbBackend } from '../../../src/backends/mongodb/mongodb-backend.ts';
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
    const quick = await opened(url, TINY);
    const id = await createStream(slow);
    gate.close();
    const late = slow.commit({ expect: [], writes: [appendOf(id, [[1000, -1]])] });
    await gate.reached;
    for (const row of rowsUpTo(60)) await append(quick, id, [row]);
    gate.open();
    expect((await late).isCommitted).toBe(true);
    const wanted = [...rowsUpTo(60), [1000, -1]];
    for (const backend of [slow, quick]) {
      expect(await readRows(backend, id)).toEqual(wanted);
      await backend.close();
    }
    const fresh = await opened(url, TINY);
    expect(await readRows(fresh, id)).toEqual(wanted);
    await fresh.close();
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
    const slow = await opened(url, { ...patient, onCall: gate.onCall });
    const quick = await opened(url, patient);
    const id = await createStream(slow);
    for (let i = 0; i < 8; i++) await append(slow, id, [[i, i]]);
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
});
