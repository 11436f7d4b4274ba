import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import { openBackend } from '../../src/backends/open-backend.ts';
import { Granularity } from '../../src/model/granularity.ts';
import { BASE_MS, linesOf } from './child.ts';

const WRITER = fileURLToPath(new URL('./crash-writer.mjs', import.meta.url));
/** DURABILITY_KILLS=… kills more often, as CI does. */
const KILL_COUNT = Number(process.env['DURABILITY_KILLS'] ?? 60);
/** How long a child lives after its first line. */
const LIFE_MIN_MS = 30;
const LIFE_MAX_MS = 150;
/** The store's clock leaps, so that leases of killed processes have run out for those that follow. */
const LEASE_OVER_MS = 200_000;

/** CRASH_SEED=… repeats a run, as far as the moment of a kill can be repeated. */
const SEED = Number(process.env['CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 32));

interface Line {
  /** Where the writer starts, after all that was stored before. */
  readonly startSecond?: number;
  readonly warning?: string;
  readonly acknowledged?: readonly (readonly [name: string, second: number, value: number])[];
}

function* pseudoRandom(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** Lets a child write until it is killed; gives its lines. */
async function killedWriter(
  url: string,
  { round, lifeMs }: { round: number; lifeMs: number },
): Promise<readonly Line[]> {
  const child = spawn(
    process.execPath,
    [WRITER, url, String(SEED + round), String(round), String(aheadMs(round))],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const errors: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  const lines = linesOf<Line>(child.stdout);
  const exit = once(child, 'exit');
  await Promise.race([once(child.stdout, 'data'), exit]);
  await sleep(lifeMs);
  child.kill('SIGKILL');
  const [code, signal] = await exit;
  assert.equal(signal, 'SIGKILL', `the writer ended by itself (${code}): ${Buffer.concat(errors)}`);
  return lines;
}

/** Values of a stream with the seconds at which they are, from a second on. */
async function storedRows(
  datastream: Datastream,
  name: string,
  startSecond: number,
): Promise<Map<number, number[]>> {
  const stream = await datastream.findStreams({ name }).at(0);
  assert(stream !== undefined, `stream ${name} exists`);
  const { timestamps, values } = await datastream
    .getData(stream.id, Granularity.Seconds, {
      start: BASE_MS + startSecond * 1000,
    })
    .columns();
  const rows = new Map<number, number[]>();
  for (const [row, value] of [...values!].entries()) {
    const second = (timestamps[row]! - BASE_MS) / 1000;
    rows.set(value as number, [...(rows.get(value as number) ?? []), second]);
  }
  return rows;
}

test(
  `a writer killed ${KILL_COUNT} times loses and doubles nothing that it acknowledged (seed ${SEED})`,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'datastream-crash-'));
    const url = `embedded:${folder}`;
    const random = pseudoRandom(SEED);
    let acknowledgedCount = 0;
    try {
      for (let round = 0; round < KILL_COUNT; round++) {
        const lifeMs = LIFE_MIN_MS + random.next().value * (LIFE_MAX_MS - LIFE_MIN_MS);
        const lines = await killedWriter(url, { round, lifeMs });
        expect(lines.flatMap(({ warning }) => warning ?? [])).toEqual([]);
        const acknowledged = lines.flatMap((line) => line.acknowledged ?? []);
        acknowledgedCount += acknowledged.length;
        const startSecond = lines.find((line) => line.startSecond !== undefined)?.startSecond;
        await assertStored(url, { round, startSecond, acknowledged });
      }
      expect(acknowledgedCount).toBeGreaterThan(KILL_COUNT);
      const datastream = await reopen(url, KILL_COUNT);
      await settleAndVerify(datastream);
      await datastream.close();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  240_000 + KILL_COUNT * 2000,
);

async function assertStored(
  url: string,
  options: {
    round: number;
    startSecond: number | undefined;
    acknowledged: NonNullable<Line['acknowledged']>;
  },
): Promise<void> {
  const { round, startSecond, acknowledged } = options;
  const datastream = await reopen(url, round);
  try {
    if (startSecond === undefined) return;
    for (const name of ['a', 'b', 'c']) {
      const stored = await storedRows(datastream, name, startSecond);
      // Acknowledged or not, nothing is there twice: each value was appended once.
      for (const [value, seconds] of stored) {
        assert.equal(seconds.length, 1, `round ${round}: ${name} has ${value} more than once`);
      }
      for (const [of, second, value] of acknowledged) {
        if (of !== name) continue;
        assert.deepEqual(stored.get(value), [second], `round ${round}: ${name} lost ${value}`);
      }
    }
    // What the crash left is consistent as it stands, before maintenance and after.
    if (round % 10 === 9) await settleAndVerify(datastream);
  } finally {
    await datastream.close();
  }
}

function aheadMs(round: number): number {
  return round * 2 * LEASE_OVER_MS;
}

/** The store as the next process finds it when the leases of the killed one are over. */
async function reopen(url: string, round: number): Promise<Datastream> {
  const now = () => new Date(Date.now() + aheadMs(round) + LEASE_OVER_MS);
  return new Datastream(await openBackend(url, { now }), {
    onWarning: ({ code }) => assert.equal(code, 'INVALID_VALUE_WARNING'),
  });
}

async function settleAndVerify(datastream: Datastream): Promise<void> {
  const differences: unknown[] = [];
  const onDifference = (difference: unknown) => differences.push(difference);
  await datastream.verify({ onDifference });
  assert.deepEqual(differences, [], 'before maintenance');
  for (let count = 0; count < 2; count++) {
    await datastream.backprocessStreams();
    await datastream.downsampleStreams();
  }
  const report = await datastream.verify({ onDifference });
  assert.deepEqual(differences, [], 'after maintenance');
  assert.equal(report.staleRangeCount, 0);
}
