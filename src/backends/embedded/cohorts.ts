import { Cohort, type CohortKey, isSameCohort } from './cohort.ts';

/** Lists of streams that are remembered after their first tick. */
const SEEN_COUNT_MAX = 1024;

/** So many streams without any rows in memory are better off in a cohort from their first tick on. */
const FRESH_COUNT_MIN = 8;

/**
 * The cohorts of a view. Streams form one when their rows come together for the second time: lists
 * that come once only, such as those of chance, would leave each row in a cohort of its own.
 */
export class Cohorts {
  /** By level, first ordinal and number of streams, which tell nearly all apart. */
  readonly #cohorts: Map<string, Cohort[]> = new Map();
  readonly #seen: Map<string, CohortKey> = new Map();
  #latest: Cohort | null = null;

  /** The cohort of the key; null when there is none. */
  find(key: CohortKey): Cohort | null {
    if (this.#latest?.is(key)) return this.#latest;
    const cohort = this.#cohorts.get(nameOf(key))?.find((item) => item.is(key)) ?? null;
    if (cohort !== null) this.#latest = cohort;
    return cohort;
  }

  /** As `find`, and forms the cohort when it is due. `isFresh`: the streams have no rows in memory. */
  seen(key: CohortKey, { isFresh }: { isFresh: boolean }): Cohort | null {
    const found = this.find(key);
    // The rows of a single stream are best off in arrays of its own.
    if (found !== null || key.ordinals.length < 2) return found;
    const name = nameOf(key);
    const before = this.#seen.get(name);
    const isKnown = before !== undefined && isSameCohort(before, key);
    if (!isKnown && !(isFresh && key.ordinals.length >= FRESH_COUNT_MIN)) {
      if (this.#seen.size >= SEEN_COUNT_MAX) this.#seen.clear();
      this.#seen.set(name, { ...key, ordinals: key.ordinals.slice() });
      return null;
    }
    this.#seen.delete(name);
    const cohort = new Cohort(isKnown ? before : { ...key, ordinals: key.ordinals.slice() });
    this.#cohorts.set(name, [...(this.#cohorts.get(name) ?? []), cohort]);
    return cohort;
  }

  /** Gives back the rows that are in blocks, and cohorts that nobody belongs to. */
  trim(): void {
    for (const [name, cohorts] of this.#cohorts) {
      for (const cohort of cohorts) cohort.trim();
      const kept = cohorts.filter(({ memberCount, tickCount }) => memberCount + tickCount > 0);
      if (kept.length === cohorts.length) continue;
      for (const cohort of cohorts) cohort.isDisbanded = !kept.includes(cohort);
      this.#latest = null;
      if (kept.length > 0) this.#cohorts.set(name, kept);
      else this.#cohorts.delete(name);
    }
  }
}

function nameOf({ level, ordinals }: CohortKey): string {
  return `${level}:${ordinals[0]}:${ordinals.length}`;
}
