import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { open } from 'lmdb';
import { termHash } from '../../../src/backends/embedded/keys.ts';
import { checkDataFile } from '../../../src/backends/lmdb/data-file.ts';
import {
  append,
  createStream,
  numericRecord,
  opened,
  randomSource,
  readAll,
  withFolder,
} from './fixtures.ts';

const PAGE_SIZE_BYTES = 4096;
const BINARY = { encoding: 'binary', keyEncoding: 'binary' } as const;

/** How many pages the newest meta page counts. */
function countedPages(bytes: Buffer): number {
  const metas = [0, PAGE_SIZE_BYTES].map((at) => ({
    lastPage: bytes.readBigUInt64LE(at + 144),
    transactionId: bytes.readBigUInt64LE(at + 152),
  }));
  metas.sort((a, b) => Number(b.transactionId - a.transactionId));
  return Number(metas[0]!.lastPage) + 1;
}

describe('a data file that ends early', () => {
  test('is fine when LMDB lists the missing pages as free', () =>
    withFolder(async (path) => {
      const root = open<Uint8Array, Uint8Array>({
        path,
        ...BINARY,
        noSubdir: false,
        overlappingSync: false,
      });
      const db = root.openDB<Uint8Array, Uint8Array>({ name: 'x', ...BINARY });
      const file = join(path, 'data.mdb');
      const random = randomSource();
      let missingCountMax = 0;
      for (let round = 0; round < 100; round++) {
        // Pages that a transaction takes and gives back are never written.
        root.transactionSync(() => {
          const keys = Array.from({ length: random(60) }, () => Buffer.from(`k${random(100)}`));
          for (const key of keys) {
            if (random(2) === 0) db.put(key, new Uint8Array(random(random(3) === 0 ? 1e5 : 5000)));
            else db.remove(key);
          }
          if (random(2) === 0) for (const key of keys) db.remove(key);
        });
        await checkDataFile(file);
        const bytes = await readFile(file);
        missingCountMax = Math.max(
          missingCountMax,
          countedPages(bytes) - bytes.length / PAGE_SIZE_BYTES,
        );
      }
      await root.close();
      expect(missingCountMax).toBeGreaterThan(20);
    }));

  test('is refused when any missing page is in use, and never ends the process', () =>
    withFolder(async (path) => {
      const backend = await opened(path);
      const id = await createStream(backend);
      for (let i = 0; i < 30; i++) await append(backend, id, [[i, i]]);
      await backend.close();
      const file = join(path, 'data.mdb');
      const bytes = await readFile(file);
      const pageCount = bytes.length / PAGE_SIZE_BYTES;
      let refusedCount = 0;
      for (let count = 2; count < pageCount; count++) {
        await writeFile(file, bytes.subarray(0, count * PAGE_SIZE_BYTES));
        const isRefused = await checkDataFile(file).then(
          () => false,
          () => true,
        );
        if (isRefused) refusedCount++;
        expect((await stat(file)).size).toBe(count * PAGE_SIZE_BYTES);
        if (isRefused) continue;
        const cut = await opened(path);
        expect((await readAll(cut, id)).timestamps).toHaveLength(30);
        await cut.close();
      }
      expect(refusedCount).toBeGreaterThan(pageCount / 2);
    }));
});

describe('a damaged page', () => {
  test('fails what needs it as damage, reads and writes, and nothing that comes after', () =>
    withFolder(async (path) => {
      const backend = await opened(path);
      const id = await createStream(backend, { a: 1 });
      await append(backend, id, [[1, 10]]);
      await backend.close();
      const file = join(path, 'data.mdb');
      const bytes = await readFile(file);
      const term = termHash('["a"]=1');
      for (let at = 0; at < bytes.length; at += PAGE_SIZE_BYTES) {
        const page = bytes.subarray(at, at + PAGE_SIZE_BYTES);
        if (page.includes(Buffer.from(term))) page.fill(0);
      }
      await writeFile(file, bytes);
      const damaged = await opened(path);
      await expect(damaged.countStreams({ a: 1 })).rejects.toMatchObject({ code: 'BLOCK_CORRUPT' });
      expect((await readAll(damaged, id)).timestamps).toHaveLength(1);
      // One that reads the page before it writes, one that only writes there, and one elsewhere.
      const [record, unlessTags] = [numericRecord({ a: 1 }), { a: 1 }];
      const outcomes = await Promise.allSettled([
        damaged.commit({ expect: [], create: [{ record, unlessTags }] }),
        createStream(damaged, { a: 1 }),
        append(damaged, id, [[2, 20]]),
      ]);
      expect(outcomes).toMatchObject([
        { status: 'rejected', reason: { code: 'BLOCK_CORRUPT' } },
        { status: 'rejected', reason: { code: 'STREAM_APPEND_FAILED' } },
        { status: 'fulfilled' },
      ]);
      expect((await readAll(damaged, id)).timestamps).toHaveLength(2);
      await damaged.close();
    }));
});
