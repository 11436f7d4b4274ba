import type { LiveEvent } from './live-event.ts';

/** The last events, bounded in number and in bytes. */
export class EventRing {
  readonly #countMax: number;
  readonly #sizeMaxBytes: number;
  /** Null where one has been forgotten. */
  #events: (LiveEvent | null)[] = [];
  /** How many have been forgotten, at the start of the list. */
  #forgottenCount = 0;
  #sizeBytes = 0;
  /** Everything after it is here. */
  #floor: number;

  constructor(
    floor: number,
    { countMax, sizeMaxBytes }: { readonly countMax: number; readonly sizeMaxBytes: number },
  ) {
    this.#floor = floor;
    this.#countMax = countMax;
    this.#sizeMaxBytes = sizeMaxBytes;
  }

  get count(): number {
    return this.#events.length - this.#forgottenCount;
  }

  push(event: LiveEvent): void {
    this.#events.push(event);
    this.#sizeBytes += event.sizeBytes;
    while (this.count > this.#countMax || this.#sizeBytes > this.#sizeMaxBytes) this.#forget();
  }

  /** Events after that sequence, ascending; null when some of them are gone. */
  after(sequence: number): readonly LiveEvent[] | null {
    if (sequence < this.#floor) return null;
    let low = this.#forgottenCount;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#events[middle]!.sequence <= sequence) low = middle + 1;
      else high = middle;
    }
    return this.#events.slice(low) as LiveEvent[];
  }

  #forget(): void {
    const first = this.#events[this.#forgottenCount]!;
    this.#sizeBytes -= first.sizeBytes;
    this.#floor = first.sequence;
    this.#events[this.#forgottenCount++] = null;
    // The list is shortened now and then: each time would be work for its whole length.
    if (this.#forgottenCount * 2 < this.#events.length) return;
    this.#events = this.#events.slice(this.#forgottenCount);
    this.#forgottenCount = 0;
  }
}
