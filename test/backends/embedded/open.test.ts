import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { type Database, open } from 'lmdb';
import { EmbeddedBackend } from '../../../src/backends/embedded/embedded-backend.ts';
import { Granularity } from '../../../src/model/granularity.ts';
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

/** Puts the blocks where older layouts have them. */
async function orderByStream(path: string): Promise<void> {
  const root = open<Uint8Array, Uint8Array>({ path, ...BINARY, noSubdir: false });
  const byLevel = root.openDB<Uint8Array, Uint8Array>({ name: 'levels', ...BINARY });
  const byStream = root.openDB<Uint8Array, Uint8Array>({ name: 'blocks', ...BINARY });
  root.transactionSync(() => {
    for (const { key, value } of [...byLevel.getRange()]) {
      byStream.put(Uint8Array.of(...key.subarray(1, 5), key[0]!, ...key.subarray(5)), value);
    }
    byLevel.dropSync();
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

const LOADER = fileURLToPath(new URL('./child/typescript.mjs', import.meta.url));
const OPENER = fileURLToPath(new URL('./child/opener.ts', import.meta.url));

/** Opens a store in a process of its own: what it says, and the signal that ended it. */
function openElsewhere(
  path: string,
  { fileSizeMaxKb, asNobody = false }: { fileSizeMaxKb?: number; asNobody?: boolean } = {},
): { lines: readonly string[]; signal: NodeJS.Signals | null } {
  const command = `ulimit -S -f ${fileSizeMaxKb ?? 'unlimited'}; exec "$0" "$@"`;
  const { stdout, signal } = spawnSync(
    'bash',
    ['-c', command, process.execPath, '--import', LOADER, OPENER, path, String(asNobody)],
    { encoding: 'utf8' },
  );
  return { lines: stdout.trimEnd().split('\n'), signal };
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

  test('refuses a folder or nothing but a hole in place of lock.mdb, without harm to it', () =>
    withFolder(async (path) => {
      await mkdir(join(path, 'a', 'lock.mdb'), { recursive: true });
      const error = await openError(join(path, 'a'));
      expect(error).toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
      expect((error as Error).message).toContain('lock.mdb');
      await (await opened(join(path, 'b'))).close();
      const lock = join(path, 'b', 'lock.mdb');
      const { length } = await readFile(lock);
      await truncate(lock, 0);
      await truncate(lock, length);
      const { lines, signal } = openElsewhere(join(path, 'b'), { fileSizeMaxKb: 40 });
      expect(signal).toBeNull();
      expect(lines[0]).toBe('BACKEND_UNAVAILABLE');
      expect(openElsewhere(join(path, 'b')).lines).toEqual(['opened']);
    }));

  test('refuses a disk without room for its files in one line, and leaves none behind', () =>
    withFolder(async (path) => {
      for (const fileSizeMaxKb of [0, 4, 12, 40]) {
        const store = join(path, String(fileSizeMaxKb));
        const { lines, signal } = openElsewhere(store, { fileSizeMaxKb });
        expect(signal).toBeNull();
        expect(lines).toEqual(['BACKEND_UNAVAILABLE', expect.stringContaining(store)]);
        expect(lines[1]).toContain('EFBIG');
        expect(await readdir(store)).toEqual([]);
      }
      expect(openElsewhere(join(path, 'enough')).lines).toEqual(['opened']);
      expect((await readdir(join(path, 'enough'))).sort()).toEqual(['data.mdb', 'lock.mdb']);
    }));

  test('refuses a folder without write permission in one line', () =>
    withFolder(async (path) => {
      await mkdir(join(path, 'empty'));
      await (await opened(join(path, 'used'))).close();
      await chmod(path, 0o755);
      for (const name of ['empty', 'used']) {
        const store = join(path, name);
        await chmod(store, 0o555);
        const { lines, signal } = openElsewhere(store, { asNobody: true });
        expect(signal).toBeNull();
        expect(lines).toEqual(['BACKEND_UNAVAILABLE', expect.stringContaining(store)]);
      }
    }));

  test('refuses a newer format, and can be tried again', () =>
    withFolder(async (path) => {
      await (await opened(path)).close();
      const key = Buffer.from('format');
      await tamper(path, 'meta', (db) => db.put(key, Uint8Array.of(4, 0, 0, 0)));
      const backend = new EmbeddedBackend(path);
      await expect(backend.open()).rejects.toMatchObject({ code: 'STORE_FORMAT_UNSUPPORTED' });
      await tamper(path, 'meta', (db) => db.put(key, Uint8Array.of(3, 0, 0, 0)));
      await backend.open();
      await backend.close();
    }));

  test('makes a store of the format without files of the journal one of this format', () =>
    withFolder(async (path) => {
      const tuning = { journalSizeMaxBytes: 2000, sizePerTailBytes: 0 };
      const first = await opened(path, tuning);
      const id = await createStream(first);
      const rows = Array.from({ length: 60 }, (_, i) => [i, i] as const);
      for (const row of rows.slice(0, 50)) await append(first, id, [row]);
      // After this, such a store differs by two keys, and by the order of its blocks.
      await first.checkpoint();
      await first.close();
      await tamper(path, 'meta', (db) => {
        const sealedSeq = Uint8Array.from(db.get(Buffer.from('journal'))!.subarray(0, 8)).reverse();
        expect(sealedSeq.some((byte) => byte > 0)).toBe(true);
        db.put(Buffer.from('sealed'), sealedSeq);
        db.remove(Buffer.from('journal'));
        db.put(Buffer.from('format'), Uint8Array.of(1, 0, 0, 0));
      });
      await orderByStream(path);
      for (const from of [50, 55]) {
        const backend = await opened(path, tuning);
        expect(rowsOf(await readAll(backend, id))).toEqual(rows.slice(0, from));
        for (const row of rows.slice(from, from + 5)) await append(backend, id, [row]);
        await backend.close();
      }
      await tamper(path, 'meta', (db) => {
        expect(db.get(Buffer.from('format'))).toEqual(Buffer.from([3, 0, 0, 0]));
        expect(db.get(Buffer.from('sealed'))).toBeUndefined();
      });
    }));
});

describe('a store whose blocks stand by stream', () => {
  test('has them by level when it was opened', () =>
    withFolder(async (path) => {
      const tuning = { blockRowCountTarget: 4 };
      const first = await opened(path, tuning);
      const ids = [await createStream(first), await createStream(first), await createStream(first)];
      const rows = Array.from({ length: 50 }, (_, i) => [i * 1000 - 20_000, i] as const);
      const minutes = { timestamps: Float64Array.of(0), columns: { c: Float64Array.of(7) } };
      for (const streamId of ids) {
        await append(first, streamId, rows);
        const granularity = Granularity.Minutes;
        const write = { kind: 'append', streamId, granularity, block: minutes } as const;
        await first.commit({ expect: [], writes: [write] });
      }
      await first.checkpoint();
      await first.close();
      await orderByStream(path);
      await tamper(path, 'meta', (db) => db.put(Buffer.from('format'), Uint8Array.of(2, 0, 0, 0)));
      for (const _time of ['upgraded', 'opened again']) {
        const backend = await opened(path, tuning);
        for (const id of ids) {
          expect(rowsOf(await readAll(backend, id))).toEqual(rows);
          const level = await readAll(backend, id, { granularity: Granularity.Minutes });
          expect(rowsOf(level, 'c')).toEqual([[0, 7]]);
        }
        await backend.close();
      }
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
      expect((failure as Error).message).toContain('Corrupt journal entry 2 of the store');
      await damaged.close();
    }));

  test('of a block is named with its stream, level and start; the others stay readable', () =>
    withFolder(async (path) => {
      const backend = await opened(path, { blockRowCountTarget: 4 });
      const [id, other] = [await createStream(backend), await createStream(backend)];
      const rows = Array.from({ length: 8 }, (_, i) => [i * 1000, i] as const);
      await append(backend, id, rows);
      await append(backend, other, rows);
      await backend.checkpoint();
      await backend.close();
      await tamper(path, 'levels', (db) => {
        const [, second] = [...db.getRange({ limit: 2 })];
        db.put(second!.key, flipped(second!.value, second!.value.length - 6));
      });
      const damaged = await opened(path);
      const failure = await readAll(damaged, id).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'BLOCK_CORRUPT' });
      expect((failure as Error).message).toMatch(
        /^Corrupt block at stream #0, level seconds, start 1970-01-01T00:00:04/,
      );
      const before = await readAll(damaged, id, { range: { startMs: 0, endMs: 4000 } });
      expect(rowsOf(before)).toEqual(rows.slice(0, 4));
      expect(rowsOf(await readAll(damaged, other))).toEqual(rows);
      await damaged.close();
    }));

  test('by a block under the key of another one is named', () =>
    withFolder(async (path) => {
      const backend = await opened(path, { blockRowCountTarget: 4 });
      const id = await createStream(backend);
      await append(
        backend,
        id,
        Array.from({ length: 8 }, (_, i) => [i * 1000, i] as const),
      );
      await backend.checkpoint();
      await backend.close();
      await tamper(path, 'levels', (db) => {
        const [first, second] = [...db.getRange({ limit: 2 })];
        const value = Uint8Array.from(first!.value);
        db.put(first!.key, Uint8Array.from(second!.value));
        db.put(second!.key, value);
      });
      const damaged = await opened(path, { blockRowCountTarget: 4 });
      await expect(readAll(damaged, id)).rejects.toMatchObject({ code: 'BLOCK_CORRUPT' });
      // A late row would make a new block of the rows that are not its own.
      await expect(append(damaged, id, [[500, 1]])).rejects.toMatchObject({
        code: 'BLOCK_CORRUPT',
      });
      await damaged.close();
    }));

  test('by an entry that the journal lacks is named with its number', () =>
    withFolder(async (path) => {
      const backend = await opened(path);
      const id = await createStream(backend);
      for (let i = 0; i < 4; i++) await append(backend, id, [[i, i]]);
      await backend.close();
      await tamper(path, 'journal', (db) => {
        const [, , third] = [...db.getKeys()];
        db.remove(third!);
      });
      const damaged = await opened(path);
      const failure = await readAll(damaged, id).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'BLOCK_CORRUPT' });
      expect((failure as Error).message).toContain('lacks entry 3');
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
