import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import type { StreamId } from '../../../src/model/stream.ts';
import { append, createStream, opened, readAll, rowsOf, withFolder } from './fixtures.ts';

const LOADER = fileURLToPath(new URL('./child/typescript.mjs', import.meta.url));
const CHILD = fileURLToPath(new URL('./child/child.ts', import.meta.url));
const ARGUMENTS = ['--import', LOADER, CHILD];

function start(mode: string, path: string, id: StreamId): ChildProcess {
  return spawn(process.execPath, [...ARGUMENTS, mode, path, id], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

/** Lines that the child says; resolves after so many, or when it ends. */
async function lines(child: ChildProcess, count: number): Promise<string[]> {
  let text = '';
  for await (const chunk of child.stdout!.iterator({ destroyOnReturn: false })) {
    text += chunk;
    if (text.split('\n').length > count) break;
  }
  return text.split('\n').slice(0, -1);
}

describe('several processes', () => {
  test('append to one stream without losing or doubling a row', () =>
    withFolder(async (path) => {
      const backend = await opened(path);
      const id = await createStream(backend);
      const children = [0, 1, 2].map(() => start('contend', path, id));
      const ends = children.map((child) => once(child, 'exit'));
      let isDone = false;
      const all = Promise.all(ends).then((codes) => {
        isDone = true;
        return codes.map(([code]) => code);
      });
      let rowCount = 0;
      while (!isDone) {
        // What is read meanwhile only grows, and has every row once.
        const { timestamps } = await readAll(backend, id);
        expect(timestamps.length).toBeGreaterThanOrEqual(rowCount);
        rowCount = timestamps.length;
        expect(Array.from(timestamps)).toEqual(Array.from({ length: rowCount }, (_, i) => i));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      expect(await all).toEqual([0, 0, 0]);
      const rows = rowsOf(await readAll(backend, id));
      expect(rows).toHaveLength(300);
      for (const { pid } of children) {
        expect(rows.filter(([, value]) => value === pid)).toHaveLength(100);
      }
      await backend.close();
    }));
});

describe('a process that is killed', () => {
  test('leaves every acknowledged row behind, once', () =>
    withFolder(async (path) => {
      const first = await opened(path);
      const id = await createStream(first);
      await first.close();
      let rowCount = 0;
      for (let round = 0; round < 8; round++) {
        const child = start('append', path, id);
        const ended = once(child, 'exit');
        const spoken = lines(child, Number.POSITIVE_INFINITY);
        child.stdout!.once('data', () => {
          setTimeout(() => child.kill('SIGKILL'), 20 + round * 25);
        });
        await ended;
        const acknowledged = Number((await spoken).at(-1)) + 1;
        const backend = await opened(path);
        const rows = rowsOf(await readAll(backend, id));
        await backend.close();
        // The row that was in flight may be there too.
        expect(rows.length - acknowledged).toBeGreaterThanOrEqual(0);
        expect(rows.length - acknowledged).toBeLessThanOrEqual(1);
        expect(rows.length).toBeGreaterThan(rowCount);
        expect(rows).toEqual(rows.map((_, i) => [i, i]));
        rowCount = rows.length;
      }
    }));
});

describe('a full disk', () => {
  test('fails the append, leaves the store readable, and takes appends when there is room again', () =>
    withFolder(async (path) => {
      const backend = await opened(path);
      const id = await createStream(backend);
      await append(backend, id, [[-1, 0]]);
      await backend.close();
      const command = `ulimit -S -f 1000; exec "$0" "$@"`;
      const child = spawn(
        'bash',
        ['-c', command, process.execPath, ...ARGUMENTS, 'fill', path, id],
        {
          stdio: ['pipe', 'pipe', 'inherit'],
        },
      );
      const ended = once(child, 'exit');
      expect(await lines(child, 3)).toEqual(['STREAM_APPEND_FAILED', 'cause', 'readable']);
      execFileSync('bash', ['-c', `prlimit --pid ${child.pid} --fsize=unlimited`]);
      child.stdin.write('go on\n');
      expect(await lines(child, 1)).toEqual(['appended']);
      expect((await ended)[0]).toBe(0);
    }));
});
