import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Adds up the sizes of the files in a folder, in bytes; 0 when there is no such folder. */
export async function folderSizeBytes(folder: string): Promise<number> {
  const entries = await unlessMissing(readdir(folder, { withFileTypes: true }));
  const sizes = (entries ?? [])
    .filter((entry) => entry.isFile())
    .map(async ({ name }) => (await unlessMissing(stat(join(folder, name))))?.size ?? 0);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Another process may remove a file after the folder was listed. */
async function unlessMissing<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
