import { Cron } from 'croner';
import { ServiceError } from '../state/service-error.ts';
import type { StateStore } from '../state/state-store.ts';
import type { Job, JobRun, JobStatus } from './job.ts';
import { JobRunner, type JobRunnerOptions } from './job-runner.ts';

/** When a job runs by itself. */
interface JobSchedule {
  readonly isEnabled: boolean;
  /** A cron expression, with or without seconds, in the time zone of the host. */
  readonly schedule: string;
}

export type ScheduledJob = Job & JobSchedule;

export interface JobsOptions extends JobRunnerOptions {
  readonly state: StateStore;
}

interface Entry extends JobSchedule {
  readonly runner: JobRunner;
  readonly cron: Cron;
}

/**
 * The jobs of the service. A pause stands in the state store: it holds in every process that works on it, and
 * over restarts. It keeps a job from its schedule only: who starts a run by hand gets one.
 */
export class Jobs {
  readonly #state: StateStore;
  readonly #now: () => Date;
  readonly #entries: ReadonlyMap<string, Entry>;

  constructor(jobs: readonly ScheduledJob[], { state, now, onRun }: JobsOptions) {
    this.#state = state;
    this.#now = now;
    this.#entries = new Map(
      jobs.map((job) => {
        const { name, isEnabled, schedule } = job;
        const runner = new JobRunner(job, { now, onRun });
        // Paused here: it only computes times until `start`.
        const cron = new Cron(schedule, { paused: true, unref: true }, () => this.#runDue(name));
        return [name, { isEnabled, schedule, runner, cron }];
      }),
    );
  }

  /** Lets the schedules begin. */
  start(): void {
    for (const { isEnabled, cron } of this.#entries.values()) if (isEnabled) cron.resume();
  }

  list(): readonly JobStatus[] {
    return [...this.#entries.keys()].map((name) => this.status(name));
  }

  /** @throws {ServiceError} NOT_FOUND */
  status(name: string): JobStatus {
    const { runner, cron, schedule, isEnabled } = this.#entry(name);
    const pause = this.#state.jobPauses.get(name);
    const next = isEnabled && pause === null ? cron.nextRun(this.#now()) : null;
    return {
      name,
      title: runner.job.title,
      schedule,
      isEnabled,
      pause: pause && { atMs: pause.pausedAtMs, by: pause.pausedBy },
      runningSinceMs: runner.runningSinceMs,
      lastRun: runner.lastRun,
      nextRunMs: next?.getTime() ?? null,
    };
  }

  /**
   * Starts a run, paused or not; the promise resolves when it is over.
   * @throws {ServiceError} NOT_FOUND; JOB_RUNNING when one is under way.
   */
  run(name: string): Promise<JobRun> {
    const run = this.#entry(name).runner.start();
    if (run !== null) return run;
    throw new ServiceError('JOB_RUNNING', `The job ${name} is running already.`);
  }

  /** Keeps a job from its schedule; nothing happens to a run under way. @throws {ServiceError} NOT_FOUND */
  pause(name: string, by: string): void {
    this.#entry(name);
    this.#state.write(() => {
      if (this.#state.jobPauses.get(name) !== null) return;
      this.#state.jobPauses.insert({ id: name, pausedAtMs: this.#now().getTime(), pausedBy: by });
    });
  }

  /** Ends a pause. @throws {ServiceError} NOT_FOUND */
  resume(name: string): void {
    this.#entry(name);
    this.#state.jobPauses.remove(name);
  }

  /** Stops all schedules and runs. */
  async stop(): Promise<void> {
    for (const { cron } of this.#entries.values()) cron.stop();
    await Promise.all([...this.#entries.values()].map(({ runner }) => runner.stop()));
  }

  /** What the schedule asks for: nothing while the job is paused, or while the run before goes on. */
  #runDue(name: string): void {
    if (this.#state.jobPauses.get(name) === null) void this.#entry(name).runner.start();
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry !== undefined) return entry;
    throw new ServiceError('NOT_FOUND', `No job ${JSON.stringify(name)}.`);
  }
}
