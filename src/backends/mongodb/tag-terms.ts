import { createHash } from 'node:crypto';
import { type Json, type Tags, tagTerms } from '../../model/tags.ts';

const TERM_SIZE_BYTES = 16;
const READABLE_SIZE_MAX = 100_000;
const READABLE_DEPTH_MAX = 20;

/** One short text for each leaf of the tags: streams that match a query have all of its terms. */
export function termTexts(tags: Tags): readonly string[] {
  const texts = tagTerms(tags).map(({ path, valueText }) =>
    createHash('sha256')
      .update(`${JSON.stringify(path)}=${valueText}`)
      .digest()
      .subarray(0, TERM_SIZE_BYTES)
      .toString('base64url'),
  );
  return [...new Set(texts)];
}

/** The tags for people to look at, or null where a document cannot hold such keys. Never read back. */
export function readableTags(tags: Tags): Tags | null {
  const text = JSON.stringify(tags);
  if (text.length > READABLE_SIZE_MAX || /\\u(0000|d[89a-f])/i.test(text)) return null;
  return isReadable(tags, 0) ? tags : null;
}

function isReadable(value: Json, depth: number): boolean {
  if (depth > READABLE_DEPTH_MAX) return false;
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every((item: Json) => isReadable(item, depth + 1));
  return Object.entries(value).every(
    ([key, item]) =>
      key !== '' && !/[.$]/.test(key) && key !== '__proto__' && isReadable(item, depth + 1),
  );
}
