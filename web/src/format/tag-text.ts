import type { Json } from '../api/types.ts';

/** A tag's value as it is edited: texts as they are, unless they would be read as something else. */
export function tagText(value: Json): string {
  if (typeof value === 'string' && valueOfTagText(value) === value) return value;
  return JSON.stringify(value);
}

/** What was typed: JSON where it is some, such as a number, `true` or an object; else a text. */
export function valueOfTagText(text: string): Json {
  const trimmed = text.trim();
  try {
    return JSON.parse(trimmed) as Json;
  } catch {
    return trimmed;
  }
}
