import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { hasProcessEnded, ownProcessMark } from '../../../src/backends/embedded/process-mark.ts';
import { createStream, opened, withFolder } from './fixtures.ts';

const LOADER = fileURLToPath(new URL('./child/typescript.mjs', import.meta.url));
const CHILD = fileURLToPath(new URL('./child/lease-child.ts', import.meta.url));
const isLinux = process.platform === 'linux';
const [, startTicks, space] = ownProcessMark().split(' ');

/** The id of a process that has ended. */
async function endedProcessId(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  return child.pid!;
}

describe('the mark of a process', () => {
  test('tells this process, on Linux', () => {
    expect(ownProcessMark()).toMatch(isLinux ? /^\d+ \d+ [\w-]{16}$/ : /^$/);
    expect(hasProcessEnded(ownProcessMark())).toBe(false);
  });

  test('of a process that has ended says so, on Linux, also when another one has its id', async () => {
    const pid = await endedProcessId();
    expect(hasProcessEnded(`${pid} ${startTicks} ${space}`)).toBe(isLinux);
    expect(hasProcessEnded(`${process.pid} 1 ${space}`)).toBe(isLinux);
  });

  test('of another machine, or no mark at all, says nothing', async () => {
    const pid = await endedProcessId();
    for (const mark of [`${pid} 1 elsewhere`, `${pid} 1`, `${pid}`, '', ' ', `0 1 ${space}`]) {
      expect(hasProcessEnded(mark)).toBe(false);
    }
  });
});

describe('a lease of the embedded store', () => {
  const LONG = { owner: 'later', durationMs: 60_000 };

  test('is held while its process runs, until it runs out', () =>
    withFolder(async (path) => {
      const [one, two] = [await opened(path), await opened(path)];
      const id = await createStream(one);
      expect(await one.acquireLease(id, { owner: 'one', durationMs: 60_000 })).toBe(true);
      expect(await two.acquireLease(id, LONG)).toBe(false);
      await one.close();
      await two.close();
    }));

  test('is free when its process was killed, on Linux, and then held by who took it', () =>
    withFolder(async (path) => {
      const backend = await opened(path);
      const id = await createStream(backend);
      const { signal, stderr } = spawnSync(
        process.execPath,
        ['--import', LOADER, CHILD, path, id],
        { encoding: 'utf8' },
      );
      expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' });
      expect(await backend.acquireLease(id, LONG)).toBe(isLinux);
      if (isLinux) {
        expect(await backend.renewLease(id, { owner: 'killed', durationMs: 60_000 })).toBe(false);
        expect(await backend.renewLease(id, LONG)).toBe(true);
      }
      await backend.close();
    }));
});
