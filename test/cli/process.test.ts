import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import { openBackend } from '../../src/backends/open-backend.ts';
import { type TemporaryStore, temporaryStore } from './harness.ts';

/** The built command: signals and pipes are of the process, not of `run`. */
const COMMAND = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

const ENSURE = ['ensure', '--query', 'm=a', '--downsamplers', 'mean', '--granularity', 'seconds'];

let store: TemporaryStore;

beforeEach(async () => {
  store = await temporaryStore();
});

afterEach(() => store.remove());

function start(...argv: string[]): ReturnType<typeof spawn> {
  const env = { ...process.env, DATASTREAM_STORE: store.url, NODE_OPTIONS: '' };
  return spawn(process.execPath, [COMMAND, ...argv], { env });
}

test.each(['SIGINT', 'SIGTERM'] as const)('collect ends cleanly at %s', async (signalName) => {
  const child = start('collect', '--plain');
  const stderr: string[] = [];
  child.stderr!.on('data', (chunk: Buffer) => stderr.push(chunk.toString()));
  await once(child.stdout!, 'data');
  child.kill(signalName);
  expect(await once(child, 'close')).toEqual([0, null]);
  // A machine that is busy with other tests may need longer than the second between two samples.
  const notes = stderr
    .join('')
    .split('\n')
    .filter((line) => line !== '');
  expect(notes.filter((line) => !line.includes('a sample took longer than the interval'))).toEqual(
    [],
  );
  const { stdout } = await store.cli(['streams', 'source=collect', 'metric=load', '--json']);
  expect(JSON.parse(stdout)).toMatchObject([{ latestDatapoint: expect.any(String) }]);
});

test('a reader that goes away ends the command quietly', async () => {
  const id = (await store.cli(ENSURE)).stdout.trim();
  const stdin = Array.from({ length: 20_000 }, (_, i) => `${1_700_000_000 + i},${i}\n`).join('');
  await store.cli(['append', id], { stdin });
  const child = start('get', id);
  const stderr: string[] = [];
  child.stderr!.on('data', (chunk: Buffer) => stderr.push(chunk.toString()));
  await once(child.stdout!, 'data');
  child.stdout!.destroy();
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(stderr).toEqual([]);
});

test('errors of a process are one line and its exit code', async () => {
  await store.cli(ENSURE);
  const child = start('show', 'nothing');
  const stderr: string[] = [];
  child.stderr!.on('data', (chunk: Buffer) => stderr.push(chunk.toString()));
  expect(await once(child, 'close')).toEqual([10, null]);
  expect(stderr.join('')).toMatch(/^datastream: [^\n]+\n$/);
});

test.each([
  ['a command', (url: string) => ['--store', url, 'streams']],
  ['a copy', (url: string) => ['copy', url, store.url]],
])('Ctrl-C ends %s that waits for a server without an answer', async (_name, argv) => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket.on('error', () => {})));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const timeouts = 'connectTimeoutMs=600000&retryTimeoutMs=600000';
  const connected = once(silent, 'connection');
  const child = start(...argv(`postgresql://user:secret@127.0.0.1:${port}/db?${timeouts}`));
  const stderr: string[] = [];
  child.stderr!.on('data', (chunk: Buffer) => stderr.push(chunk.toString()));
  try {
    await connected;
    child.kill('SIGINT');
    expect(await once(child, 'close')).toEqual([130, null]);
    expect(stderr.join('')).toBe('datastream: interrupted\n');
  } finally {
    child.kill('SIGKILL');
    for (const socket of sockets) socket.destroy();
    silent.close();
  }
});

/** More than one commit of maintenance takes. */
const ROW_COUNT = 1_200_000;

/**
 * Loaded before the command: stops it at a check of its signal, where some work is done and most is
 * not, until the test has sent Ctrl-C. File descriptors 3 and 4 are pipes to and from the test.
 */
const STOP_AT_CHECK = `
  import { readSync, writeSync } from 'node:fs';
  const check = AbortSignal.prototype.throwIfAborted;
  let checkCount = 0;
  AbortSignal.prototype.throwIfAborted = function () {
    if (++checkCount === 20) {
      writeSync(3, 'stopped');
      readSync(4, new Uint8Array(1));
    }
    check.call(this);
  };
`;

test('Ctrl-C during downsample leaves nothing half-written, and the next run goes on', async () => {
  const id = (await store.cli(ENSURE)).stdout.trim();
  const datastream = new Datastream(await openBackend(store.url));
  const timestamps = Float64Array.from(
    { length: ROW_COUNT },
    (_, i) => 1_600_000_000_000 + i * 1000,
  );
  await datastream.appendColumns(id, { timestamps, values: new Float64Array(ROW_COUNT).fill(1) });
  await datastream.close();
  const preload = join(store.folder, 'stop-at-check.mjs');
  await writeFile(preload, STOP_AT_CHECK);
  const env = { ...process.env, DATASTREAM_STORE: store.url, NODE_OPTIONS: '' };
  const child = spawn(process.execPath, ['--import', preload, COMMAND, 'downsample'], {
    env,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
  });
  const stderr: string[] = [];
  child.stderr!.on('data', (chunk: Buffer) => stderr.push(chunk.toString()));
  await once(child.stdio[3]!, 'data');
  child.kill('SIGINT');
  (child.stdio[4] as Writable).end('x');
  expect(await once(child, 'close')).toEqual([130, null]);
  expect(stderr.join('')).toBe('datastream: interrupted\n');
  const interrupted = await store.cli(['verify']);
  expect(interrupted).toMatchObject({ exitCode: 0, stderr: '' });
  expect(interrupted.stdout).toContain(' 0 differences');
  const rest = await store.cli(['downsample']);
  expect(rest.stdout).toMatch(/^1 stream, [1-9]\d+ rows written\n$/);
  expect((await store.cli(['verify'])).stdout).toContain(' 0 differences');
});
