import type { TimeRange } from '../model/time-range.ts';
import type { Neighbour } from './gap-fill.ts';

/** Gives the first bucket with data inside the range, or its last one when reversed; null without one. */
export type NearestSearch = (range: TimeRange, isReverse: boolean) => Promise<Neighbour | null>;

interface Answer {
  readonly askedMs: number;
  readonly found: Neighbour | null;
}

/**
 * Finds the nearest buckets with data before and after an instant. What an answer says of others is
 * remembered: a read goes through a long gap in many steps, all of which have the same neighbours.
 */
export class DataNeighbours {
  /** Where there are buckets at all. */
  readonly #range: TimeRange;
  readonly #search: NearestSearch;
  #before: Answer | null = null;
  #after: Answer | null = null;

  constructor(range: TimeRange, search: NearestSearch) {
    this.#range = range;
    this.#search = search;
  }

  /** The last one that starts before the instant. */
  async before(askedMs: number): Promise<Neighbour | null> {
    const { startMs } = this.#range;
    const known = this.#before;
    const knownMs = known?.found?.startMs ?? startMs;
    let found: Neighbour | null;
    if (known !== null && askedMs > knownMs) {
      const isCovered = askedMs <= known.askedMs;
      const later = { startMs: known.askedMs, endMs: askedMs };
      found = (isCovered ? null : await this.#search(later, true)) ?? known.found;
    } else found = await this.#search({ startMs, endMs: askedMs }, true);
    this.#before = { askedMs, found };
    return found;
  }

  /** The first one that starts at or after the instant. */
  async after(askedMs: number): Promise<Neighbour | null> {
    const { endMs } = this.#range;
    const known = this.#after;
    const knownMs = known?.found?.startMs ?? endMs;
    let found: Neighbour | null;
    if (known !== null && askedMs <= knownMs) {
      const isCovered = askedMs >= known.askedMs;
      const earlier = { startMs: askedMs, endMs: known.askedMs };
      found = (isCovered ? null : await this.#search(earlier, false)) ?? known.found;
    } else found = await this.#search({ startMs: askedMs, endMs }, false);
    this.#after = { askedMs, found };
    return found;
  }
}
