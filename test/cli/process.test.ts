import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type TemporaryStore, temporaryStore } from './harness.ts';

/** The built command: signals and pipes are of the process, not of `run`. */
const COMMAND = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

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
  expect(stderr).toEqual([]);
  const { stdout } = await store.cli(['streams', 'source=collect', 'metric=load', '--json']);
  expect(JSON.parse(stdout)).toMatchObject([{ latestDatapoint: expect.any(String) }]);
});

test('a reader that goes away ends the command quietly', async () => {
  const argv = ['ensure', '--query', 'm=a', '--downsamplers', 'mean', '--granularity', 'seconds'];
  const id = (await store.cli(argv)).stdout.trim();
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
  const child = start('show', 'nothing');
  const stderr: string[] = [];
  child.stderr!.on('data', (chunk: Buffer) => stderr.push(chunk.toString()));
  expect(await once(child, 'close')).toEqual([10, null]);
  expect(stderr.join('')).toMatch(/^datastream: [^\n]+\n$/);
});
