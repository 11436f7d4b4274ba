import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const ROOT: string = join(import.meta.dirname, '..', '..');

/** All files below a folder of the repository, as paths relative to it, with `/`. */
export function filesBelow(folder: string, ending: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort();
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Module specifiers of every static and dynamic import and re-export in a source text. */
export function importsOf(source: string): readonly string[] {
  const pattern = /(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g;
  return [...source.matchAll(pattern)].map((match) => match[1]!);
}
