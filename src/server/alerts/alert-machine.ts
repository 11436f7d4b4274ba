/** Where an alert stands: never raised, about to be, raised, or over. */
export type AlertPhase = 'ok' | 'pending' | 'firing' | 'resolved';

/** What the machine remembers of one stream by one rule. */
export interface AlertMemory {
  readonly phase: AlertPhase;
  readonly sinceMs: number;
  /** The last value that was looked at; null: none. */
  readonly value: number | null;
  /** Timestamp of the last datapoint that was looked at; null: none. */
  readonly seenMs: number | null;
}

/** A change from one phase to another. */
export interface Transition {
  readonly phase: AlertPhase;
  readonly atMs: number;
  readonly value: number | null;
}

/** When values raise an alert, and when they clear it. */
export interface Limits {
  /** Whether values above the limit raise it, or those below. */
  readonly isAbove: boolean;
  readonly raise: number;
  /** Not beyond this, a value clears it. */
  readonly clear: number;
  /** How long values must be beyond the limit before it fires. */
  readonly holdMs: number;
}

export interface Stepped {
  readonly memory: AlertMemory;
  readonly transitions: readonly Transition[];
}

/**
 * Runs an alert over values in the order of their times, and then up to now: a value holds until the next one.
 * An alert that was raised and cleared between two looks at the data is told all the same.
 */
export function runThreshold(
  before: AlertMemory,
  {
    values,
    nowMs,
    limits,
  }: {
    readonly values: readonly { readonly timeMs: number; readonly value: number }[];
    readonly nowMs: number;
    readonly limits: Limits;
  },
): Stepped {
  const run = new Run(before);
  for (const { timeMs, value } of values) {
    run.holdUntil(timeMs, limits.holdMs);
    run.take(timeMs, value, limits);
  }
  run.holdUntil(nowMs, limits.holdMs);
  return run.result();
}

/** As `runThreshold`, for a condition that holds or does not at this moment. */
export function runState(
  before: AlertMemory,
  { isRaised, atMs, seenMs }: { isRaised: boolean; atMs: number; seenMs: number | null },
): Stepped {
  const run = new Run({ ...before, seenMs });
  const isFiring = before.phase === 'firing';
  if (isRaised && !isFiring) run.change('firing', atMs);
  if (!isRaised && isFiring) run.change('resolved', atMs);
  return run.result();
}

class Run {
  #memory: AlertMemory;
  readonly #transitions: Transition[] = [];

  constructor(before: AlertMemory) {
    this.#memory = before;
  }

  /** What is pending for long enough fires, at the moment when it was. */
  holdUntil(timeMs: number, holdMs: number): void {
    const { phase, sinceMs } = this.#memory;
    if (phase === 'pending' && timeMs - sinceMs >= holdMs) this.change('firing', sinceMs + holdMs);
  }

  take(timeMs: number, value: number, { isAbove, raise, clear, holdMs }: Limits): void {
    this.#memory = { ...this.#memory, value, seenMs: timeMs };
    const isBeyond = (limit: number): boolean => (isAbove ? value > limit : value < limit);
    switch (this.#memory.phase) {
      case 'firing':
        if (!isBeyond(clear)) this.change('resolved', timeMs);
        return;
      case 'pending':
        if (!isBeyond(raise)) this.change('ok', timeMs);
        return;
      default:
        if (isBeyond(raise)) this.change(holdMs === 0 ? 'firing' : 'pending', timeMs);
    }
  }

  change(phase: AlertPhase, atMs: number): void {
    this.#memory = { ...this.#memory, phase, sinceMs: atMs };
    this.#transitions.push({ phase, atMs, value: this.#memory.value });
  }

  result(): Stepped {
    return { memory: this.#memory, transitions: this.#transitions };
  }
}
