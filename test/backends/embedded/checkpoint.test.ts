import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type Database, open } from 'lmdb';
import type { StreamId } from '../../../src/model/stream.ts';
import { append, createStream, opened, randomSource, turns, withFolder } from './fixtures.ts';
import { appendRows, appendUntilInFile, countRows, journalFiles } from './journal-fixtures.ts';

type ByteDatabase = Database<Uint8Array, Uint8Array>;

/** What an action finds in a database of the store. */
async function look<T>(path: string, name: string, action: (db: ByteDatabase) => T): Promise<T> {
  const binary = { encoding: 'binary', keyEncoding: 'binary' } as const;
  const root = open<Uint8Array, Uint8Array>({
    path,
    ...binary,
    noSubdir: false,
    overlappingSync: false,
  });
  const result = action(root.openDB<Uint8Array, Uint8Array>({ name, ...binary }));
  await root.close();
  return result;
}

/** How many keys a database of the store has. */
function keyCount(path: string, name: string): Promise<number> {
  return look(path, name, (db) => db.getKeysCount());
}

/** How many bytes of blocks there are for each page that holds them. */
function bytesPerPage(path: string): Promise<number> {
  return look(path, 'levels', (db) => {
    let sizeBytes = 0;
    for (const { value } of db.getRange()) sizeBytes += value.length;
    const { treeLeafPageCount, overflowPages } = db.getStats() as Readonly<Record<string, number>>;
    return sizeBytes / (treeLeafPageCount! + overflowPages!);
  });
}

describe('a checkpoint', () => {
  test('fills the pages of the blocks, however many bytes a stream has', () =>
    withFolder(async (path) => {
      const backend = await opened(path, { sliceLevelCount: 7 });
      const random = randomSource();
      for (let i = 0; i < 60; i++) {
        const id = await createStream(backend);
        const rowCount = 800 + random(1500);
        await append(
          backend,
          id,
          Array.from({ length: rowCount }, (_, row) => [row * 10_000, random(2 ** (i % 12))]),
        );
      }
      await backend.checkpoint();
      await backend.close();
      // Of 4,072, less 25 for each block; blocks of sizes that do not look at the page fill about four fifths.
      expect(await bytesPerPage(path)).toBeGreaterThan(3600);
    }));

  test('leaves all rows in blocks, one entry and no file of the journal', () =>
    withFolder(async (path) => {
      const backend = await opened(path, { sliceLevelCount: 2 });
      const { streamId, rowCount } = await appendUntilInFile(backend, path);
      const others: StreamId[] = [];
      for (let i = 0; i < 5; i++) {
        others.push(await createStream(backend));
        await append(backend, others.at(-1)!, [[0, 0]]);
      }
      await backend.checkpoint();
      expect(await journalFiles(path)).toEqual([]);
      expect(await countRows(backend, streamId)).toBe(rowCount);
      await appendRows(backend, streamId, { start: rowCount, end: rowCount + 1 });
      await backend.checkpoint();
      await backend.checkpoint();
      await backend.close();
      expect(await keyCount(path, 'journal')).toBe(1);
      // The last row alone is no reason to write the block before it again.
      expect(await keyCount(path, 'levels')).toBe(7);
      const again = await opened(path);
      expect(await countRows(again, streamId)).toBe(rowCount + 1);
      for (const other of others) expect(await countRows(again, other)).toBe(1);
      await again.close();
    }));

  test('of an empty store, and of one without rows, changes nothing', () =>
    withFolder(async (path) => {
      const backend = await opened(path);
      await backend.checkpoint();
      const id = await createStream(backend);
      await backend.checkpoint();
      await append(backend, id, [[0, 0]]);
      expect(await countRows(backend, id)).toBe(1);
      await backend.close();
      expect(await keyCount(path, 'journal')).toBe(2);
    }));

  test('goes on between the commits and reads of its own and of other processes', () =>
    withFolder(async (path) => {
      const tuning = { sliceLevelCount: 1 };
      const [a, b] = [await opened(path, tuning), await opened(path, tuning)];
      const { streamId, rowCount: start } = await appendUntilInFile(a, path);
      let end = start;
      for (let i = 0; i < 8; i++) await append(a, await createStream(a), [[i, i]]);
      for (let round = 0; round < 10; round++) {
        let isDone = false;
        const checkpoint = (round % 2 === 0 ? a : b).checkpoint().then(() => {
          isDone = true;
        });
        while (!isDone) {
          for (const [writer, reader] of [
            [a, b],
            [b, a],
          ] as const) {
            await append(writer, streamId, [[end, end]]);
            end++;
            expect(await countRows(reader, streamId)).toBe(end);
            await turns(1);
          }
        }
        await checkpoint;
      }
      await Promise.all([a.close(), b.close()]);
      const again = await opened(path, tuning);
      expect(await countRows(again, streamId)).toBe(end);
      await again.close();
    }));

  test('ends with an error when the store is closed half-way, without harm', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'store');
      const backend = await opened(path, { sliceLevelCount: 1 });
      const { streamId, rowCount } = await appendUntilInFile(backend, path);
      for (let i = 0; i < 8; i++) await append(backend, await createStream(backend), [[i, i]]);
      const checkpoint = backend.checkpoint();
      const outcome = expect(checkpoint).rejects.toMatchObject({ code: 'BACKEND_CLOSED' });
      await turns(2);
      await backend.close();
      await outcome;
      const again = await opened(path);
      expect(await countRows(again, streamId)).toBe(rowCount);
      await again.close();
    }));
});
