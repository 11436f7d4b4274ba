import { type Tags, tagTerms } from '../../model/tags.ts';
import {
  ordinalKey,
  parseTagKeyOrdinal,
  readUint32,
  setTagKeyOrdinal,
  tagKey,
  termHash,
} from './keys.ts';
import type { StoreFiles } from './store-files.ts';

const PRESENT: Uint8Array = Uint8Array.of(1);
const ORDINAL_MAX = 0xffffffff;
const PROBE_COUNT_MIN = 32;
const PROBE_GROWTH = 4;

/**
 * Finds streams by the leaves of their tags: for each leaf, the ordinals of the streams that have
 * it.
 */
export class TagIndex {
  readonly #files: StoreFiles;

  constructor(files: StoreFiles) {
    this.#files = files;
  }

  /** Moves a stream from its old tags to its new ones; null for a stream that comes or goes. */
  replace(ordinal: number, { before, after }: { before: Tags | null; after: Tags | null }): void {
    const old = new Set(before === null ? [] : termTexts(before));
    const wanted = new Set(after === null ? [] : termTexts(after));
    for (const text of old) {
      if (!wanted.has(text)) this.#files.tags.remove(tagKey(termHash(text), ordinal));
    }
    for (const text of wanted) {
      if (!old.has(text)) this.#files.tags.put(tagKey(termHash(text), ordinal), PRESENT);
    }
  }

  /**
   * The ordinals, in order, of the streams that have every leaf of the query; all of them for a
   * query without leaves. An empty object in the query is no leaf: whoever needs it must look at
   * the tags.
   */
  *candidates(
    query: Tags,
    { afterOrdinal, isReverse = false }: { afterOrdinal?: number; isReverse?: boolean } = {},
  ): Generator<number> {
    const range = { afterOrdinal, isReverse };
    const terms = termTexts(query).map(termHash);
    if (terms.length === 0) {
      yield* this.#everyOrdinal(range);
      return;
    }
    const shortest = this.#shortest(terms);
    const others = terms.filter((term) => term !== shortest).map((term) => tagKey(term, 0));
    for (const ordinal of this.#ordinals(shortest, range)) {
      if (others.every((key) => this.#has(key, ordinal))) yield ordinal;
    }
  }

  /** Whether the stream is in the list that the key belongs to. Overwrites the key's ordinal. */
  #has(key: Uint8Array, ordinal: number): boolean {
    setTagKeyOrdinal(key, ordinal);
    return this.#files.tags.getBinaryFast(key) !== undefined;
  }

  /**
   * Counts all lists in turns of growing length, so that long ones cost no more than the shortest.
   */
  #shortest(terms: readonly Uint8Array[]): Uint8Array {
    if (terms.length === 1) return terms[0]!;
    for (let probeCount = PROBE_COUNT_MIN; ; probeCount *= PROBE_GROWTH) {
      let best: Uint8Array | null = null;
      let bestCount = probeCount;
      for (const term of terms) {
        const count = this.#countUpTo(term, bestCount);
        if (count < bestCount) {
          best = term;
          bestCount = count;
        }
      }
      if (best !== null) return best;
    }
  }

  #countUpTo(term: Uint8Array, countMax: number): number {
    const { tags } = this.#files;
    const range = { start: tagKey(term, 0), end: tagKey(term, ORDINAL_MAX), limit: countMax };
    let count = 0;
    for (const _key of tags.getKeys(range)) count++;
    return count;
  }

  *#ordinals(term: Uint8Array, range: OrdinalRange): Generator<number> {
    const { first, last } = ordinalBounds(range);
    if (first > last) return;
    const low = tagKey(term, first);
    const high = tagKey(term, last);
    for (const key of this.#files.tags.getKeys(keyRange(low, high, range.isReverse))) {
      yield parseTagKeyOrdinal(key);
    }
  }

  *#everyOrdinal(range: OrdinalRange): Generator<number> {
    const { first, last } = ordinalBounds(range);
    if (first > last) return;
    const bounds = keyRange(ordinalKey(first), ordinalKey(last), range.isReverse);
    for (const key of this.#files.streams.getKeys(bounds)) yield readUint32(key, 0);
  }
}

interface OrdinalRange {
  readonly afterOrdinal: number | undefined;
  readonly isReverse: boolean;
}

/** Both included. */
function ordinalBounds({ afterOrdinal, isReverse }: OrdinalRange): { first: number; last: number } {
  if (afterOrdinal === undefined) return { first: 0, last: ORDINAL_MAX };
  return isReverse
    ? { first: 0, last: Math.min(afterOrdinal - 1, ORDINAL_MAX) }
    : { first: Math.max(afterOrdinal + 1, 0), last: ORDINAL_MAX };
}

function keyRange(
  low: Uint8Array,
  high: Uint8Array,
  isReverse: boolean,
): { start: Uint8Array; end: Uint8Array; inclusiveEnd: true; reverse: boolean } {
  return {
    start: isReverse ? high : low,
    end: isReverse ? low : high,
    inclusiveEnd: true,
    reverse: isReverse,
  };
}

/** Paths as JSON: no two different leaves have the same text. Without duplicates. */
function termTexts(tags: Tags): readonly string[] {
  return tagTerms(tags).map(({ path, valueText }) => `${JSON.stringify(path)}=${valueText}`);
}
