import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import {
  assertWritten,
  LEASE_OVER_MS,
  type Line,
  pseudoRandom,
  SEED,
  settleAndVerify,
  startWriter,
  withReopened,
} from './written.ts';

/** How long a child lives after its first line. */
const LIFE_MIN_MS = 30;
const LIFE_MAX_MS = 150;

/**
 * Lets writers work on a store, one after the other, each until it is killed, and asserts after each kill
 * that nothing acknowledged is lost or doubled.
 */
export async function assertSurvivesKills(url: string, killCount: number): Promise<void> {
  const random = pseudoRandom(SEED);
  let acknowledgedCount = 0;
  for (let round = 0; round < killCount; round++) {
    const lifeMs = LIFE_MIN_MS + random.next().value * (LIFE_MAX_MS - LIFE_MIN_MS);
    const lines = await killedWriter(url, { round, lifeMs });
    expect(lines.flatMap(({ warning }) => warning ?? [])).toEqual([]);
    acknowledgedCount += lines.flatMap((line) => line.acknowledged ?? []).length;
    await withReopened(url, aheadMs(round) + LEASE_OVER_MS, async (datastream) => {
      await assertWritten(datastream, { lines, label: `round ${round}` });
      // What the crash left is consistent as it stands, before maintenance and after.
      if (round % 10 === 9 || round === killCount - 1) await settleAndVerify(datastream);
    });
  }
  expect(acknowledgedCount).toBeGreaterThan(killCount);
}

function aheadMs(round: number): number {
  return round * 2 * LEASE_OVER_MS;
}

/** Lets a child write until it is killed; gives its lines. */
async function killedWriter(
  url: string,
  { round, lifeMs }: { round: number; lifeMs: number },
): Promise<readonly Line[]> {
  const writer = startWriter(url, { round, mode: 'killed', aheadMs: aheadMs(round) });
  const { child, lines } = writer;
  const exit = once(child, 'exit');
  const close = once(child, 'close');
  await Promise.race([once(child.stdout, 'data'), exit]);
  await sleep(lifeMs);
  child.kill('SIGKILL');
  const [code, signal] = await exit;
  assert.equal(signal, 'SIGKILL', `the writer ended by itself (${code}): ${writer.errors()}`);
  await close;
  return lines;
}
