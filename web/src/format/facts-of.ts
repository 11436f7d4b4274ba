import type { Json } from '../api/types.ts';
import { numberText } from './number-text.ts';

const ITEM_COUNT_MAX = 20;

/** Whatever JSON as names and texts, nested ones by their path; long lists by their length. */
export function factsOf(
  value: Json,
  path = '',
): readonly { readonly name: string; readonly text: string }[] {
  if (typeof value !== 'object' || value === null) {
    const text = value === null ? '–' : String(value);
    return [{ name: path, text: typeof value === 'number' ? numberText(value) : text }];
  }
  if (Array.isArray(value) && (value.length > ITEM_COUNT_MAX || value.length === 0)) {
    return [{ name: path, text: `${value.length} items` }];
  }
  return Object.entries(value).flatMap(([name, inner]) =>
    factsOf(inner as Json, `${path} ${words(name)}`.trim()),
  );
}

/** `streamCount` as people write it: `stream count`. */
function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
