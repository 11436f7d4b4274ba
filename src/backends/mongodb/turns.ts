/** How long a process writes without a pause: when it has met a rival lately, and when it has not. */
const RIVALLED_TURN_MS = 20;
const UNRIVALLED_TURN_MS = 250;
/** For how long a lost number means that there are rivals. */
const RIVALRY_MS = 5000;
/** A rival that lost a number needs some calls to follow the journal and to try the next one. */
const PAUSE_CALL_COUNT = 8;
const PAUSE_MAX_MS = 100;
/** What lies further apart are two turns. */
const GAP_MS = 10;
/** How much the newest call counts in the mean. */
const SMOOTHING = 0.2;

export interface TurnClock {
  nowMs(): number;
  sleep(durationMs: number): Promise<void>;
}

const SYSTEM_CLOCK: TurnClock = {
  nowMs: () => performance.now(),
  sleep: (durationMs) => new Promise((resolve) => setTimeout(resolve, durationMs)),
};

/**
 * Lets other processes have their turn. Whoever wrote the last entry of the journal knows the next number at
 * once; a rival has to read that entry first, and would come too late every time. So a process that writes
 * all the time makes a short pause now and then, more often when it has lost numbers itself.
 */
export class Turns {
  readonly #clock: TurnClock;
  #startMs = Number.NEGATIVE_INFINITY;
  #lastMs = Number.NEGATIVE_INFINITY;
  #lostMs = Number.NEGATIVE_INFINITY;
  #callMs = 0;

  constructor(clock: TurnClock = SYSTEM_CLOCK) {
    this.#clock = clock;
  }

  /** Waits when this process has written for long enough. Call before a number is tried. */
  async begin(): Promise<void> {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#lastMs > Math.max(GAP_MS, 2 * this.#callMs)) this.#startMs = nowMs;
    const isRivalled = nowMs - this.#lostMs < RIVALRY_MS;
    if (nowMs - this.#startMs < (isRivalled ? RIVALLED_TURN_MS : UNRIVALLED_TURN_MS)) return;
    await this.#clock.sleep(Math.min(PAUSE_CALL_COUNT * this.#callMs, PAUSE_MAX_MS));
    this.#startMs = this.#clock.nowMs();
  }

  /** Notes that a number was won, or lost to somebody else, after so long. */
  end({ isWon, durationMs }: { readonly isWon: boolean; readonly durationMs: number }): void {
    const nowMs = this.#clock.nowMs();
    this.#callMs += SMOOTHING * (durationMs - this.#callMs);
    this.#lastMs = nowMs;
    if (isWon) return;
    this.#lostMs = nowMs;
    // Who lost has waited for his turn.
    this.#startMs = nowMs;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }
}
