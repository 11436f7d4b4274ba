import type { GrantSubject } from '../api/grants.ts';
import type { Tags } from '../api/types.ts';
import { tagValueText } from './stream-title.ts';

/** Who gets a grant, in words. */
export function subjectText({ kind, name = '' }: GrantSubject): string {
  if (kind === 'public') return 'everybody';
  return kind === 'group' ? `group ${name}` : name;
}

/** Streams with these tags, in words. */
export function targetTagsText(tags: Tags): string {
  const words = Object.entries(tags).map(([name, value]) => `${name}=${tagValueText(value)}`);
  return words.length === 0 ? 'all streams' : `streams with ${words.join(' ')}`;
}
