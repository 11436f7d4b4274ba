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
const HASH_COUNT_MAX = 4096;
/** So many steps take as long as one seek. */
const STEP_COUNT_MAX = 8;

/**
 * Finds streams by the leaves of their tags: for each leaf, the ordinals of the streams that have
 * it.
 */
export class TagIndex {
  readonly #files: StoreFiles;
  readonly #hashes: Map<string, Uint8Array> = new Map();

  constructor(files: StoreFiles) {
    this.#files = files;
  }

  /** Moves a stream from its old tags to its new ones; null for a stream that comes or goes. */
  replace(ordinal: number, { before, after }: { before: Tags | null; after: Tags | null }): void {
    const old = new Set(before === null ? [] : termTexts(before));
    const wanted = new Set(after === null ? [] : termTexts(after));
    for (const text of old) {
      if (!wanted.has(text)) this.#files.tags.remove(tagKey(this.#hash(text), ordinal));
    }
    for (const text of wanted) {
      if (!old.has(text)) this.#files.tags.put(tagKey(this.#hash(text), ordinal), PRESENT);
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
    const terms = termTexts(query).map((text) => this.#hash(text));
    if (terms.length === 0) {
      yield* this.#everyOrdinal(range);
      return;
    }
    const lists = terms.map((term) => new TermList(this.#files, term, range));
    try {
      yield* intersection(lists);
    } finally {
      for (const list of lists) list.close();
    }
  }

  /** Most streams share most of their leaves. */
  #hash(text: string): Uint8Array {
    let hash = this.#hashes.get(text);
    if (hash === undefined) {
      hash = termHash(text);
      if (this.#hashes.size >= HASH_COUNT_MAX) this.#hashes.clear();
      this.#hashes.set(text, hash);
    }
    return hash;
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

/**
 * The ordinals that all lists have, in their order. Each miss moves on in the list that misses: the cost is
 * bounded by the sparsest stretches of any list, however long the others are.
 */
function* intersection(lists: readonly TermList[]): Generator<number> {
  let leader = lists[0]!;
  let candidate = leader.advance(null);
  while (candidate !== null) {
    const missing: TermList | undefined = missingList(lists, leader, candidate);
    if (missing === undefined) yield candidate;
    else leader = missing;
    candidate = leader.advance(candidate);
  }
}

function missingList(
  lists: readonly TermList[],
  leader: TermList,
  ordinal: number,
): TermList | undefined {
  return lists.find((list) => list !== leader && !list.has(ordinal));
}

/** The ordinals of the streams that have one leaf, in the order of a range. */
class TermList {
  readonly #tags: StoreFiles['tags'];
  readonly #range: OrdinalRange;
  readonly #low: Uint8Array;
  readonly #high: Uint8Array;
  readonly #key: Uint8Array;
  readonly #isEmpty: boolean;
  #keys: Iterator<Uint8Array> | null = null;

  constructor(files: StoreFiles, term: Uint8Array, range: OrdinalRange) {
    const { first, last } = ordinalBounds(range);
    this.#tags = files.tags;
    this.#range = range;
    this.#isEmpty = first > last;
    this.#low = tagKey(term, Math.min(first, ORDINAL_MAX));
    this.#high = tagKey(term, Math.max(last, 0));
    this.#key = tagKey(term, 0);
  }

  has(ordinal: number): boolean {
    setTagKeyOrdinal(this.#key, ordinal);
    return this.#tags.getBinaryFast(this.#key) !== undefined;
  }

  /** The first ordinal, or the first one behind the given one; null at the end. Only ever moves on. */
  advance(behind: number | null): number | null {
    if (this.#isEmpty) return null;
    if (behind === null) return this.#seek();
    if (this.#keys !== null) {
      for (let step = 0; step < STEP_COUNT_MAX; step++) {
        const ordinal = this.#step();
        if (ordinal === null || this.#isBehind(ordinal, behind)) return ordinal;
      }
    }
    const from = this.#range.isReverse ? behind - 1 : behind + 1;
    if (from < 0 || from > ORDINAL_MAX) return null;
    setTagKeyOrdinal(this.#range.isReverse ? this.#high : this.#low, from);
    return this.#seek();
  }

  /** Lets go of the cursor. */
  close(): void {
    this.#keys?.return?.();
    this.#keys = null;
  }

  #seek(): number | null {
    this.close();
    const range = keyRange(this.#low, this.#high, this.#range.isReverse);
    this.#keys = this.#tags.getKeys(range)[Symbol.iterator]();
    return this.#step();
  }

  #step(): number | null {
    const { done, value } = this.#keys!.next();
    return done ? null : parseTagKeyOrdinal(value);
  }

  #isBehind(ordinal: number, other: number): boolean {
    return this.#range.isReverse ? ordinal < other : ordinal > other;
  }
}
