import type { Backend } from '../../backends/backend.ts';

/** How often the store is asked whether another process has committed something. */
const POLL_MS = 50;
/** Commits of this process that come so close together are looked at together. */
const REST_MIN_MS = 4;
const REST_MAX_MS = 1000;
/** After each look there is a rest so many times as long: many streams must not keep the process busy. */
const REST_PER_LOOK = 2;

/** Says when it is time to look for changes: soon after a commit, of whichever process. */
export class CommitWatch {
  readonly #backend: Backend;
  readonly #signal: AbortSignal | undefined;
  readonly #stopListening: () => void;
  #token: string | null = null;
  #hasCommitted = false;
  #wake: (() => void) | null = null;
  #restUntilMs = 0;

  /** Listens until it is closed. */
  constructor(backend: Backend, signal: AbortSignal | undefined) {
    this.#backend = backend;
    this.#signal = signal;
    this.#stopListening = backend.onCommit(() => {
      this.#hasCommitted = true;
      this.#wake?.();
    });
  }

  close(): void {
    this.#stopListening();
  }

  /** What is committed from now on is noticed; to be called before anything is read. */
  async begin(): Promise<void> {
    this.#hasCommitted = false;
    this.#token = await this.#backend.changeToken();
  }

  /**
   * Resolves with true when something may have been committed since the last time, or at the due time at the
   * latest; with false when the signal is aborted.
   * @param options `busyMs`: how long the last look took.
   */
  async next({
    dueMs,
    busyMs,
  }: {
    readonly dueMs: number;
    readonly busyMs: number;
  }): Promise<boolean> {
    const restMs = Math.min(busyMs * REST_PER_LOOK, REST_MAX_MS);
    this.#restUntilMs = performance.now() + Math.max(REST_MIN_MS, restMs);
    for (;;) {
      await this.#rest();
      if (this.#isAborted) return false;
      const isDue = performance.now() >= dueMs;
      // Before the store is asked: what is committed after that is found the next time.
      const isOwn = this.#hasCommitted;
      this.#hasCommitted = false;
      const token = await this.#backend.changeToken();
      const hasMoved = isOwn || token === null || token !== this.#token;
      this.#token = token;
      if (hasMoved || isDue) return !this.#isAborted;
    }
  }

  /** Until it is time to ask, or this process has committed something; never shorter than the rest that is due. */
  async #rest(): Promise<void> {
    const askMs = Math.max(performance.now() + POLL_MS, this.#restUntilMs);
    if (!this.#hasCommitted) await this.#pause(askMs, true);
    if (performance.now() < this.#restUntilMs) await this.#pause(this.#restUntilMs, false);
  }

  get #isAborted(): boolean {
    return this.#signal?.aborted === true;
  }

  #pause(untilMs: number, endsByCommit: boolean): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#signal?.removeEventListener('abort', end);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(end, Math.ceil(untilMs - performance.now()));
      this.#signal?.addEventListener('abort', end);
      if (endsByCommit) this.#wake = end;
      if (this.#isAborted) end();
    });
  }
}
