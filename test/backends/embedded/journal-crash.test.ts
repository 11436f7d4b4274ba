import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import type { EmbeddedBackend } from '../../../src/backends/embedded/embedded-backend.ts';
import { Replica } from '../../../src/backends/embedded/replica.ts';
import { openStoreFiles, type StoreFiles } from '../../../src/backends/embedded/store-files.ts';
import type { StreamId } from '../../../src/model/stream.ts';
import { createStream, opened, withFolder } from './fixtures.ts';
import {
  appendRows,
  appendUntilInFile,
  countRows,
  journalFiles,
  storeWithFile,
  usedFile,
} from './journal-fixtures.ts';

const LOADER = fileURLToPath(new URL('./child/typescript.mjs', import.meta.url));
const CHILD = fileURLToPath(new URL('./child/journal-child.ts', import.meta.url));

interface Mishap {
  /** `before` and `half` a call the process is killed; `fail` lets the call fail half-way. */
  readonly what: 'before' | 'half' | 'fail' | 'never';
  /** Which write or flush of a file of the journal, from 1. */
  readonly callNumber: number;
}

/** Lets a process append a row; gives what it said and the signal that ended it. */
function appendElsewhere(
  path: string,
  streamId: StreamId,
  { what, callNumber }: Mishap = { what: 'never', callNumber: 0 },
): { lines: readonly string[]; isKilled: boolean } {
  const { stdout, stderr, signal, status } = spawnSync(
    process.execPath,
    ['--import', LOADER, CHILD, what, String(callNumber), path, streamId],
    { encoding: 'utf8' },
  );
  if (signal === null && status !== 0) throw new Error(stderr);
  return { lines: stdout.split('\n').slice(0, -1), isKilled: signal === 'SIGKILL' };
}

async function countAnew(path: string, streamId: StreamId): Promise<number> {
  const backend = await opened(path);
  try {
    return await countRows(backend, streamId);
  } finally {
    await backend.close();
  }
}

describe('a process that is killed at a write or flush of a file of the journal', () => {
  test.each(['before', 'half'] as const)(
    '(%s one) leaves what it acknowledged, and a whole row or none beside it',
    (what) =>
      withFolder(async (folder) => {
        const template = join(folder, 'template');
        const { streamId, rowCount } = await storeWithFile(template, 2);
        const counts: number[] = [];
        for (let callNumber = 1; ; callNumber++) {
          const path = join(folder, `${what}-${callNumber}`);
          await cp(template, path, { recursive: true });
          // One has the store open all the while, one opens it later.
          const witness = await opened(path);
          expect(await countRows(witness, streamId)).toBe(rowCount);
          const { lines, isKilled } = appendElsewhere(path, streamId, { what, callNumber });
          expect(lines).toEqual(isKilled ? [] : ['appended']);
          // Nobody sees a row that may not be on disk, and then sees it no more.
          const seen = await countRows(witness, streamId);
          if (isKilled && what === 'before') expect(seen).toBe(rowCount);
          const count = await countAnew(path, streamId);
          expect(count).toBeGreaterThanOrEqual(Math.max(seen, isKilled ? 0 : rowCount + 1));
          expect([rowCount, rowCount + 1]).toContain(count);
          await appendRows(witness, streamId, { start: count, end: count + 2 });
          expect(await countRows(witness, streamId)).toBe(count + 2);
          await witness.close();
          expect(await countAnew(path, streamId)).toBe(count + 2);
          counts.push(count - rowCount);
          if (!isKilled) break;
        }
        // The frame, its flush and its state: once it is written it is never lost again.
        expect(counts).toEqual([0, 1, 1, 1]);
      }),
  );

  test('hides what it did not publish from those who have other news to read', () =>
    withFolder(async (path) => {
      const { streamId, rowCount } = await storeWithFile(path, 2);
      const witness = await opened(path);
      expect(await countRows(witness, streamId)).toBe(rowCount);
      appendElsewhere(path, streamId);
      appendElsewhere(path, streamId, { what: 'before', callNumber: 3 });
      expect(await countRows(witness, streamId)).toBe(rowCount + 1);
      expect(await countAnew(path, streamId)).toBe(rowCount + 2);
      expect(await countRows(witness, streamId)).toBe(rowCount + 2);
      await witness.close();
    }));

  test('while it publishes what another one left, loses nothing of it', () =>
    withFolder(async (folder) => {
      const template = join(folder, 'template');
      const { streamId, rowCount } = await storeWithFile(template, 2);
      appendElsewhere(template, streamId, { what: 'before', callNumber: 3 });
      expect((await usedFile(template)).frames.at(-1)).toMatchObject({ isPublished: false });
      for (let callNumber = 1; ; callNumber++) {
        const path = join(folder, String(callNumber));
        await cp(template, path, { recursive: true });
        const { isKilled } = appendElsewhere(path, streamId, { what: 'before', callNumber });
        const count = await countAnew(path, streamId);
        expect(count).toBeGreaterThanOrEqual(rowCount + 1);
        expect(count).toBeLessThanOrEqual(rowCount + 2);
        if (isKilled) continue;
        expect(count).toBe(rowCount + 2);
        // Two for what was left, three for its own.
        expect(callNumber).toBe(6);
        break;
      }
    }));
});

