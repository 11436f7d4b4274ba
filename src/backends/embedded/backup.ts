import { randomUUID } from 'node:crypto';
import { existsSync, readSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BackendUnavailable } from '../../exceptions/errors.ts';
import { segmentName } from './journal-segment.ts';
import type { PinnedSegment, PinnedStore } from './pinned-store.ts';
import { writeCopiedDatabases } from './store-copy.ts';
import { flushFolders } from './store-folder.ts';

const CHUNK_SIZE_BYTES = 1 << 20;

/**
 * Writes a store folder that has exactly what the pinned store has. It gets its name when all of it is on disk: a
 * folder of that name is a whole backup.
 * @throws {BackendUnavailable} when there is something of that name, or no room; then nothing is left.
 */
export async function writeBackup(pinned: PinnedStore, folder: string): Promise<void> {
  const path = resolve(folder);
  const partial = `${path}.partial-${randomUUID()}`;
  try {
    if (existsSync(path)) throw new Error('there is something of that name already');
    await mkdir(partial);
    for (const segment of pinned.segments) await copySegment(segment, partial);
    await writeCopiedDatabases(pinned.snapshot, partial);
    await flushFolders([partial]);
    await rename(partial, path);
    await flushFolders([dirname(path)]);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw new BackendUnavailable(`Cannot write the backup ${path}: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}

/** What stands before the end does not change any more; behind it, the copy has zeros. */
async function copySegment(
  { descriptor, id, sizeBytes, endBytes }: PinnedSegment,
  folder: string,
): Promise<void> {
  const target = await open(join(folder, segmentName(id)), 'wx');
  try {
    await target.truncate(sizeBytes);
    await copyBytes(descriptor, target, endBytes);
    await target.sync();
  } finally {
    await target.close();
  }
}

async function copyBytes(descriptor: number, target: FileHandle, endBytes: number): Promise<void> {
  const chunk = new Uint8Array(CHUNK_SIZE_BYTES);
  for (let at = 0; at < endBytes; ) {
    const count = readSync(descriptor, chunk, 0, Math.min(chunk.length, endBytes - at), at);
    if (count === 0) throw new Error('a file of the journal was cut off');
    await target.write(chunk, 0, count, at);
    at += count;
    await nextTurn();
  }
}
