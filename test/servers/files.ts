import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What `test/servers/install` builds and what a first start prepares; kept between runs. */
export const CACHE_FOLDER: string = join(
  process.cwd(),
  'node_modules',
  '.cache',
  'datastream-engine',
);

/** Finds a program on PATH, then in `moreFolders`; null where there is none that may be run. */
export function findProgram(name: string, moreFolders: readonly string[] = []): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...moreFolders];
  return folders.map((folder) => join(folder, name)).find(isProgram) ?? null;
}

/** Says whether a path names something that this process may run. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
