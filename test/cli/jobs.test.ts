import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import type { DatapointColumns } from '../../src/api/types.ts';
import { openBackend } from '../../src/backends/open-backend.ts';
import { exitCodeOf } from '../../src/cli/exit-codes.ts';
import { runInThread } from '../../src/cli/jobs/job-thread.ts';
import { Granularity } from '../../src/model/granularity.ts';
import type { StreamId } from '../../src/model/stream.ts';
import { type TemporaryStore, temporaryStore } from './harness.ts';

/** The built command: threads run what was built. */
const COMMAND = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const FIXTURE = new URL('./job-thread.fixture.mjs', import.meta.url);

const BASE_MS = Date.UTC(2026, 0, 1);
const STREAM_COUNT = 12;
const POINT_COUNT = 300;

let store: TemporaryStore;

beforeEach(async () => {
  store = await temporaryStore();
});

afterEach(() => store.remove());

interface Ending {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function command(...argv: readonly string[]): Promise<Ending> {
  const env = { ...process.env, DATASTREAM_STORE: store.url, NODE_OPTIONS: '' };
  const child = spawn(process.execPath, [COMMAND, ...argv], { env });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  }
  const [exitCode] = await once(child, 'close');
  return { exitCode, ...texts };
}

/** Streams with levels, and one that derives from each other one. */
async function fill(): Promise<readonly StreamId[]> {
  const datastream = new Datastream(await openBackend(store.url));
  const definition = { valueDownsamplers: ['mean', 'min'], highestGranularity: 'seconds' };
  const ids: StreamId[] = [];
  for (let s = 0; s < STREAM_COUNT; s += 2) {
    const source = await datastream.ensureStream({ s }, definition);
    const derivation = { deriveFrom: source, deriveOp: 'derivative' };
    ids.push(source, await datastream.ensureStream({ s: s + 1 }, { ...definition, ...derivation }));
    const timestamps = Float64Array.from({ length: POINT_COUNT }, (_, i) => BASE_MS + i * 1000);
    const values = Float64Array.from({ length: POINT_COUNT }, (_, i) => (i * (s + 1)) % 97);
    await datastream.appendColumns(source, { timestamps, values });
  }
  await datastream.backprocessStreams();
  await datastream.downsampleStreams();
  await datastream.close();
  return ids;
}

/** Puts minima that cannot be into the first buckets of a level. */
async function damage(streamIds: readonly StreamId[]): Promise<void> {
  const backend = await openBackend(store.url);
  const range = { startMs: BASE_MS, endMs: BASE_MS + 20_000 };
  for (const streamId of streamIds) {
    const level = { streamId, granularity: Granularity.Seconds10 };
    const { block } = await backend.readPage({ ...level, range, rowCountMax: 10 });
    const { timestamps } = block;
    const columns = { ...block.columns, l: new Float64Array(timestamps.length).fill(-99) };
    const replaced = { ...level, range, block: { timestamps, columns } };
    await backend.commit({ expect: [], writes: [{ kind: 'replace', ...replaced }] });
  }
  await backend.close();
}

describe('verify --jobs', () => {
  test('recomputes what one job does', async () => {
    await fill();
    const [one, three] = [await command('verify'), await command('verify', '--jobs', '3')];
    expect(one).toMatchObject({ exitCode: 0, stderr: '' });
    expect(one.stdout).toMatch(
      /^12 streams: recomputed \d{3,} buckets and \d{4} derived datapoints, /,
    );
    expect(three).toEqual({ ...one, stdout: one.stdout.replace('\n', ' (3 jobs)\n') });
  });

  test('finds the same differences, in the same order, and gives the same exit code', async () => {
    await damage(await fill());
    for (const max of ['5', '1000']) {
      const [one, two] = await Promise.all([
        command('verify', '--max', max),
        command('verify', '--max', max, '--jobs', '2'),
      ]);
      expect(one.exitCode).toBe(1);
      expect(one.stdout.split('\n').length).toBeGreaterThan(5);
      expect(two).toEqual({ ...one, stdout: one.stdout.replace(/\n$/, ' (2 jobs)\n') });
    }
  });

  test('takes tags, and more jobs than streams', async () => {
    await fill();
    const { exitCode, stdout } = await command('verify', 's=1', '--jobs', '4');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^1 stream: .+ 299 derived datapoints, 0 differences \(4 jobs\)\n$/);
  });

  test('refuses several on a store in memory, which threads do not share', async () => {
    const result = await store.cli(['--store', 'memory:', 'verify', '--jobs', '2']);
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toMatch(/^datastream: --jobs: a store in memory/);
    const one = await store.cli(['--store', 'memory:', 'verify', '--jobs', '1']);
    expect(one.exitCode).toBe(0);
  });

  test('refuses more jobs than a store has room for', async () => {
    await fill();
    const result = await store.cli(['verify', '--jobs', '65']);
    expect(result).toMatchObject({ exitCode: 2, stderr: 'datastream: --jobs: at most 64.\n' });
  });

  test('is ended by Ctrl-C, threads too', async () => {
    await fill();
    const preload = join(store.folder, 'stop-at-stream.mjs');
    await writeFile(preload, STOP_AT_STREAM);
    const env = { ...process.env, DATASTREAM_STORE: store.url, NODE_OPTIONS: '' };
    const argv = ['--import', preload, COMMAND, 'verify', '--jobs', '2'];
    const child = spawn(process.execPath, argv, {
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
    });
    const texts: string[] = [];
    for (const output of [child.stdout, child.stderr]) {
      output!.on('data', (chunk: Buffer) => texts.push(chunk.toString()));
    }
    await once(child.stdio[3]!, 'data');
    child.kill('SIGINT');
    (child.stdio[4] as Writable).end('x');
    expect(await once(child, 'close')).toEqual([130, null]);
    expect(texts.join('')).toBe('datastream: interrupted\n');
  });
});

