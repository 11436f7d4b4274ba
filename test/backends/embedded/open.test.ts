import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type Database, open } from 'lmdb';
import { EmbeddedBackend } from '../../../src/backends/embedded/embedded-backend.ts';
import { append, createStream, opened, readAll, rowsOf, withFolder } from './fixtures.ts';

const BINARY = { encoding: 'binary', keyEncoding: 'binary' } as const;

/** Changes stored bytes behind the store's back. */
async function tamper(
  path: string,
  name: string,
  change: (db: Database<Uint8Array, Uint8Array>) => void,
): Promise<void> {
  const root = open<Uint8Array, Uint8Array>({
    path,
    ...BINARY,
    noSubdir: false,
    overlappingSync: false,
  });
  const db = root.openDB<Uint8Array, Uint8Array>({ name, ...BINARY });
  root.transactionSync(() => {
    change(db);
  });
  await root.close();
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const result = Uint8Array.from(bytes);
  result[at] = result[at]! ^ 0x01;
  return result;
}

async function openError(path: string): Promise<unknown> {
  return new EmbeddedBackend(path).open().then(
    () => null,
    (error: unknown) => error,
  );
}

describe('opening a store', () => {
  test('makes the folder, also below one that is not there, also with a dot in its name', () =>
    withFolder(async (path) => {
      const backend = await opened(join(path, 'a.b', 'data.v1'));
      const id = await createStream(backend);
      await backend.close();
      const again = await opened(join(path, 'a.b', 'data.v1'));
      expect(await again.readStreams([id])).not.toEqual([null]);
      await again.close();
    }));

  test('refuses a file in place of the folder, and a path below a file, in one line', () =>
    withFolder(async (path) => {
      const file = join(path, 'file');
      await writeFile(file, 'not a folder');
      for (const bad of [file, join(file, 'below')]) {
        const error = await openError(bad);
        expect(error).toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
        expect((error as Error).message).toContain(bad);
        expect((error as Error).message).not.toContain('\n');
      }
    }));

  test('refuses a file system that takes no new folders', async () => {
    expect(await openError('/proc/nowhere/store')).toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
  });

  test('refuses a folder whose data.mdb is something else', () =>
    withFolder(async (path) => {
      await mkdir(join(path, 'store'));
      await writeFile(join(path, 'store', 'data.mdb'), Buffer.alloc(20_000, 'x'));
      expect(await openError(join(path, 'store'))).toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
    }));

  test('refuses a newer format, and can be tried again', () =>
    withFolder(async (path) => {
      await (await opened(path)).close();
      const key = Buffer.from('format');
      await tamper(path, 'meta', (db) => db.put(key, Uint8Array.of(2, 0, 0, 0)));
      const backend = new EmbeddedBackend(path);
      await expect(backend.open()).rejects.toMatchObject({ code: 'STORE_FORMAT_UNSUPPORTED' });
      await tamper(path, 'meta', (db) => db.put(key, Uint8Array.of(1, 0, 0, 0)));
      await backend.open();
      await backend.close();
    }));
});

describe('damage', () => {
  test('of a journal entry is named with its number', () =>
    withFolder(async (path) => {
      const backend = await opened(path);
      const id = await createStream(backend);
      await append(backend, id, [[1, 10]]);
      await backend.close();
      await tamper(path, 'journal', (db) => {
        const [last] = [...db.getRange({ reverse: true, limit: 1 })];
        db.put(last!.key, flipped(last!.value, 30));
      });
      const damaged = await opened(path);
      const failure = await readAll(damaged, id).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'BLOCK_CORRUPT' });
      expect((failure as Error).message).toContain('Journal entry 2');
      await damaged.close();
    }));

  test('of a block is named with its stream, level and start; the others stay readable', () =>
    withFolder(async (path) => {
      const backend = await opened(path, { blockRowCountTarget: 4 });
      const [id, other] = [await createStream(backend), await createStream(backend)];
      const rows = Array.from({ length: 8 }, (_, i) => [i * 1000, i] as const);
      await append(backend, id, rows);
      await append(backend, other, rows);
      await backend.close();
      await tamper(path, 'blocks', (db) => {
        const [, second] = [...db.getRange({ limit: 2 })];
        db.put(second!.key, flipped(second!.value, second!.value.length - 6));
      });
      const damaged = await opened(path);
      const failure = await readAll(damaged, id).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'BLOCK_CORRUPT' });
      expect((failure as Error).message).toMatch(
        /stream #0, level seconds, start 1970-01-01T00:00:04/,
      );
      const before = await readAll(damaged, id, { range: { startMs: 0, endMs: 4000 } });
      expect(rowsOf(before)).toEqual(rows.slice(0, 4));
      expect(rowsOf(await readAll(damaged, other))).toEqual(rows);
      await damaged.close();
    }));

  test('of a record is refused', () =>
    withFolder(async (path) => {
      const backend = await opened(path);
      const id = await createStream(backend);
      await backend.close();
      await tamper(path, 'streams', (db) => {
        const [first] = [...db.getRange()];
        db.put(first!.key, flipped(first!.value, 20));
      });
      const damaged = await opened(path);
      await expect(damaged.readStreams([id])).rejects.toMatchObject({ code: 'BLOCK_CORRUPT' });
      await damaged.close();
    }));

  test('by cutting off the end of data.mdb never ends the process', () =>
    withFolder(async (path) => {
      const backend = await opened(path);
      const id = await createStream(backend);
      for (let i = 0; i < 50; i++) await append(backend, id, [[i, i]]);
      await backend.close();
      const file = join(path, 'data.mdb');
      const bytes = await readFile(file);
      await writeFile(file, bytes.subarray(0, 8192));
      const error = await openError(path);
      expect(error).toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
    }));
});
