import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../../src/model/tags.ts';
import type { JobRun } from '../../../src/server/jobs/job.ts';
import { Jobs } from '../../../src/server/jobs/jobs.ts';
import { StateStore } from '../../../src/server/state/state-store.ts';
import { openedState, temporaryFolder } from '../state/support.ts';

const EACH_SECOND = '* * * * * *';
const NEVER_SOON = '0 0 0 1 1 *';
const NOON = Date.UTC(2026, 2, 1, 12);

/** A job whose runs end when the test says so. */
class Gate {
  startCount = 0;
  signal: AbortSignal | null = null;
  #end: { resolve: (result: Json) => void; reject: (error: Error) => void } | null = null;

  readonly run = (signal: AbortSignal): Promise<Json> => {
    this.startCount++;
    this.signal = signal;
    return new Promise<Json>((resolve, reject) => {
      this.#end = { resolve, reject };
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  };

  succeed(result: Json): void {
    this.#end!.resolve(result);
  }

  fail(message: string): void {
    this.#end!.reject(new Error(message));
  }
}

interface Fixture {
  readonly gate: Gate;
  readonly jobs: Jobs;
  readonly runs: readonly JobRun[];
  readonly state: StateStore;
  readonly folder: string;
  passMs(durationMs: number): void;
}

async function fixture(
  { schedule = NEVER_SOON, isEnabled = true } = {},
  onRun: () => void = () => {},
): Promise<Fixture> {
  const folder = await temporaryFolder();
  const state = await openedState(folder);
  const gate = new Gate();
  const runs: JobRun[] = [];
  let nowMs = NOON;
  const jobs = new Jobs([{ name: 'count', title: 'Counts', run: gate.run, schedule, isEnabled }], {
    state,
    now: () => new Date(nowMs),
    onRun: (_job, run) => {
      runs.push(run);
      onRun();
    },
  });
  const passMs = (durationMs: number): void => {
    nowMs += durationMs;
  };
  return { gate, jobs, runs, state, folder, passMs };
}

describe('jobs', () => {
  test('run once at a time, and show how it went', async () => {
    const { gate, jobs, runs, passMs } = await fixture();
    expect(jobs.list()).toMatchObject([{ name: 'count', runningSinceMs: null, lastRun: null }]);
    const first = jobs.run('count');
    await Promise.resolve();
    expect(jobs.status('count').runningSinceMs).toBe(NOON);
    expect(() => jobs.run('count')).toThrow(expect.objectContaining({ code: 'JOB_RUNNING' }));
    passMs(1500);
    gate.succeed({ rowCount: 3 });
    const run = await first;
    expect(run).toEqual({
      startedAtMs: NOON,
      durationMs: 1500,
      outcome: 'succeeded',
      error: null,
      result: { rowCount: 3 },
    });
    expect(jobs.status('count')).toMatchObject({ runningSinceMs: null, lastRun: run });
    const second = jobs.run('count');
    await Promise.resolve();
    gate.fail('the disk is full');
    expect(await second).toMatchObject({ outcome: 'failed', error: 'the disk is full' });
    expect(runs).toHaveLength(2);
    expect(gate.startCount).toBe(2);
    await jobs.stop();
  });

  test('follow their schedule, which says when they run next', async () => {
    let jobs: Jobs | null = null;
    const ran = new Promise<void>((resolve) => {
      void fixture({ schedule: EACH_SECOND }, resolve).then((made) => {
        jobs = made.jobs;
        expect(made.jobs.status('count').nextRunMs).toBe(NOON + 1000);
        made.jobs.start();
        const answering = setInterval(() => {
          if (made.gate.startCount === 0) return;
          clearInterval(answering);
          made.gate.succeed(null);
        }, 5);
      });
    });
    await ran;
    await jobs!.stop();
  });

  test('do not run by themselves where they are not enabled', async () => {
    const { gate, jobs } = await fixture({ schedule: EACH_SECOND, isEnabled: false });
    expect(jobs.status('count')).toMatchObject({ isEnabled: false, nextRunMs: null });
    jobs.start();
    await new Promise((resolve) => setTimeout(resolve, 2100));
    expect(gate.startCount).toBe(0);
    const run = jobs.run('count');
    await Promise.resolve();
    gate.succeed(null);
    expect(await run).toMatchObject({ outcome: 'succeeded' });
    await jobs.stop();
  });

  test('are paused for every process on the state, and over restarts', async () => {
    const { gate, jobs, state, folder } = await fixture({ schedule: EACH_SECOND });
    const elsewhere = await StateStore.open(folder);
    const other = new Jobs(
      [{ name: 'count', title: 'x', run: gate.run, schedule: NEVER_SOON, isEnabled: true }],
      { state: elsewhere, now: () => new Date(NOON), onRun: () => {} },
    );
    other.pause('count', 'anna');
    other.pause('count', 'bert');
    expect(jobs.status('count')).toMatchObject({
      pause: { atMs: NOON, by: 'anna' },
      nextRunMs: null,
    });
    jobs.start();
    await new Promise((resolve) => setTimeout(resolve, 2100));
    expect(gate.startCount).toBe(0);
    other.resume('count');
    expect(jobs.status('count').pause).toBeNull();
    expect(state.jobPauses.isEmpty).toBe(true);
    while (gate.startCount === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await Promise.all([jobs.stop(), other.stop()]);
    await elsewhere.close();
  });

  test('are told to stop when the service ends, and none starts after that', async () => {
    const { gate, jobs } = await fixture();
    const run = jobs.run('count');
    await Promise.resolve();
    const stopped = jobs.stop();
    expect(gate.signal!.aborted).toBe(true);
    await stopped;
    expect(await run).toMatchObject({ outcome: 'interrupted', error: null });
    expect(() => jobs.run('count')).toThrow();
  });

  test('that there are not, are not found', async () => {
    const { jobs } = await fixture();
    for (const call of ['status', 'run', 'resume'] as const) {
      expect(() => jobs[call]('sleep')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
    }
    expect(() => jobs.pause('sleep', 'x')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
    await jobs.stop();
  });
});
