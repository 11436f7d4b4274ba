import type { Json, Tags } from '../api/types.ts';
import { tagText, valueOfTagText } from './tag-text.ts';

interface Row {
  readonly key: number;
  readonly name: string;
  readonly text: string;
}

export function tagRows(tags: Tags): readonly Row[] {
  return Object.entries(tags).map(([name, value], key) => ({ key, name, text: tagText(value) }));
}

/** Tags of rows; empty rows do not count. @throws {Error} when a name is missing, or twice there. */
export function tagsOfRows(rows: readonly Row[]): Tags {
  const tags: Record<string, Json> = {};
  for (const row of rows) {
    const name = row.name.trim();
    if (name === '' && row.text.trim() === '') continue;
    if (name === '') throw new Error(`The value ${row.text} has no name.`);
    if (Object.hasOwn(tags, name)) throw new Error(`The tag ${name} is there twice.`);
    tags[name] = valueOfTagText(row.text);
  }
  return tags;
}
