import type { Json, StreamInfo, Tags } from '../api/types.ts';

/** Tags that say how a stream is shown rather than what it is. */
const SHOWN_ELSEWHERE: ReadonlySet<string> = new Set([
  'title',
  'unit',
  'unit_description',
  'visualization',
  'description',
  'label',
  'message',
]);

/** What a person calls a stream: its title, else what its tags say, else its id. */
export function streamTitle({ tags, id }: Pick<StreamInfo, 'tags' | 'id'>): string {
  const title = textTag(tags, 'title');
  if (title !== '') return title;
  const words = Object.entries(tags)
    .filter(([name]) => !SHOWN_ELSEWHERE.has(name))
    .map(([, value]) => tagValueText(value));
  return words.length > 0 ? words.join(' ') : id;
}

export function streamUnit({ tags }: Pick<StreamInfo, 'tags'>): string {
  return textTag(tags, 'unit');
}

/** A tag that is a text; empty when there is none. */
export function textTag(tags: Tags, name: string): string {
  const value = tags[name];
  return typeof value === 'string' ? value : '';
}

/** Tags as words with a name, nested ones by their path: `site.name` → `north`. */
export function tagWords(tags: Tags): readonly { readonly name: string; readonly value: Json }[] {
  return Object.entries(tags)
    .filter(([name]) => !SHOWN_ELSEWHERE.has(name))
    .flatMap(([name, value]) => wordsBelow(name, value));
}

function wordsBelow(name: string, value: Json): { name: string; value: Json }[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ name, value }];
  return Object.entries(value).flatMap(([key, inner]) => wordsBelow(`${name}.${key}`, inner));
}

export function tagValueText(value: Json): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(tagValueText).join(', ');
  return JSON.stringify(value);
}
