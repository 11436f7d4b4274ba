import type { StreamId } from '../model/stream.ts';

/** One of `count` parts of all streams; `index` counts from 0. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/**
 * Whether the stream belongs to the shard. Each stream belongs to exactly one of `count`, and to the same
 * one in every process and version. Source: FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/
 */
export function isInShard(streamId: StreamId, { index, count }: Shard): boolean {
  let hash = 0x811c9dc5;
  for (let i = 0; i < streamId.length; i++) {
    hash = Math.imul(hash ^ streamId.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0) % count === index;
}

/** The items in random order. */
export function shuffled<Item>(items: Iterable<Item>): Item[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}