describe('a file of the journal that refuses', () => {
  test.each([1, 2, 3])(
    'call %d leaves the commit to LMDB, and later ones too until there is another file',
    (callNumber) =>
      withFolder(async (path) => {
        const { streamId, rowCount } = await storeWithFile(path, 2);
        const witness = await opened(path);
        expect(await countRows(witness, streamId)).toBe(rowCount);
        const { lines } = appendElsewhere(path, streamId, { what: 'fail', callNumber });
        expect(lines).toEqual(['appended', 'appended']);
        expect(await countRows(witness, streamId)).toBe(rowCount + 2);
        await appendRows(witness, streamId, { start: rowCount + 2, end: rowCount + 4 });
        await witness.close();
        expect(await countAnew(path, streamId)).toBe(rowCount + 4);
        // The refused frame is gone, and nothing follows it there.
        const { frames } = await usedFile(path);
        expect(frames.length).toBe(2);
      }),
  );

  test('for want of room fails the append, and takes it when there is room again', () =>
    withFolder(async (path) => {
      const { streamId, rowCount } = await storeWithFile(path, 2);
      const before = await usedFile(path);
      const child = startWithoutRoom(path, streamId);
      const ended = once(child, 'exit');
      expect(await firstLine(child)).toBe('STREAM_APPEND_FAILED');
      expect(await countAnew(path, streamId)).toBe(rowCount);
      expect((await usedFile(path)).frames).toEqual(before.frames);
      execFileSync('bash', ['-c', `prlimit --pid ${child.pid} --fsize=unlimited`]);
      child.stdin!.write('go on\n');
      expect(await firstLine(child)).toBe('appended');
      expect((await ended)[0]).toBe(0);
      expect(await countAnew(path, streamId)).toBe(rowCount + 1);
    }));
});

/** Starts a process for which no file takes a byte. */
function startWithoutRoom(path: string, streamId: StreamId): ChildProcess {
  const program = [process.execPath, '--import', LOADER, CHILD, 'wait', '0', path, streamId];
  return spawn('bash', ['-c', 'ulimit -S -f 0; exec "$0" "$@"', ...program], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
}

async function firstLine(child: ChildProcess): Promise<string> {
  const [chunk] = await once(child.stdout!, 'data');
  return String(chunk).trim();
}

describe('a reader whose snapshot of LMDB is older than what the files say', () => {
  /** A replica that lets `meddle` run when its snapshot is taken and nothing is read. */
  function meddledReplica(files: StoreFiles, meddle: () => void): Replica {
    const read: StoreFiles['read'] = (action) =>
      files.read(() => {
        files.meta.getBinary(Buffer.from('format'));
        meddle();
        return action();
      });
    return new Replica(Object.create(files, { read: { value: read } }) as StoreFiles);
  }

  async function withMeddling(
    path: string,
    action: (options: {
      read: (meddle: () => void) => number;
      backend: EmbeddedBackend;
      streamId: StreamId;
    }) => Promise<void>,
  ): Promise<void> {
    const backend = await opened(path);
    const { streamId } = await appendUntilInFile(backend, path);
    const files = await openStoreFiles(path);
    let meddle = (): void => {};
    const replica = meddledReplica(files, () => meddle());
    const read = (next: () => void): number => {
      meddle = next;
      return replica.read((view) => view.seq);
    };
    read(() => {});
    await action({ read, backend, streamId });
    await replica.close();
    await files.close();
    await backend.close();
  }

  test('stops before the first commit that it misses, and has the rest the next time', () =>
    withFolder((path) =>
      withMeddling(path, async ({ read, backend, streamId }) => {
        const seq = read(() => {});
        // In this order: a commit in the file, three in LMDB, and one in the file.
        const other = await createStream(backend);
        expect(read(() => {})).toBe(seq + 1);
        const seen = read(() => {
          appendElsewhere(path, streamId);
          spawnCreation(path);
          appendElsewhere(path, other);
        });
        expect(seen).toBe(seq + 2);
        expect(read(() => {})).toBe(seq + 4);
      }),
    ));

  test('that was taken before a checkpoint removed everything is taken anew', () =>
    withFolder((path) =>
      withMeddling(path, async ({ read, backend, streamId }) => {
        const seq = read(() => {});
        const seen = read(() => {
          appendElsewhere(path, streamId);
          spawnCheckpoint(path);
        });
        expect(seen).toBeGreaterThan(seq);
        expect(await journalFiles(path)).toEqual([]);
        expect(read(() => {})).toBeGreaterThan(seq + 1);
        expect(await countRows(backend, streamId)).toBeGreaterThan(1);
      }),
    ));
});

const WORKER = fileURLToPath(new URL('./child/lmdb-child.ts', import.meta.url));

function spawnCreation(path: string): void {
  execFileSync(process.execPath, ['--import', LOADER, WORKER, 'create', path]);
}

function spawnCheckpoint(path: string): void {
  execFileSync(process.execPath, ['--import', LOADER, WORKER, 'checkpoint', path]);
}
