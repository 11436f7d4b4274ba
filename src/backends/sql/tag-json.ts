import { isTagObject, type Json, type Tags } from '../../model/tags.ts';

/**
 * What a PostgreSQL text or jsonb string cannot hold: NUL and lone surrogates; and the sign that stands for
 * them. A pair of surrogates is one character and stays.
 */
const UNSTORABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is what has to be found
  /\\|\u0000|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Maps any text one-to-one to one that PostgreSQL stores. */
export function escapeText(text: string): string {
  return text.replace(UNSTORABLE, (found) =>
    found === '\\' ? '\\\\' : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The tags as JSON text for a jsonb column that is searched, with every key and text escaped. */
export function tagJson(tags: Tags): string {
  return JSON.stringify(escapeJson(tags));
}

function escapeJson(value: Json): Json {
  if (typeof value === 'string') return escapeText(value);
  if (Array.isArray(value)) return value.map(escapeJson);
  if (!isTagObject(value)) return value;
  // fromEntries defines own properties, so that no key can reach the prototype.
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [escapeText(key), escapeJson(item)]),
  );
}

/**
 * Whether jsonb containment (`@>`) says exactly what `matchesTags` does. Lists are the exception: one that
 * contains all elements of the other would do.
 */
export function isExactInSql(query: Tags): boolean {
  return Object.values(query).every((value) =>
    isTagObject(value) ? isExactInSql(value) : !Array.isArray(value),
  );
}
