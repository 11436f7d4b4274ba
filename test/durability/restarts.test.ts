import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import {
  type BackendName,
  describeWithOwn,
  type OwnServers,
  type ServerName,
} from '../servers/available.ts';
import {
  assertWritten,
  LEASE_OVER_MS,
  pseudoRandom,
  SEED,
  settleAndVerify,
  startWriter,
  type Writer,
  withReopened,
} from './written.ts';

/** Which servers of a backend are killed together, in turn. */
const VICTIMS: Readonly<Record<BackendName, readonly (readonly ServerName[])[]>> = {
  postgresql: [['postgresql']],
  mongodb: [['mongodb']],
  influxdb: [['influxdb'], ['postgresql'], ['influxdb', 'postgresql']],
};

/** DURABILITY_KILLS=… kills the servers more often, too. */
const RESTART_COUNT = Math.ceil(Number(process.env['DURABILITY_KILLS'] ?? 60) / 10);
const TIMEOUT_MS = 300_000 + RESTART_COUNT * 15_000;
/** Calls that have to be acknowledged after a restart, before the next kill. */
const PROGRESS_COUNT = 25;
const LIFE_MAX_MS = 300;
const AWAY_MAX_MS = 400;

describe('a server that is killed and started again under load', () => {
  for (const [backend, victims] of Object.entries(VICTIMS)) {
    describeWithOwn(backend as BackendName, ({ start }) => {
      test(
        `loses and doubles nothing acknowledged, ${RESTART_COUNT} times (seed ${SEED})`,
        async () => {
          const servers = await start();
          const writer = startWriter(servers.storeUrl, { round: 0, mode: 'riding' });
          try {
            await killAndRestart(servers, { writer, victims });
            await finish(writer);
          } finally {
            writer.child.kill('SIGKILL');
          }
          await withReopened(servers.storeUrl, LEASE_OVER_MS, async (datastream) => {
            await assertWritten(datastream, { lines: writer.lines, label: backend });
            await settleAndVerify(datastream);
          });
          await servers.stop();
        },
        TIMEOUT_MS,
      );
    });
  }
});

async function killAndRestart(
  servers: OwnServers,
  { writer, victims }: { writer: Writer; victims: readonly (readonly ServerName[])[] },
): Promise<void> {
  const random = pseudoRandom(SEED);
  await progress(writer);
  for (let round = 0; round < RESTART_COUNT; round++) {
    const killed = victims[round % victims.length]!.map((name) => servers.of(name));
    await sleep(random.next().value * LIFE_MAX_MS);
    await Promise.all(killed.map((server) => server.kill()));
    await sleep(random.next().value * AWAY_MAX_MS);
    await Promise.all(killed.map((server) => server.restart()));
    await progress(writer);
  }
}

/** Waits until the writer has got a number of calls through. */
async function progress({ child, lines, errors }: Writer): Promise<void> {
  const acknowledgedCount = (): number =>
    lines.filter(({ acknowledged }) => acknowledged !== undefined).length;
  const wantedCount = acknowledgedCount() + PROGRESS_COUNT;
  while (acknowledgedCount() < wantedCount) {
    assert.equal(child.exitCode, null, `the writer ended by itself: ${errors()}`);
    await sleep(20);
  }
}

async function finish({ child, lines, errors }: Writer): Promise<void> {
  const close = once(child, 'close');
  child.stdin.end();
  const [code] = await close;
  assert.equal(code, 0, `the writer failed: ${errors()}`);
  expect(lines.at(-1)).toEqual({ isDone: true });
  expect(lines.flatMap(({ warning }) => warning ?? [])).toEqual([]);
}
