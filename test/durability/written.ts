import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Datastream } from '../../src/api/datastream.ts';
import { openBackend } from '../../src/backends/open-backend.ts';
import { Granularity } from '../../src/model/granularity.ts';
import { BASE_MS, linesOf } from './child.ts';

const WRITER = fileURLToPath(new URL('./writer.mjs', import.meta.url));
const SOURCE_NAMES = ['a', 'b', 'c'];

/** The store's clock leaps by as much, so that leases of killed processes are over. */
export const LEASE_OVER_MS = 200_000;

/** CRASH_SEED=… repeats a run, as far as the moment of a kill can be repeated. */
export const SEED: number = Number(
  process.env['CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 32),
);

export type WrittenRow = readonly [name: string, second: number, value: number];

/** A line of a writer. */
export interface Line {
  /** Where the writer starts, after all that was stored before. */
  readonly startSecond?: number;
  readonly sent?: readonly WrittenRow[];
  readonly acknowledged?: readonly WrittenRow[];
  /** An error that the writer went on after. */
  readonly passing?: string;
  readonly warning?: string;
  readonly isDone?: boolean;
}

export interface Writer {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Grows while the child writes. */
  readonly lines: readonly Line[];
  /** What it has written to its error stream so far. */
  errors(): string;
}

/** Starts a writer in a process of its own. */
export function startWriter(
  url: string,
  options: { round: number; mode: 'killed' | 'riding'; aheadMs?: number },
): Writer {
  const { round, mode, aheadMs = 0 } = options;
  const argv = [WRITER, url, String(SEED + round), String(round), mode, String(aheadMs)];
  const child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'pipe'] });
  const errors: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  return {
    child,
    lines: linesOf<Line>(child.stdout),
    errors: () => Buffer.concat(errors).toString(),
  };
}

export function* pseudoRandom(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

/**
 * Opens the store for the work, as the next process finds it when the leases of those before it are over.
 * Fails when the engine warns: maintenance goes on behind a stream that it could not maintain.
 */
export async function withReopened(
  url: string,
  aheadMs: number,
  work: (datastream: Datastream) => Promise<void>,
): Promise<void> {
  const now = () => new Date(Date.now() + aheadMs);
  const warnings: unknown[] = [];
  const datastream = new Datastream(await openBackend(url, { now }), {
    onWarning: (warning) => {
      if (warning.code !== 'INVALID_VALUE_WARNING') warnings.push(warning.cause ?? warning);
    },
  });
  await work(datastream).finally(() => datastream.close());
  assert.deepEqual(warnings, []);
}

/**
 * Asserts that what was acknowledged is there exactly once, that nothing is there twice or was never
 * sent, and that what was sent in one call is there as a whole or not at all, where the store has that.
 */
export async function assertWritten(
  datastream: Datastream,
  { lines, label }: { lines: readonly Line[]; label: string },
): Promise<void> {
  const startSecond = lines.find((line) => line.startSecond !== undefined)?.startSecond;
  if (startSecond === undefined) return;
  const stored = await storedSeconds(datastream, startSecond);
  for (const [key, seconds] of stored) {
    assert.equal(seconds.length, 1, `${label}: ${key} is there more than once`);
  }
  const sent = new Map(
    lines.flatMap((line) => line.sent ?? []).map((row) => [keyOf(row), row[1]] as const),
  );
  for (const [key, [second]] of stored) {
    assert.equal(second, sent.get(key), `${label}: ${key} was never sent for that second`);
  }
  for (const row of lines.flatMap((line) => line.acknowledged ?? [])) {
    assert.deepEqual(stored.get(keyOf(row)), [row[1]], `${label}: ${keyOf(row)} is lost`);
  }
  if (!datastream.supports.transactions) return;
  for (const { sent: rows = [] } of lines) {
    const count = rows.filter((row) => stored.has(keyOf(row))).length;
    const isWhole = count === 0 || count === rows.length;
    assert(isWhole, `${label}: ${count} rows of a commit of ${rows.length} are there`);
  }
}

function keyOf([name, , value]: WrittenRow): string {
  return `${name} ${value}`;
}

/** The seconds at which each value of each source is. */
async function storedSeconds(
  datastream: Datastream,
  startSecond: number,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const stored = new Map<string, number[]>();
  for (const name of SOURCE_NAMES) {
    const stream = await datastream.findStreams({ name }).at(0);
    assert(stream !== undefined, `stream ${name} exists`);
    const { timestamps, values } = await datastream
      .getData(stream.id, Granularity.Seconds, { start: BASE_MS + startSecond * 1000 })
      .columns();
    for (const [row, value] of [...values!].entries()) {
      const second = (timestamps[row]! - BASE_MS) / 1000;
      const key = keyOf([name, second, value as number]);
      stored.set(key, [...(stored.get(key) ?? []), second]);
    }
  }
  return stored;
}

/** Asserts that levels and derived streams are consistent as they stand, and after maintenance. */
export async function settleAndVerify(datastream: Datastream): Promise<void> {
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
