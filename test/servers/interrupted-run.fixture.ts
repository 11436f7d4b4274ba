import { renameSync, writeFileSync } from 'node:fs';
import { test } from '@jest/globals';
import { PROGRAMS } from './programs.ts';

test('waits to be killed', async () => {
  const { folder, port, pid } = await PROGRAMS.redis.start();
  const path = process.env['INTERRUPTED_RUN_REPORT']!;
  // Renamed, so that the reader sees all of it or nothing.
  writeFileSync(`${path}.draft`, JSON.stringify({ folder, port, pid }));
  renameSync(`${path}.draft`, path);
  await new Promise(() => {});
}, 600_000);
