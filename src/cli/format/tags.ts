import type { Tags } from '../../model/tags.ts';
import { exactJson } from '../../text/exact-json.ts';

/** Tags in the syntax of arguments: quoted JSON only where the text would read as something else. */
export function tagsText(tags: Tags): string {
  return Object.entries(tags)
    .map(([key, value]) => `${key}=${isPlain(value) ? value : exactJson(value)}`)
    .join(' ');
}

function isPlain(value: unknown): value is string {
  if (typeof value !== 'string' || value === '' || /\s/.test(value)) return false;
  try {
    JSON.parse(value);
    return false;
  } catch {
    return true;
  }
}
