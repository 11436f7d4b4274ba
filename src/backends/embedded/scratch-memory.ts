/** What is kept for the next time: some MiB. */
const KEPT_LENGTH_MAX = 512 * 1024;

/**
 * Numbers that somebody needs for a short while, again and again: new memory each time would make the
 * garbage collector look for more of it to free.
 */
export class ScratchMemory {
  #memory: Float64Array = new Float64Array(0);
  #usedLength = 0;

  /** Memory that is used until the next `reset`, its content undefined. */
  take(length: number): Float64Array {
    const from = this.#usedLength;
    if (from + length > this.#memory.length) {
      const memory = new Float64Array(length);
      // What was taken before stays with whoever took it.
      if (from === 0 && length <= KEPT_LENGTH_MAX) this.#memory = memory;
      else return memory;
    }
    this.#usedLength += length;
    return this.#memory.subarray(from, from + length);
  }

  /** From now on, what was taken may be taken again. */
  reset(): void {
    this.#usedLength = 0;
  }
}
