const SECOND_MS = 1000;
const SLOT_COUNT = 60;

/** How many datapoints came in the last minute, in slots of a second. */
export class AppendRate {
  readonly #nowMs: () => number;
  readonly #counts = new Float64Array(SLOT_COUNT);
  /** The second that the newest slot stands for. */
  #second: number;

  constructor({ nowMs }: { readonly nowMs: () => number }) {
    this.#nowMs = nowMs;
    this.#second = Math.floor(nowMs() / SECOND_MS);
  }

  note(count: number): void {
    this.#advance();
    const slot = this.#second % SLOT_COUNT;
    this.#counts[slot] = this.#counts[slot]! + count;
  }

  get perMinute(): number {
    this.#advance();
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** Empties the slots of the seconds that have passed. A clock that goes back waits in its newest slot. */
  #advance(): void {
    const second = Math.floor(this.#nowMs() / SECOND_MS);
    const passedCount = Math.min(second - this.#second, SLOT_COUNT);
    for (let passed = 0; passed < passedCount; passed++) {
      this.#counts[(second - passed) % SLOT_COUNT] = 0;
    }
    this.#second = Math.max(second, this.#second);
  }
}
