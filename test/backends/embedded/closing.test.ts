import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { append, createStream, opened, readAll, rowsOf, withFolder } from './fixtures.ts';

/** Has a store open until it is killed. */
const HOLDER = `
  import { open } from 'lmdb';
  open({ path: process.argv[1], noSubdir: false, overlappingSync: false });
  process.stdout.write('open');
  setInterval(() => {}, 1000);
`;

describe('a store that another process is closing', () => {
  test('is opened when the other one has let it go', () =>
    withFolder(async (path) => {
      const first = await opened(path);
      const id = await createStream(first);
      await append(first, id, [[1000, 1]]);
      await first.close();
      const takenApart = await readFile(join(path, 'lock.mdb'));
      const holder = spawn(process.execPath, ['--input-type=module', '--eval', HOLDER, path], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = once(holder, 'exit');
      await once(holder.stdout, 'data');
      // The moment between the two last steps of closing, for as long as it takes to look at it.
      await writeFile(join(path, 'lock.mdb'), takenApart, { flag: 'r+' });
      const opening = opened(path);
      await sleep(200);
      holder.kill('SIGKILL');
      await ended;
      const second = await opening;
      await append(second, id, [[2000, 2]]);
      expect(rowsOf(await readAll(second, id))).toEqual([
        [1000, 1],
        [2000, 2],
      ]);
      await second.close();
    }));
});
