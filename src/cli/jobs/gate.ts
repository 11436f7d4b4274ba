/** More than any thread passes. */
const PASS_COUNT_OPEN = 1_000_000_000;

/** Lets a thread run ahead of another one, but not far. Both make one over the same buffer. */
export class Gate {
  readonly buffer: SharedArrayBuffer;
  /** How often the gate may be passed without waiting. */
  readonly #passes: Int32Array;

  /** @param passCount for a new gate; the other thread takes its buffer. */
  constructor(from: { readonly passCount: number } | SharedArrayBuffer) {
    const isNew = !(from instanceof SharedArrayBuffer);
    this.buffer = isNew ? new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT) : from;
    this.#passes = new Int32Array(this.buffer);
    if (isNew) Atomics.store(this.#passes, 0, from.passCount);
  }

  /** Waits, blocking its thread, until the gate may be passed. One thread alone does this. */
  pass(): void {
    Atomics.wait(this.#passes, 0, 0);
    Atomics.sub(this.#passes, 0, 1);
  }

  /** Allows one more pass. */
  allow(): void {
    this.#add(1);
  }

  /** Lets the other thread pass from now on. */
  open(): void {
    this.#add(PASS_COUNT_OPEN);
  }

  #add(passCount: number): void {
    Atomics.add(this.#passes, 0, passCount);
    Atomics.notify(this.#passes, 0);
  }
}
