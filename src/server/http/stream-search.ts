import type { Datastream } from '../../api/datastream.ts';
import type { Stream } from '../../api/types.ts';
import type { Json, Tags } from '../../model/tags.ts';
import type { TagFilter } from './tag-filter.ts';
import type { Viewer } from './viewer.ts';

/** Streams that are looked at in one step of the store. */
const STEP_STREAM_COUNT = 256;

interface StreamSearch {
  readonly filter: Pick<TagFilter, 'query' | 'matches'>;
  /** Text that some tag contains, in whatever case; null: all. */
  readonly text: string | null;
  readonly viewer: Viewer;
  /** Place of the page before; undefined: from the beginning. */
  readonly after: number | undefined;
  /** Streams of these to pass over. */
  readonly offset: number;
  readonly limit: number;
}

/** Streams that somebody asks for and may see, and the place behind the last of them; null at the end. */
export async function readVisible(
  datastream: Datastream,
  { filter, text, viewer, after, offset, limit }: StreamSearch,
): Promise<{ streams: Stream[]; next: number | null }> {
  const all = datastream.findStreams(filter.query);
  const found: Stream[] = [];
  let passedCount = 0;
  let place: number | null | undefined = after;
  while (place !== null) {
    const page = await all.page({ after: place, limit: STEP_STREAM_COUNT });
    for (const [index, stream] of page.streams.entries()) {
      if (!filter.matches(stream.tags) || !viewer.can('view', stream)) continue;
      if (text !== null && !hasText(stream.tags, text.toLowerCase())) continue;
      if (passedCount++ < offset) continue;
      found.push(stream);
      if (found.length === limit) return { streams: found, next: page.places[index]! };
    }
    place = page.next;
  }
  return { streams: found, next: null };
}

/** How many streams somebody asks for and may see. */
export async function countVisible(
  datastream: Datastream,
  { filter, viewer }: Pick<StreamSearch, 'filter' | 'viewer'>,
): Promise<number> {
  let count = 0;
  for await (const stream of datastream.findStreams(filter.query)) {
    if (filter.matches(stream.tags) && viewer.can('view', stream)) count++;
  }
  return count;
}

function hasText(value: Json | Tags, text: string): boolean {
  if (typeof value !== 'object' || value === null) {
    return String(value).toLowerCase().includes(text);
  }
  return Object.values(value).some((item: Json) => hasText(item, text));
}
