import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, type Writable } from 'node:stream';
import { expect } from '@jest/globals';
import type { CliIo } from '../../src/cli/cli-io.ts';
import { run } from '../../src/cli/run.ts';

/** What a command line gave. */
export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliRunOptions extends Partial<Omit<CliIo, 'stdin' | 'stdout' | 'stderr'>> {
  readonly stdin?: string | Readable;
  readonly stdout?: Writable;
}

/** The clock of tests that do not bring their own. */
export const NOW: Date = new Date('2026-01-01T12:00:00Z');

/** Runs a command line in this process. Every stream of the outside world is in memory. */
export async function runCli(
  argv: readonly string[],
  options: CliRunOptions = {},
): Promise<CliResult> {
  const texts = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr'): Writable =>
    new PassThrough().on('data', (chunk: Buffer) => {
      texts[name] += chunk.toString();
    });
  const stderr = sink('stderr');
  const stdin = options.stdin ?? '';
  const exitCode = await run(argv, {
    env: {},
    isTerminal: { stdin: false, stdout: false, stderr: false },
    now: () => NOW,
    signal: new AbortController().signal,
    sleep: async () => {},
    ...options,
    stdin: typeof stdin === 'string' ? Readable.from([Buffer.from(stdin)]) : stdin,
    stdout: options.stdout ?? sink('stdout'),
    stderr,
  });
  await new Promise((resolve) => setImmediate(resolve));
  return { exitCode, ...texts };
}

/** A store in a folder of its own, and the way to remove it. */
export interface TemporaryStore {
  readonly url: string;
  readonly folder: string;
  /** Runs a command line on the store. */
  cli(argv: readonly string[], options?: CliRunOptions): Promise<CliResult>;
  remove(): Promise<void>;
}

export async function temporaryStore(): Promise<TemporaryStore> {
  const folder = await mkdtemp(join(tmpdir(), 'datastream-cli-'));
  const url = `embedded:${join(folder, 'store')}`;
  return {
    url,
    folder,
    cli: (argv, options) => runCli(['--store', url, ...argv], options),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The id of a stream of seconds with mean, min and max, found or created by further options. */
export async function ensureStream(
  store: TemporaryStore,
  ...options: readonly string[]
): Promise<string> {
  const argv = ['ensure', '--downsamplers', 'mean,min,max', '--granularity', 'seconds', ...options];
  const { stdout, stderr } = await store.cli(argv);
  expect(stderr).toBe('');
  return stdout.trim();
}

/** Appends one value a second from `NOW` on, each its own number. */
export async function appendSeconds(
  store: TemporaryStore,
  streamId: string,
  count: number,
): Promise<void> {
  const lines = Array.from({ length: count }, (_, i) => `${NOW.getTime() / 1000 + i},${i}\n`);
  const result = await store.cli(['append', streamId], { stdin: lines.join('') });
  expect(result).toMatchObject({ exitCode: 0, stdout: `${count} datapoints appended\n` });
}
