import type { Job, JobRun } from './job.ts';

export interface JobRunnerOptions {
  readonly now: () => Date;
  /** Told of each run when it is over. */
  readonly onRun: (job: Job, run: JobRun) => void;
}

/** Runs one job, never twice at once. */
export class JobRunner {
  readonly job: Job;
  readonly #now: () => Date;
  readonly #onRun: JobRunnerOptions['onRun'];
  readonly #ending = new AbortController();
  #current: { readonly startedAtMs: number; readonly over: Promise<JobRun> } | null = null;
  #lastRun: JobRun | null = null;

  constructor(job: Job, { now, onRun }: JobRunnerOptions) {
    this.job = job;
    this.#now = now;
    this.#onRun = onRun;
  }

  /** Null: no run is under way. */
  get runningSinceMs(): number | null {
    return this.#current?.startedAtMs ?? null;
  }

  get lastRun(): JobRun | null {
    return this.#lastRun;
  }

  /**
   * Starts a run; the promise never rejects, a run that fails says so. Null when one is under way, or when the
   * runner was stopped.
   */
  start(): Promise<JobRun> | null {
    if (this.#current !== null || this.#ending.signal.aborted) return null;
    const startedAtMs = this.#now().getTime();
    const over = this.#run(startedAtMs);
    this.#current = { startedAtMs, over };
    return over;
  }

  /** Stops the run under way, and resolves when it is over; none starts from now on. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#current?.over;
  }

  async #run(startedAtMs: number): Promise<JobRun> {
    // A job that does all its work at once must not run before whoever starts it knows that it runs.
    await Promise.resolve();
    const { signal } = this.#ending;
    let ending: Pick<JobRun, 'outcome' | 'error' | 'result'>;
    try {
      const result = await this.job.run(signal);
      ending = { outcome: 'succeeded', error: null, result };
    } catch (error) {
      ending = signal.aborted
        ? { outcome: 'interrupted', error: null, result: null }
        : { outcome: 'failed', error: messageOf(error), result: null };
    }
    // The clock may have been set back meanwhile.
    const durationMs = Math.max(0, this.#now().getTime() - startedAtMs);
    const run = { startedAtMs, durationMs, ...ending };
    this.#current = null;
    this.#lastRun = run;
    this.#onRun(this.job, run);
    return run;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
