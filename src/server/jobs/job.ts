import type { Json } from '../../model/tags.ts';

/** Something that the service does again and again. */
export interface Job {
  /** Part of its address, and key of its pause. */
  readonly name: string;
  /** What it does, for people. */
  readonly title: string;
  /**
   * Does it once. What it returns is shown as the result of the run. Rejects with the reason of the signal when
   * that stops it.
   */
  run(signal: AbortSignal): Promise<Json>;
}

type JobOutcome = 'succeeded' | 'failed' | 'interrupted';

/** A run that is over. */
export interface JobRun {
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly outcome: JobOutcome;
  /** Why it failed; null when it did not. */
  readonly error: string | null;
  readonly result: Json;
}

/** Where a job stands in this process. */
export interface JobStatus {
  readonly name: string;
  readonly title: string;
  readonly schedule: string;
  /** Whether this process runs it by its schedule; else another worker may. */
  readonly isEnabled: boolean;
  /** Null: not paused. */
  readonly pause: { readonly atMs: number; readonly by: string } | null;
  /** Start of the run under way; null: none is. */
  readonly runningSinceMs: number | null;
  /** Null: none since the service was started. */
  readonly lastRun: JobRun | null;
  /** Null: not enabled, paused, or never again. */
  readonly nextRunMs: number | null;
}
