import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import { openBackend } from '../../src/backends/open-backend.ts';
import { EXIT_CODES } from '../../src/cli/exit-codes.ts';
import { describeWith } from '../servers/available.ts';
import { fill, progressOf, type Size, totalsOf } from './streams.ts';
import { type Replacement, Worker, type WorkerEnd } from './worker.ts';

const SIZE: Size = { streamCount: 200, pointCount: 10_000, derivedCount: 8 };
const WORKER_COUNT = 4;
/** Streams that a worker has under way, and that may share a commit. */
const CONCURRENCY = 2;
/**
 * Somebody gets that far, however the streams are shared out: as many as a worker has under way take a
 * commit at least. Half of what one of them has to do when the others do as much.
 */
const DIE_AT_COMMIT = Math.floor(SIZE.streamCount / CONCURRENCY / WORKER_COUNT / 2);
/** Short, because the streams of the one that dies have to wait for its end. */
const LEASE = '5s';
const POLL_INTERVAL_MS = 1000;
const TIMEOUT_MS = 300_000;

async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'datastream-workers-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function open(url: string): Promise<Datastream> {
  return new Datastream(await openBackend(url));
}

interface Result {
  readonly progress: ReadonlyMap<string, string>;
  readonly totals: ReadonlyMap<string, string>;
}

/** What one worker makes of the same streams, on a store of its own. */
async function oneWorker(folder: string): Promise<Result> {
  const url = `embedded:${join(folder, 'copy')}`;
  const filling = await open(url);
  await fill(filling, SIZE);
  await filling.close();
  for (const command of ['backprocess', 'downsample']) {
    const worker = new Worker(['--store', url, command], { folder, name: `one-${command}` });
    expect(await worker.end()).toMatchObject({ exitCode: 0, stderr: '' });
  }
  const datastream = await open(url);
  const result = { progress: await progressOf(datastream), totals: await totalsOf(datastream) };
  await datastream.close();
  return result;
}

/** Starts workers that share the store, one of which dies; ends the others when all is done. */
async function manyWorkers(
  url: string,
  { folder, isDone }: { folder: string; isDone: () => Promise<boolean> },
): Promise<readonly WorkerEnd[]> {
  const dieFile = join(folder, 'one-died');
  const common = ['--every', '1s', '--lease', LEASE, '--concurrency', `${CONCURRENCY}`];
  const deadly = { DIE_AT_COMMIT: String(DIE_AT_COMMIT), DIE_FILE: dieFile };
  const workers = Array.from({ length: WORKER_COUNT }, (_, index) => {
    const argv = ['--store', url, 'downsample', ...common];
    return new Worker(argv, { folder, name: `downsample-${index}`, env: deadly });
  });
  const argv = ['--store', url, 'backprocess', ...common];
  workers.push(new Worker(argv, { folder, name: 'backprocess' }));
  try {
    while (!(await isDone())) {
      const ended = workers.filter(({ isRunning }) => !isRunning);
      const isOneDead = existsSync(dieFile);
      assert(ended.length <= (isOneDead ? 1 : 0), ended.map(({ stderr }) => stderr).join());
      await sleep(POLL_INTERVAL_MS);
    }
    return await Promise.all(workers.map((worker) => worker.stop()));
  } finally {
    for (const worker of workers) worker.kill();
  }
}

/** Asserts that no bucket is in two commits, and gives the number of rows of all of them. */
function assertDisjoint(replacements: readonly Replacement[]): number {
  const ends = new Map<string, number>();
  for (const each of replacements.toSorted((a, b) => a.startMs - b.startMs)) {
    const { startMs, endMs, rowCount } = each;
    if (rowCount === 0) continue;
    const key = `${each.streamId} ${each.granularity}`;
    const isOnce = startMs >= (ends.get(key) ?? Number.NEGATIVE_INFINITY);
    assert(isOnce, `${key} was written twice from ${new Date(startMs).toISOString()} on`);
    ends.set(key, endMs);
  }
  return replacements.reduce((sum, { rowCount }) => sum + rowCount, 0);
}

/** Asserts it on an empty store. */
async function assertShared(
  url: string,
  { folder, wanted }: { folder: string; wanted: Result },
): Promise<void> {
  const datastream = await open(url);
  await fill(datastream, SIZE);
  const isDone = async (): Promise<boolean> =>
    isEqual(await progressOf(datastream), wanted.progress);
  const ends = await manyWorkers(url, { folder, isDone });
  expect(ends.filter(({ signal }) => signal === 'SIGKILL')).toHaveLength(1);
  const others = ends.filter(({ signal }) => signal === null);
  expect(others).toHaveLength(WORKER_COUNT);
  for (const { exitCode, stderr, lostLeaseCount } of others) {
    // On a machine that is slow enough a lease runs out under its holder. He says so, and gives up.
    if (lostLeaseCount > 0) expect([0, EXIT_CODES['MAINTENANCE_FAILED']]).toContain(exitCode);
    else expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  }
  const rowCount = assertDisjoint(ends.flatMap(({ replacements }) => replacements));
  expect(await totalsOf(datastream)).toEqual(wanted.totals);
  const report = await datastream.verify();
  expect(report).toMatchObject({ differenceCount: 0, staleRangeCount: 0 });
  expect(rowCount).toBe(report.bucketCount + report.derivedCount);
  await datastream.close();
}

describe('four workers on one store, of which one dies, write every bucket once', () => {
  let wanted: Result;

  beforeAll(async () => {
    wanted = await withFolder(oneWorker);
  }, TIMEOUT_MS);

  test(
    'on an embedded store',
    () =>
      withFolder((folder) => assertShared(`embedded:${join(folder, 'store')}`, { folder, wanted })),
    TIMEOUT_MS,
  );

  for (const backend of ['postgresql', 'mongodb'] as const) {
    describeWith(backend, ({ createStore }) => {
      test(
        'on a server',
        () =>
          withFolder(async (folder) => {
            const store = await createStore();
            await assertShared(store.url, { folder, wanted });
            await store.drop();
          }),
        TIMEOUT_MS,
      );
    });
  }
});

function isEqual(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}
