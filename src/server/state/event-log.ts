import type { z } from 'zod';
import { ServiceError } from './service-error.ts';
import type { StateFiles, StateKey } from './state-files.ts';

/** How long the entries of a log are kept; the newest one always is. */
export interface LogLimits {
  readonly entryCountMax: number;
  readonly ageMaxMs: number;
}

export interface LogDefinition<E extends LogEntry> {
  readonly name: string;
  readonly schema: z.ZodType<E>;
  readonly limits: LogLimits;
}

export interface LogEntry {
  readonly atMs: number;
}

/** An entry and its place in the log; places grow and are never used again. */
export type Logged<E> = E & { readonly seq: number };

export interface LogPage<E> {
  /** Newest first. */
  readonly entries: readonly Logged<E>[];
  /** Where the next page begins; null when there is nothing older. */
  readonly nextBeforeSeq: number | null;
}

/** Removed by one append: more than one, so that a log shrinks to new limits. */
const TRIMMED_COUNT_MAX = 100;
/** Entries that are looked at for one page: a filter that nothing matches must not hold the process. */
const SCANNED_COUNT_MAX = 10_000;

/** Entries in the order in which they happened, the oldest of which are forgotten. */
export class EventLog<E extends LogEntry> {
  readonly #files: StateFiles;
  readonly #definition: LogDefinition<E>;

  constructor(files: StateFiles, definition: LogDefinition<E>) {
    this.#files = files;
    this.#definition = definition;
  }

  /** Adds an entry and gives its place; part of the transaction under way, if there is one. */
  append(entry: E): number {
    return this.#files.write(() => {
      const seq = this.#seqAt({ isReverse: true }) + 1;
      this.#files.put(this.#key(seq), this.#definition.schema.parse(entry));
      this.#trim(seq, entry.atMs);
      return seq;
    });
  }

  /** Reads entries that match, newest first; a page may have fewer than `limit` and still not be the last. */
  page({
    beforeSeq,
    limit,
    sinceMs = Number.NEGATIVE_INFINITY,
    matches = () => true,
  }: {
    readonly beforeSeq?: number | undefined;
    readonly limit: number;
    /** Older entries are not looked at. */
    readonly sinceMs?: number | undefined;
    readonly matches?: (entry: E) => boolean;
  }): LogPage<E> {
    return this.#files.read(() => {
      const found: Logged<E>[] = [];
      let scannedCount = 0;
      let before = beforeSeq;
      while (scannedCount < SCANNED_COUNT_MAX) {
        const chunk = this.#chunk(before, limit);
        for (const entry of chunk) {
          if (entry.atMs < sinceMs) return { entries: found, nextBeforeSeq: null };
          before = entry.seq;
          scannedCount++;
          if (matches(entry)) found.push(entry);
          if (found.length === limit) return { entries: found, nextBeforeSeq: this.#next(before) };
        }
        if (chunk.length < limit) return { entries: found, nextBeforeSeq: null };
      }
      return { entries: found, nextBeforeSeq: this.#next(before) };
    });
  }

  #chunk(beforeSeq: number | undefined, limit: number): readonly Logged<E>[] {
    const after = beforeSeq === undefined ? undefined : this.#key(beforeSeq);
    return this.#files
      .entries(this.#prefix, { after, limit, isReverse: true })
      .map(({ key, value }) => ({ ...this.#decode(value), seq: Number(key.at(-1)) }));
  }

  #next(seq: number | undefined): number | null {
    if (seq === undefined) return null;
    const older = this.#files.keys(this.#prefix, {
      after: this.#key(seq),
      limit: 1,
      isReverse: true,
    });
    return older.length === 0 ? null : seq;
  }

  #trim(newestSeq: number, nowMs: number): void {
    const { entryCountMax, ageMaxMs } = this.#definition.limits;
    for (const { key, value } of this.#files.entries(this.#prefix, { limit: TRIMMED_COUNT_MAX })) {
      const seq = Number(key.at(-1));
      const isSurplus = newestSeq - seq >= entryCountMax;
      const isOld = (value as E).atMs < nowMs - ageMaxMs;
      // What stays last says which number comes next.
      if (seq === newestSeq || !(isSurplus || isOld)) return;
      this.#files.remove(key);
    }
  }

  #decode(value: unknown): E {
    const parsed = this.#definition.schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const { name } = this.#definition;
    throw new ServiceError('STATE_UNREADABLE', `An entry of the log ${name} does not decode.`, {
      cause: parsed.error,
    });
  }

  /** 0 when there is none. */
  #seqAt({ isReverse }: { readonly isReverse: boolean }): number {
    const [key] = this.#files.keys(this.#prefix, { limit: 1, isReverse });
    return key === undefined ? 0 : Number(key.at(-1));
  }

  get #prefix(): StateKey {
    return ['log', this.#definition.name];
  }

  #key(seq: number): StateKey {
    return [...this.#prefix, seq];
  }
}
