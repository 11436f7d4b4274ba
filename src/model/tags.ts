/** Any JSON value. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** User tags of a stream: a JSON object, nested as deep as wanted. */
export type Tags = { readonly [key: string]: Json };

export function isTagObject(value: unknown): value is Tags {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether the tags contain the query: nested objects match key by key, everything else must be equal. */
export function matchesTags(tags: Tags, query: Tags): boolean {
  return Object.entries(query).every(([key, wanted]) => {
    if (!Object.hasOwn(tags, key)) return false;
    const present = tags[key]!;
    return isTagObject(wanted)
      ? isTagObject(present) && matchesTags(present, wanted)
      : isEqualJson(present, wanted);
  });
}

/** The tags with `changes` laid over them: nested objects merge key by key, everything else is replaced. */
export function mergeTags(tags: Tags, changes: Tags): Tags {
  const result: Record<string, Json> = { ...tags };
  for (const [key, value] of Object.entries(changes)) {
    const present = Object.hasOwn(result, key) ? result[key] : undefined;
    result[key] = isTagObject(value) && isTagObject(present) ? mergeTags(present, value) : value;
  }
  return result;
}

/** The tags without the paths that `paths` names; its values are ignored. An unknown path is no error. */
export function removeTagPaths(tags: Tags, paths: Tags): Tags {
  const result: Record<string, Json> = { ...tags };
  for (const [key, below] of Object.entries(paths)) {
    const present = Object.hasOwn(result, key) ? result[key] : undefined;
    if (isTagObject(below) && Object.keys(below).length > 0) {
      if (isTagObject(present)) result[key] = removeTagPaths(present, below);
    } else {
      delete result[key];
    }
  }
  return result;
}

export function isEqualJson(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    return (
      Array.isArray(b) && a.length === b.length && a.every((item, i) => isEqualJson(item, b[i]!))
    );
  }
  if (!isTagObject(a) || !isTagObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isEqualJson(a[key]!, b[key]!))
  );
}

/** JSON text with the keys of every object sorted: equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object') return JSON.stringify(value);
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** One leaf of a tag tree: its path and the canonical text of its value. */
export interface TagTerm {
  readonly path: readonly string[];
  readonly valueText: string;
}

/** The leaves of a tag tree. A query's tags match only streams that have all of the query's leaves. */
export function tagTerms(tags: Tags, path: readonly string[] = []): readonly TagTerm[] {
  return Object.entries(tags).flatMap(([key, value]) =>
    isTagObject(value)
      ? tagTerms(value, [...path, key])
      : [{ path: [...path, key], valueText: canonicalJson(value) }],
  );
}
