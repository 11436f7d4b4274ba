import type { Tags } from '../model/tags.ts';

/** Begins the names of tags that the engine gives streams. No tag of a user has two underscores in a name. */
const HIDDEN_PREFIX = 'datastream__';

/** The tags as users see them. */
export function userTags(tags: Tags): Tags {
  return pick(tags, (name) => !isHidden(name));
}

/** The tags that users do not see. */
export function hiddenTags(tags: Tags): Tags {
  return pick(tags, isHidden);
}

function isHidden(name: string): boolean {
  return name.startsWith(HIDDEN_PREFIX);
}

function pick(tags: Tags, isWanted: (name: string) => boolean): Tags {
  return Object.fromEntries(Object.entries(tags).filter(([name]) => isWanted(name)));
}
