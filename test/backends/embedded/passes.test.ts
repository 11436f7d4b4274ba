import { describe, expect, test } from '@jest/globals';
import type { Committer } from '../../../src/backends/embedded/committer.ts';
import type { EmbeddedBackend } from '../../../src/backends/embedded/embedded-backend.ts';
import { JournalSizes } from '../../../src/backends/embedded/journal-sizes.ts';
import type { Replica } from '../../../src/backends/embedded/replica.ts';
import { Sealer } from '../../../src/backends/embedded/sealer.ts';
import { View } from '../../../src/backends/embedded/view.ts';
import { rawBlock } from '../../../src/model/block.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import type { StreamId } from '../../../src/model/stream.ts';
import { createStream, opened, readAll, turns, withFolder } from './fixtures.ts';

const TUNING = { journalSizeMaxBytes: 4000, sizePerTailBytes: 0 } as const;

/** Appends a row and gives the number of the commit. */
async function committed(
  backend: EmbeddedBackend,
  streamId: StreamId,
  timestampMs: number,
): Promise<number> {
  const block = rawBlock(Float64Array.of(timestampMs), Float64Array.of(1));
  const outcome = await backend.commit({
    expect: [],
    writes: [{ kind: 'append', streamId, granularity: Granularity.Seconds, block }],
  });
  if (!outcome.isCommitted) throw new Error('the append has no conflict');
  return Number(outcome.version);
}

/** Appends rows from `fromMs` on until a pass of sealing was among the commits. */
async function appendUntilSealed(
  backend: EmbeddedBackend,
  streamId: StreamId,
  fromMs: number,
): Promise<number> {
  let seq = await committed(backend, streamId, fromMs);
  for (let timestampMs = fromMs + 1; ; timestampMs++) {
    const next = await committed(backend, streamId, timestampMs);
    await turns(3);
    if (next > seq + 1) return timestampMs + 1;
    seq = next;
  }
}

describe('a pass of sealing', () => {
  test('does not begin in a process that learns of a pass of another one', () =>
    withFolder(async (path) => {
      const [a, b] = [await opened(path, TUNING), await opened(path, TUNING)];
      const id = await createStream(a);
      await readAll(b, id);
      const nextMs = await appendUntilSealed(a, id, 0);
      // This one has met all entries, and so more than makes a journal long.
      const seq = await committed(b, id, nextMs);
      await turns(5);
      expect(await committed(b, id, nextMs + 1)).toBe(seq + 1);
      await Promise.all([a.close(), b.close()]);
    }));

  test('leaves enough history for a commit that was prepared before it', () =>
    withFolder(async (path) => {
      const [a, b] = [await opened(path, TUNING), await opened(path, TUNING)];
      const id = await createStream(a);
      const other = await createStream(a);
      let nextMs = await appendUntilSealed(b, other, 0);
      for (let pass = 0; pass < 3; pass++) {
        const [prepared] = await a.readStreams([id]);
        nextMs = await appendUntilSealed(b, other, nextMs);
        const { version, record } = prepared!;
        const commit = { expect: [{ streamId: id, version }], update: [record] };
        expect(await a.commit(commit)).toMatchObject({ isCommitted: true });
      }
      await Promise.all([a.close(), b.close()]);
    }));

  test.each([
    ['a write', new TypeError('unforeseen')],
    ['taking back slots', new Error('unforeseen')],
  ])('that fails at %s is kept, ends nothing, and is tried again later', async (what, failure) => {
    let tryCount = 0;
    const fail = (): never => {
      tryCount++;
      throw failure;
    };
    const replica = {
      clearStaleReaders: what === 'a write' ? () => {} : fail,
      write: fail,
    } as unknown as Replica;
    const options = { ...TUNING, sliceLevelCount: 10 };
    const sealer = new Sealer(replica, {} as Committer, options);
    const view = new View(0);
    view.noteEntry(1, 4001);
    sealer.noteCommit(view);
    await turns(2);
    expect(sealer.failure).toBe(failure);
    view.noteEntry(2, 1000);
    sealer.noteCommit(view);
    await turns(2);
    expect(tryCount).toBe(1);
    view.noteEntry(3, 2000);
    sealer.noteCommit(view);
    await turns(2);
    expect(tryCount).toBe(2);
  });
});

describe('the sizes of journal entries', () => {
  test('count the entries behind the last forgotten one', () => {
    const sizes = new JournalSizes(10);
    for (let seq = 11; seq <= 5000; seq++) sizes.push(seq);
    for (const throughSeq of [5, 10, 11, 3000, 2000, 4999, 6000]) sizes.forget(throughSeq);
    expect(sizes.totalBytes).toBe(0);
    sizes.push(7);
    sizes.forget(5000);
    expect(sizes.totalBytes).toBe(7);
    sizes.forget(5001);
    expect(sizes.totalBytes).toBe(0);
  });
});
