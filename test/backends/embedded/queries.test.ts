import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openStoreFiles } from '../../../src/backends/embedded/store-files.ts';
import { StreamStore } from '../../../src/backends/embedded/stream-store.ts';
import { View } from '../../../src/backends/embedded/view.ts';
import type { StreamRecord } from '../../../src/model/stream.ts';
import { matchesTags, type Tags } from '../../../src/model/tags.ts';
import { createStream, numericRecord, opened, withFolder } from './fixtures.ts';

/** A database that says when a key or a value is read. */
function counting<T extends object>(db: T, note: () => void): T {
  return new Proxy(db, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        const result: unknown = member.apply(target, args);
        if (name === 'getKeys' || name === 'getRange') return noted(result, note);
        note();
        return result;
      };
    },
  });
}

function* noted(items: unknown, note: () => void): Generator<unknown> {
  for (const item of items as Iterable<unknown>) {
    note();
    yield item;
  }
}

const leaf = fc.constantFrom<Tags[string]>(1, 2, 'a', null, [1]);
const tags: fc.Arbitrary<Tags> = fc.dictionary(
  fc.constantFrom('x', 'y', 'z'),
  fc.oneof(leaf, fc.dictionary(fc.constantFrom('x', 'y'), leaf, { maxKeys: 2 })),
  { maxKeys: 3 },
);

describe('queries by tags', () => {
  test('find what a scan of all records finds, forward and backward, page by page', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(tags, { minLength: 1, maxLength: 12 }),
        fc.array(tags, { minLength: 1, maxLength: 6 }),
        fc.array(fc.tuple(fc.nat(11), tags), { maxLength: 4 }),
        (created, queries, updates) =>
          withFolder(async (path) => {
            const backend = await opened(path, { recordCountMax: 2 });
            let records: StreamRecord[] = created.map((item) => numericRecord(item));
            await backend.commit({ expect: [], create: records.map((record) => ({ record })) });
            for (const [i, changed] of updates) {
              const record = records[i % records.length]!;
              const update = [{ ...record, tags: changed }];
              await backend.commit({ expect: [], update });
              records = records.map((item) => (item === record ? update[0]! : item));
            }
            const gone = records.pop()!;
            await backend.commit({ expect: [], delete: [gone.id] });
            for (const query of [{}, ...queries]) {
              const wanted = records.filter((record) => matchesTags(record.tags, query));
              expect(await backend.countStreams(query)).toBe(wanted.length);
              for (const isReverse of [false, true]) {
                const found: StreamRecord[] = [];
                let afterOrdinal: number | undefined;
                for (;;) {
                  const page = await backend.queryStreams({
                    tags: query,
                    limit: 2,
                    isReverse,
                    ...(afterOrdinal === undefined ? {} : { afterOrdinal }),
                  });
                  if (page.length === 0) break;
                  found.push(...page.map(({ record }) => record));
                  afterOrdinal = page.at(-1)!.ordinal;
                }
                expect(found).toEqual(isReverse ? wanted.toReversed() : wanted);
              }
            }
            await backend.close();
          }),
      ),
      { numRuns: 60 },
    );
  });

  test('leave out streams without stale ranges, as the records were last stored', () =>
    withFolder(async (path) => {
      const backend = await opened(path);
      const records = Array.from({ length: 9 }, (_, n) => ({
        ...numericRecord({ n, s: ['"s":['] }),
        stale: n % 2 === 0 ? [{ startMs: 0, endMs: 10_000 + n }] : [],
      }));
      await backend.commit({ expect: [], create: records.map((record) => ({ record })) });
      const update = [
        { ...records[1]!, stale: [{ startMs: 0, endMs: 1000 }] },
        { ...records[2]!, stale: [] },
      ];
      await backend.commit({ expect: [], update });
      const staleOf = async (store: typeof backend): Promise<unknown[]> => {
        const found = await store.queryStreams({ tags: {}, limit: 4, isStaleOnly: true });
        expect(found).toHaveLength(4);
        const afterOrdinal = found.at(-1)!.ordinal;
        const next = { tags: {}, limit: 4, isStaleOnly: true, afterOrdinal };
        const all = [...found, ...(await store.queryStreams(next))];
        return all.flatMap(({ record }) => (record.stale.length > 0 ? [record.tags['n']] : []));
      };
      expect(await staleOf(backend)).toEqual([0, 1, 4, 6, 8]);
      await backend.close();
      const again = await opened(path);
      expect(await staleOf(again)).toEqual([0, 1, 4, 6, 8]);
      await again.readStreams(records.map(({ id }) => id));
      expect(await staleOf(again)).toEqual([0, 1, 4, 6, 8]);
      await again.close();
    }));

  test('find a stream among 20,000 without going through them', () =>
    withFolder(async (path) => {
      const backend = await opened(path);
      const create = Array.from({ length: 20_000 }, (_, i) => ({
        record: numericRecord({ site: 'one', rack: i % 100, unit: i }),
      }));
      await backend.commit({ expect: [], create });
      await backend.close();
      const files = await openStoreFiles(path);
      let readCount = 0;
      const streams = new StreamStore(
        {
          ...files,
          tags: counting(files.tags, () => readCount++),
          streams: counting(files.streams, () => readCount++),
        },
        { recordCountMax: 100 },
      );
      const found = files.read(() =>
        streams.query(new View(0), { tags: { site: 'one', rack: 45, unit: 12_345 }, limit: 10 }),
      );
      expect(found.map(({ ordinal }) => ordinal)).toEqual([12_345]);
      // Two lists are counted up to 32, and the third has one entry.
      expect(readCount).toBeLessThan(100);
      await files.close();
    }));

  test('take ids of any form', () =>
    withFolder(async (path) => {
      const backend = await opened(path);
      const id = await createStream(backend);
      const odd = ['', 'x'.repeat(5000), id.toUpperCase()] as (typeof id)[];
      expect(await backend.readStreams(odd)).toEqual([null, null, null]);
      await backend.close();
    }));
});

describe('leases', () => {
  test('belong to one owner until they run out by the clock of the store', () =>
    withFolder(async (path) => {
      let nowMs = 1000;
      const now = () => new Date(nowMs);
      const [a, b] = [await opened(path, { now }), await opened(path, { now })];
      const id = await createStream(a);
      const [mine, yours] = [
        { owner: 'mine', durationMs: 100 },
        { owner: 'yours', durationMs: 100 },
      ];
      expect(await a.acquireLease(id, mine)).toBe(true);
      expect(await b.acquireLease(id, yours)).toBe(false);
      expect(await a.acquireLease(id, mine)).toBe(true);
      nowMs += 99;
      expect(await a.renewLease(id, mine)).toBe(true);
      nowMs += 99;
      expect(await b.acquireLease(id, yours)).toBe(false);
      nowMs += 1;
      expect(await a.renewLease(id, mine)).toBe(false);
      expect(await b.acquireLease(id, yours)).toBe(true);
      await a.releaseLease(id, 'mine');
      expect(await a.acquireLease(id, mine)).toBe(false);
      await b.releaseLease(id, 'yours');
      expect(await a.acquireLease(id, mine)).toBe(true);
      await Promise.all([a.close(), b.close()]);
    }));
});
