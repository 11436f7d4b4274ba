import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { runCli, temporaryStore } from './harness.ts';

const ENSURE = ['ensure', '--query', 'a=1', '--downsamplers', 'mean', '--granularity', 'seconds'];
const UNKNOWN_ID = '0b8f1c9e-7d34-4c7b-9f0e-2f6b5a1c3d4e';

describe('bad input', () => {
  test.each<[string, string[], number]>([
    ['an unknown command', ['bogus'], 2],
    ['an unknown option', ['streams', '--bogus'], 2],
    ['a missing argument', ['show'], 2],
    ['too many arguments', ['show', 'a', 'b'], 2],
    ['a missing option', ['ensure', '--query', 'a=1'], 2],
    ['a bad tag', ['streams', 'a'], 2],
    ['a bad count', ['streams', '--limit', '0'], 2],
    ['two output formats', ['streams', '--json', '--ndjson'], 2],
    ['a bad time', ['get', UNKNOWN_ID, '--start', 'soon'], 2],
    ['two starts', ['get', UNKNOWN_ID, '--start', 'now', '--start-exclusive', 'now'], 2],
    ['a bad duration', ['downsample', '--every', '10'], 2],
    ['a bad format', ['get', UNKNOWN_ID, '--format', 'xml'], 2],
    ['a time without a value', ['append', UNKNOWN_ID, '--at', 'now'], 2],
    ['line options with a value', ['append', UNKNOWN_ID, '5', '--skip-errors'], 2],
    ['bad derive arguments', [...ENSURE, '--derive-args', '[]'], 2],
    ['an operator without sources', [...ENSURE, '--derive-op', 'sum'], 2],
    ['a bad source', [...ENSURE, '--derive-op', 'sum', '--derive-from', 'a=b:c:d'], 2],
    ['a broken interval', ['collect', '--interval', '1500ms'], 2],
    ['a missing file', ['import', '/nowhere/at/all'], 6],
    ['an export to nowhere', ['export', '--output', '/nowhere/at/all'], 6],
    ['an unknown stream', ['show', UNKNOWN_ID], 10],
    ['an unknown stream to append to', ['append', UNKNOWN_ID, '5'], 10],
    ['an unknown stream to read', ['get', UNKNOWN_ID], 10],
    ['an unknown stream to delete', ['delete', UNKNOWN_ID, '--yes'], 10],
    ['an unknown source', [...ENSURE, '--derive-op', 'sum', '--derive-from', UNKNOWN_ID], 10],
    ['an unknown downsampler', ENSURE.with(4, 'average'), 14],
    ['an unknown granularity', ENSURE.with(6, 'second'), 15],
    ['an unknown operator', [...ENSURE, '--derive-op', 'x', '--derive-from', UNKNOWN_ID], 16],
    ['a reserved tag', [...ENSURE, '--tag', 'latest_datapoint=1'], 18],
    ['a prototype as a tag', [...ENSURE, '--tag', '__proto__.x=1'], 18],
    ['an unknown store', ['--store', 'floppy:a', 'streams'], 32],
  ])('%s ends with one line on stderr and its exit code', async (_name, argv, exitCode) => {
    const result = await runCli(['--store', 'memory:', ...argv]);
    expect(result.stderr).toMatch(/^datastream: [^\n]+\n$/);
    expect(result).toMatchObject({ exitCode, stdout: '' });
  });

  test('no command at all shows what there is', async () => {
    const result = await runCli([]);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('Usage: datastream');
  });
});

