/** Entries forgotten before their memory is given back. */
const COMPACTION_COUNT_MIN = 1024;

/**
 * The sizes of the journal entries that a process knows of, so that it can tell how long the
 * journal is when others have made it shorter.
 */
export class JournalSizes {
  /** Bytes of all entries that were not forgotten. */
  totalBytes = 0;
  /** The last entry before the first one in `#sizes`. */
  #baseSeq: number;
  #sizes: number[] = [];
  /** How many of `#sizes` are forgotten, the first ones. */
  #forgottenCount = 0;

  constructor(baseSeq: number) {
    this.#baseSeq = baseSeq;
  }

  /** Adds the next entry. */
  push(sizeBytes: number): void {
    this.#sizes.push(sizeBytes);
    this.totalBytes += sizeBytes;
  }

  /** Forgets the entries up to that one. */
  forget(throughSeq: number): void {
    const count = Math.min(throughSeq - this.#baseSeq, this.#sizes.length);
    while (this.#forgottenCount < count) this.totalBytes -= this.#sizes[this.#forgottenCount++]!;
    if (this.#forgottenCount < Math.max(COMPACTION_COUNT_MIN, this.#sizes.length >> 1)) return;
    this.#sizes = this.#sizes.slice(this.#forgottenCount);
    this.#baseSeq += this.#forgottenCount;
    this.#forgottenCount = 0;
  }
}