/**
 * Loaded before the command: holds its first thread after a stream, until the test has sent Ctrl-C. File
 * descriptors 3 and 4 are pipes to and from the test.
 */
const STOP_AT_STREAM = `
  import { readSync, writeSync } from 'node:fs';
  import { isMainThread } from 'node:worker_threads';
  if (isMainThread) {
    const { Datastream } = await import(${JSON.stringify(new URL('../../dist/api/datastream.js', import.meta.url).href)});
    const { verify } = Datastream.prototype;
    Datastream.prototype.verify = function (options) {
      let streamCount = 0;
      const onProgress = (progress) => {
        options.onProgress(progress);
        if (++streamCount !== 1) return;
        writeSync(3, 'stopped');
        readSync(4, new Uint8Array(1));
      };
      return verify.call(this, { ...options, onProgress });
    };
  }
`;

/** Lines of an export of one stream: more than are read at once, or wait in line. */
const LINE_COUNT = 700_000;

function exportOf(lines: readonly string[]): string {
  const stream = {
    id: 'one',
    tags: { m: 'a' },
    valueType: 'numeric',
    valueTypeOptions: {},
    valueDownsamplers: ['mean'],
    highestGranularity: 'seconds',
    derivedFrom: null,
  };
  const head = ['{"export":"datastream","version":1}', JSON.stringify({ stream })];
  return [...head, ...lines].join('\n');
}

function datapointLines(count: number): string[] {
  return Array.from(
    { length: count },
    (_, i) => `{"t":${1_700_000_000 + i},"v":${(i % 1000) / 4}}`,
  );
}

function bytesOf({ timestamps, values }: DatapointColumns): Buffer {
  return Buffer.concat(
    [timestamps, values as Float64Array].map(({ buffer }) => Buffer.from(buffer)),
  );
}

describe('import --jobs', () => {
  const importFile = async (text: string, ...options: string[]): Promise<Ending> => {
    const path = join(store.folder, 'export.ndjson');
    await writeFile(path, text);
    return command('import', path, ...options);
  };

  test('imports what one job does', async () => {
    const text = exportOf(datapointLines(LINE_COUNT));
    for (const [jobs, note] of [
      ['1', ''],
      ['2', ' (2 jobs)'],
    ] as const) {
      expect(await importFile(text, '--jobs', jobs)).toEqual({
        exitCode: 0,
        stdout: `1 stream and 700000 datapoints imported${note}\n`,
        stderr: '',
      });
    }
    const datastream = new Datastream(await openBackend(store.url));
    const [one, two] = await Promise.all(
      (await datastream.findStreams().toArray()).map(({ id }) =>
        datastream.getData(id, 'seconds', { start: 0 }).columns(),
      ),
    );
    await datastream.close();
    expect(one!.timestamps.length).toBe(LINE_COUNT);
    // By bytes: comparing so many numbers as values takes seconds.
    expect(bytesOf(two!).equals(bytesOf(one!))).toBe(true);
  });

  test('ends at the first bad line, which is in the middle of what was read', async () => {
    const lines = datapointLines(300_000);
    lines[250_000] = 'nonsense';
    const one = await importFile(exportOf(lines), '--jobs', '1');
    const two = await importFile(exportOf(lines), '--jobs', '2');
    expect(one).toMatchObject({ exitCode: 3, stdout: '' });
    expect(one.stderr).toMatch(
      /line 250003: .+; 1 stream and 250000 datapoints imported before it\n$/,
    );
    expect(two).toEqual(one);
  });

  test.each([
    ['an empty file', '', 3, 'the input is empty'],
    ['a line that is too long', 'x'.repeat(17 * 1024 * 1024), 3, 'line 1: too long'],
  ])('%s is an error', async (_name, text, exitCode, message) => {
    const result = await importFile(text, '--jobs', '2');
    expect(result).toMatchObject({ exitCode, stdout: '' });
    expect(result.stderr).toContain(message);
  });

  test('a file that cannot be read is an error of the system', async () => {
    const result = await command('import', store.folder, '--jobs', '2');
    expect(result).toMatchObject({ exitCode: 6, stdout: '' });
    expect(result.stderr).toMatch(/^datastream: EISDIR: .+\n$/);
  });

  test('is refused where there is no file', async () => {
    const result = await store.cli(['import', '--jobs', '2'], { stdin: exportOf([]) });
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toBe('datastream: --jobs: only a file is read ahead.\n');
  });
});

describe('a job in a thread', () => {
  const run = (does: string, signal = new AbortController().signal): Promise<unknown> =>
    runInThread(FIXTURE, { does }, { signal, onProgress: (progress) => progresses.push(progress) });
  let progresses: unknown[] = [];

  beforeEach(() => {
    progresses = [];
  });

  test('tells how far it is, and gives its result', async () => {
    expect(await run('work')).toEqual({ done: 'work' });
    expect(progresses).toEqual([{ does: 'work' }]);
  });

  test('fails as it would have failed here', async () => {
    const error = await run('fail').catch((caught: unknown) => caught);
    expect(error).toMatchObject({ message: 'damaged', code: 'BLOCK_CORRUPT' });
    expect(exitCodeOf(error)).toBe(36);
  });

  test('that dies is an error', async () => {
    await expect(run('die')).rejects.toThrow('exit code 9');
  });

  test('is told to end, before it begins and later', async () => {
    const early = new AbortController();
    early.abort();
    await expect(run('wait', early.signal)).rejects.toMatchObject({ name: 'AbortError' });
    const later = new AbortController();
    const waiting = run('wait', later.signal);
    later.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  });
});