describe('the surroundings', () => {
  test('help and version are no errors', async () => {
    expect(await runCli(['--help'])).toMatchObject({ exitCode: 0, stderr: '' });
    const version = await runCli(['--version']);
    expect(version.exitCode).toBe(0);
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('the store comes from the environment unless it is given', async () => {
    const env = { DATASTREAM_STORE: 'floppy:a' };
    expect(await runCli(['streams'], { env })).toMatchObject({ exitCode: 32 });
    expect(await runCli(['--store', 'memory:', 'streams'], { env })).toMatchObject({ exitCode: 0 });
  });

  test('help names the defaults as one would write them', async () => {
    const env = { DATASTREAM_STORE: 'floppy:a' };
    const { stdout } = await runCli(['--help'], { env });
    expect(stdout.replace(/\s+/g, ' ')).toContain('(default: "embedded:./data")');
    const collect = await runCli(['collect', '--help']);
    expect(collect.stdout.replace(/\s+/g, ' ')).toMatch(/\(default: 1s\).+\(default: 10s\)/);
  });

  test('an empty variable is no store, an empty option is a mistake', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'datastream-cli-'));
    const cwd = process.cwd();
    process.chdir(folder);
    try {
      const unset = await runCli(['streams'], { env: { DATASTREAM_STORE: '' } });
      expect(unset.exitCode).toBe(31);
      expect(unset.stderr).toContain('./data');
      expect(await runCli(['--store', '', 'streams'])).toMatchObject({ exitCode: 32 });
    } finally {
      process.chdir(cwd);
      await rm(folder, { recursive: true });
    }
  });

  test.each([
    [['streams', '--limit', '-1'], '--limit'],
    [['downsample', '--every', '10'], '--every'],
    [['get', UNKNOWN_ID, '--format', 'xml'], '--format'],
  ])('the error of %j names the option', async (argv, option) => {
    const { exitCode, stderr } = await runCli(['--store', 'memory:', ...argv]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`datastream: ${option}: `);
  });

  test.each([
    ['streams'],
    ['show', UNKNOWN_ID],
    ['get', UNKNOWN_ID],
    ['verify'],
    ['checkpoint'],
    ['export'],
    ['delete', '--yes'],
    ['downsample'],
    ['backprocess'],
    ['tag', UNKNOWN_ID, '--clear'],
    ['append', UNKNOWN_ID, '5'],
  ])('%s does not make a store', async (...argv) => {
    const store = await temporaryStore();
    try {
      const { exitCode, stderr } = await store.cli(argv);
      expect(exitCode).toBe(31);
      expect(stderr).toMatch(/^datastream: [^\n]+\n$/);
      expect(stderr).toContain(join(store.folder, 'store'));
      expect(await readdir(store.folder)).toEqual([]);
    } finally {
      await store.remove();
    }
  });

  test('a reader that goes away ends the command quietly', async () => {
    const stdout = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' }));
      },
    });
    const result = await runCli(['--store', 'memory:', 'streams'], { stdout });
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('Ctrl-C while lines are read gives 130, and what was read is decided by batches', async () => {
    const abort = new AbortController();
    const stdin = new PassThrough();
    stdin.write('{"export":"datastream","version":1}\n');
    stdin.once('data', () => setImmediate(() => abort.abort()));
    const argv = ['--store', 'memory:', 'import'];
    const result = await runCli(argv, { stdin, signal: abort.signal });
    expect(result).toMatchObject({
      exitCode: 130,
      stderr: 'datastream: interrupted; 0 streams and 0 datapoints imported before it\n',
    });
  });

  test('a failure after Ctrl-C counts as the interruption', async () => {
    const signal = AbortSignal.abort();
    const result = await runCli(['--store', 'memory:', 'get', UNKNOWN_ID], { signal });
    expect(result).toMatchObject({ exitCode: 130, stderr: 'datastream: interrupted\n' });
  });

  test('downsample --every repeats until the signal, which is no error', async () => {
    const abort = new AbortController();
    const pauses: number[] = [];
    const result = await runCli(['--store', 'memory:', 'downsample', '--every', '10s'], {
      signal: abort.signal,
      sleep: async (durationMs) => {
        pauses.push(durationMs);
        if (pauses.length === 3) abort.abort();
      },
    });
    expect(pauses).toEqual([10_000, 10_000, 10_000]);
    expect(result.exitCode).toBe(0);
    expect(result.stdout.trim().split('\n')).toHaveLength(3);
  });
});
