import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from '@jest/globals';
import { type BackendName, describeWith } from '../servers/available.ts';
import { assertSurvivesKills } from './killed-writers.ts';
import { SEED } from './written.ts';

/** DURABILITY_KILLS=… kills more often; servers, where each round takes longer, a part as often. */
const KILL_COUNT = Number(process.env['DURABILITY_KILLS'] ?? 60);
const SERVER_PARTS: Readonly<Record<BackendName, number>> = {
  postgresql: 1 / 4,
  mongodb: 1 / 5,
  influxdb: 1 / 5,
};

const timeoutMs = (killCount: number): number => 240_000 + killCount * 3000;

describe('a writer that is killed loses and doubles nothing that it acknowledged', () => {
  describe('embedded', () => {
    test(
      `${KILL_COUNT} times (seed ${SEED})`,
      async () => {
        const folder = await mkdtemp(join(tmpdir(), 'datastream-crash-'));
        try {
          await assertSurvivesKills(`embedded:${folder}`, KILL_COUNT);
        } finally {
          await rm(folder, { recursive: true, force: true });
        }
      },
      timeoutMs(KILL_COUNT),
    );
  });

  for (const [backend, part] of Object.entries(SERVER_PARTS)) {
    const killCount = Math.ceil(KILL_COUNT * part);
    describeWith(backend as BackendName, ({ createStore }) => {
      test(
        `${killCount} times (seed ${SEED})`,
        async () => {
          const store = await createStore();
          await assertSurvivesKills(store.url, killCount);
          await store.drop();
        },
        timeoutMs(killCount),
      );
    });
  }
});
