import type { Json, Tags } from '../../../model/tags.ts';
import { valueText } from '../../../text/exact-json.ts';

/** Names of the tags in streams: nested ones with `__` between, as filters have them. */
export function tagNames(all: Iterable<Tags>): readonly string[] {
  const names = new Set<string>();
  for (const tags of all) for (const [name] of leaves(tags)) names.add(name);
  return [...names].sort();
}

/** What a tag is in streams, each value once; of a list, each of its items. */
export function tagValues(all: Iterable<Tags>, wanted: string): readonly string[] {
  const values = new Set<string>();
  for (const tags of all) {
    for (const [name, value] of leaves(tags)) if (name === wanted) values.add(valueText(value));
  }
  return [...values].sort();
}

function* leaves(value: Json | Tags, name = ''): Generator<readonly [string, Json]> {
  if (Array.isArray(value)) {
    for (const item of value) yield [name, item];
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, below] of Object.entries(value as Tags)) {
      yield* leaves(below, name === '' ? key : `${name}__${key}`);
    }
  } else yield [name, value];
}
