import { assert } from '../../model/assert.ts';
import type { Entry } from './entry.ts';
import type { Journal } from './journal.ts';
import type { View } from './view.ts';

const LOOKAHEAD_COUNT_MAX = 16;

interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

function instant(): Instant {
  return { monotonicMs: performance.now(), wallMs: Date.now() };
}

/** Keeps a view at the tip of the journal. */
export class Follower {
  readonly #journal: Journal;
  readonly #view: View;
  readonly #trustDurationMs: number;
  /** When the view was last known to be at the tip. */
  #tip: Instant = { monotonicMs: Number.NEGATIVE_INFINITY, wallMs: Number.NEGATIVE_INFINITY };
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  /** @param trustDurationMs for how long nothing can have been trimmed that was read at its start. */
  constructor(journal: Journal, view: View, trustDurationMs: number) {
    this.#journal = journal;
    this.#view = view;
    this.#trustDurationMs = trustDurationMs;
  }

  /** Resolves when the view holds every entry that was there when this was called. */
  follow(): Promise<void> {
    if (this.#running === null) return this.#start();
    // What runs may have looked already: the next round is the first that sees everything.
    this.#next ??= this.#running.then(
      () => this.#startNext(),
      () => this.#startNext(),
    );
    return this.#next;
  }

  /** Whether an insert below what has been trimmed could go unnoticed by its number alone. */
  get isTrusted(): boolean {
    const { monotonicMs, wallMs } = this.#tip;
    // A machine that was suspended may only see it by the wall clock; that one may also be set back.
    const elapsedMs = Math.max(performance.now() - monotonicMs, Date.now() - wallMs);
    return elapsedMs < this.#trustDurationMs;
  }

  /** Whether the journal still begins before this number: else what was inserted there counts nowhere. */
  async isAlive(seq: number): Promise<boolean> {
    const newest = await this.#journal.newest();
    return newest !== null && newest.trimmed < seq;
  }

  /**
   * Whether the documents read up to now still had all that counts in the view: else some of it has been
   * superseded and removed.
   */
  async isIntact(): Promise<boolean> {
    if (this.isTrusted) return true;
    const newest = await this.#journal.newest();
    return newest === null || newest.trimmed <= this.#view.position;
  }

  /** Reads the view anew. */
  async reset(): Promise<void> {
    for (;;) {
      const start = instant();
      const newest = await this.#journal.newest();
      if (newest === null) {
        this.#view.reset([], []);
        this.#tip = start;
        return;
      }
      const past = await this.#journal.readRange(newest.cleared, newest.floor, { isLight: true });
      const entries = await this.#journal.readRange(newest.floor, newest.seq);
      // A gap: the floor moved on, and entries went, while they were read.
      if (entries.length !== newest.seq - newest.floor || entries.length === 0) continue;
      // The process's own commits went in meanwhile: who waits for one must not lose sight of it.
      if (this.#view.position > newest.seq) continue;
      this.#view.reset(linked(past, entries[0]!), entries);
      this.#tip = start;
      return;
    }
  }

  #startNext(): Promise<void> {
    this.#next = null;
    return this.#start();
  }

  #start(): Promise<void> {
    const running = this.#run().finally(() => {
      if (this.#running === running) this.#running = null;
    });
    this.#running = running;
    return running;
  }

  async #run(): Promise<void> {
    for (;;) {
      const start = instant();
      await this.#readOn();
      const isTrusted = this.isTrusted;
      if (!isTrusted) {
        const newest = await this.#journal.newest();
        if (newest !== null && newest.trimmed > this.#view.position) await this.reset();
        if (newest !== null && newest.seq > this.#view.position) continue;
      }
      if (start.monotonicMs > this.#tip.monotonicMs) this.#tip = start;
      return;
    }
  }

  async #readOn(): Promise<void> {
    for (let count = 1; ; count = Math.min(count * 2, LOOKAHEAD_COUNT_MAX)) {
      const from = this.#view.position + 1;
      const entries = await Promise.all(
        Array.from({ length: count }, (_, i) => this.#journal.read(from + i)),
      );
      for (const entry of entries) {
        if (entry === null) return;
        if (!this.#take(entry)) return this.reset();
      }
    }
  }

  /** False when the entry continues another history than the view's: the view is from before a trim. */
  #take(entry: Entry): boolean {
    // The process's own commits go into the view on a way of their own.
    if (entry.seq <= this.#view.position) return true;
    if (entry.previousToken !== this.#view.last.token) return false;
    this.#view.apply(entry);
    return true;
  }
}

/**
 * The entries that lead to the given one without a gap. What is left of trimmed entries may have holes;
 * below the first hole nothing can be told from what came too late.
 */
function linked(past: readonly Entry[], first: Entry): readonly Entry[] {
  let following: Entry = first;
  let from = past.length;
  while (from > 0) {
    const entry = past[from - 1]!;
    if (entry.seq !== following.seq - 1 || entry.token !== following.previousToken) break;
    following = entry;
    from--;
  }
  assert(from <= past.length, 'a part of a list starts inside it');
  return past.slice(from);
}
