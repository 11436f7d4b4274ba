import { isReservedTagName } from '../../api/tag-checks.ts';
import { canonicalJson, type Json, type Tags } from '../../model/tags.ts';

/** Which stream rows belong to, as a request names it. */
export interface Series {
  /** Equal for the same series, however it was written. */
  readonly key: string;
  /** Query tags that find the stream; null where its id is known. */
  readonly query: Tags | null;
  readonly streamId: string | null;
  /** What the stream gets beside the query tags when it is created. */
  readonly tags: Tags;
  /** Whether rates are to be derived from it. */
  readonly isCounter: boolean;
}

/** The tag that tells a series of a foreign protocol from all others, whatever tags are added to its stream. */
export const SERIES_TAG = 'series';

export function seriesOfStream(streamId: string): Series {
  return { key: `id:${streamId}`, query: null, streamId, tags: {}, isCounter: false };
}

/** The one stream that has these tags, among others. */
export function seriesOfTags(tags: Tags): Series {
  const key = `tags:${canonicalJson(tags)}`;
  return { key, query: tags, streamId: null, tags: {}, isCounter: false };
}

/**
 * A series of a protocol in which all of the tags make the series: where `cpu` and `cpu,host=a` are two. Its text
 * finds the stream, so its other tags may be changed and added to.
 */
export function namedSeries(
  text: string,
  { tags, isCounter = false }: { readonly tags: Tags; readonly isCounter?: boolean },
): Series {
  return { key: `series:${text}`, query: { [SERIES_TAG]: text }, streamId: null, tags, isCounter };
}

/**
 * Tags of a stream from names and values of a foreign protocol. Names that streams keep for themselves, and that
 * the protocol's own tags have, get `tag_` before them; `__` becomes `_`.
 */
export function foreignTags(
  own: Readonly<Record<string, string>>,
  given: Iterable<readonly [name: string, value: string]>,
): Tags {
  const tags = new Map<string, Json>(Object.entries(own));
  for (const [name, value] of given) {
    let free = singleUnderscores(name);
    while (free === SERIES_TAG || isReservedTagName(free) || tags.has(free)) {
      free = singleUnderscores(`tag_${free}`);
    }
    tags.set(free, value);
  }
  return Object.fromEntries(tags);
}

function singleUnderscores(name: string): string {
  return name.replace(/_{2,}/g, '_');
}
