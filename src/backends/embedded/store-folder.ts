import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, type Stats } from 'node:fs';
import { open, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { checkDataFile } from '../lmdb/data-file.ts';

/** More than LMDB writes or maps of its two files before it can report an error. */
const PROBE_SIZE_BYTES = 128 * 1024;

/**
 * Makes the folder and checks that LMDB can make and map its files there, as where it cannot, its
 * native code ends the process. Gives the folders that are new, or have a new entry.
 */
export async function prepareFolder(path: string): Promise<readonly string[]> {
  const changed: string[] = [];
  makeFolder(path, changed);
  const data = await regularFile(path, 'data.mdb');
  const lock = await regularFile(path, 'lock.mdb');
  const isNew = data === null || data.size === 0;
  // A lock file is as long as all its slots, but the file system allots what was used of it: if
  // that is nothing, the first access through the mapping needs room.
  if (isNew || lock === null || lock.blocks === 0) await probe(path);
  await checkDataFile(join(path, 'data.mdb'));
  if (!isNew) return [];
  return changed.includes(path) ? changed : [...changed, path, dirname(path)];
}

/** Makes names that are new in the folders outlast a loss of power. */
export async function flushFolders(paths: readonly string[]): Promise<void> {
  for (const path of new Set(paths)) {
    const folder = await open(path, 'r').catch(() => null);
    try {
      // Not every system can: then it has its own way of keeping folders whole.
      await folder?.sync().catch(() => {});
    } finally {
      await folder?.close();
    }
  }
}

/** As `flushFolders`, at once. */
export function flushFolderAtOnce(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } catch {
    // As above.
  } finally {
    closeSync(descriptor);
  }
}

/** Step by step: Node's own recursive way never returns where a file system refuses new folders. */
function makeFolder(path: string, changed: string[]): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  makeFolder(parent, changed);
  try {
    mkdirSync(path);
    changed.push(parent, path);
  } catch (error) {
    // Another process may have made it in the meantime.
    if (!existsSync(path)) throw error;
  }
}

/** Null when there is no such file. */
async function regularFile(folder: string, name: string): Promise<Stats | null> {
  let stats: Stats;
  try {
    stats = await stat(join(folder, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  if (!stats.isFile()) throw new Error(`${name} is not a regular file`);
  return stats;
}

/** Writes as much as LMDB is going to, to a file of its own: this way, failing is an error. */
async function probe(folder: string): Promise<void> {
  const path = join(folder, `probe-${randomUUID()}.tmp`);
  const file = await open(path, 'wx');
  try {
    await file.writeFile(new Uint8Array(PROBE_SIZE_BYTES));
    await file.sync();
  } finally {
    await file.close();
    await unlink(path);
  }
}
