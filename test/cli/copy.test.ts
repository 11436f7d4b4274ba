import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Backend } from '../../src/backends/backend.ts';
import { openBackend } from '../../src/backends/open-backend.ts';
import {
  assertClean,
  assertSettles,
  at,
  contentsOf,
  engineOn,
  fill,
} from '../engine/copy-support.ts';
import { NOW, runCli, type TemporaryStore, temporaryStore } from './harness.ts';

/** The built command: a kill is of a process. */
const COMMAND = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

let from: TemporaryStore;
let to: TemporaryStore;

beforeEach(async () => {
  from = await temporaryStore();
  to = await temporaryStore();
});

afterEach(async () => {
  await from.remove();
  await to.remove();
});

async function onStore<T>(url: string, work: (backend: Backend) => Promise<T>): Promise<T> {
  const backend = await openBackend(url);
  try {
    return await work(backend);
  } finally {
    await backend.close();
  }
}

describe('copy', () => {
  test('copies everything, says so, and has nothing to do the next time', async () => {
    await onStore(from.url, (backend) => fill(backend));
    let nowMs = NOW.getTime();
    const now = (): Date => {
      nowMs += 50;
      return new Date(nowMs);
    };
    const result = await runCli(['copy', from.url, to.url], { now });
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout).toMatch(
      /^14 streams copied in \d+\.\d s: [1-9]\d+ rows, [1-9]\d* rows\/s\n$/,
    );
    const again = await runCli(['copy', from.url, to.url]);
    expect(again).toEqual({
      exitCode: 0,
      stdout: 'nothing to copy: 14 streams there already\n',
      stderr: '',
    });
    const verified = await to.cli(['verify']);
    expect(verified.exitCode).toBe(0);
    expect(verified.stdout).toContain(', 0 differences');
    expect(await onStore(to.url, contentsOf)).toEqual(await onStore(from.url, contentsOf));
  });

  test('copies what has the tags', async () => {
    await onStore(from.url, (backend) => fill(backend));
    const result = await runCli(['copy', from.url, to.url, 'name=kind', '--concurrency', '1']);
    expect(result.stdout).toMatch(/^1 stream copied/);
    const torn = await runCli(['copy', from.url, to.url, 'name=rate']);
    expect(torn.exitCode).toBe(13);
    expect(torn.stderr).toMatch(/^datastream: [^\n]+ is not selected[^\n]+\n$/);
    const rest = await runCli(['copy', from.url, to.url]);
    expect(rest.stdout).toMatch(/^13 streams copied [^\n]+, 1 stream there already\n$/);
  });

  test.each<[string, (url: string) => string[], number]>([
    ['the same store twice', (url) => [url, url], 2],
    ['the same folder by two names', (url) => [url, `${url}/../store`], 2],
    ['no target', (url) => [url], 2],
    ['a bad tag', (url) => [url, 'memory:', 'a'], 2],
    ['a bad count', (url) => [url, 'memory:', '--concurrency', '0'], 2],
    ['a source that is not there', (url) => [`${url}-not-there`, url], 31],
    ['an unknown store', (url) => [url, 'floppy:a'], 32],
    ['a selection that is an unknown option', (url) => [url, 'memory:', '--bogus'], 2],
  ])('%s ends with one line on stderr and its exit code', async (_name, argv, exitCode) => {
    await onStore(from.url, async () => {});
    const result = await runCli(['copy', ...argv(from.url)]);
    expect(result.stderr).toMatch(/^datastream: [^\n]+\n$/);
    expect(result).toMatchObject({ exitCode, stdout: '' });
    expect(await readdir(to.folder)).toEqual([]);
  });

  test('Ctrl-C ends it between commits, and the next one goes on', async () => {
    await onStore(from.url, (backend) => fill(backend));
    const abort = new AbortController();
    let callCount = 0;
    // The clock is asked at each report of progress while a bar is to be drawn.
    const now = (): Date => {
      callCount++;
      if (callCount === 8) abort.abort();
      return NOW;
    };
    const isTerminal = { stdin: false, stdout: false, stderr: true };
    const result = await runCli(['copy', from.url, to.url, '--concurrency', '1'], {
      now,
      isTerminal,
      signal: abort.signal,
    });
    expect(result.exitCode).toBe(130);
    expect(result.stderr).toMatch(/^datastream: interrupted; \d+ rows copied before it\n$/);
    expect((await runCli(['copy', from.url, to.url])).exitCode).toBe(0);
    expect(await onStore(to.url, contentsOf)).toEqual(await onStore(from.url, contentsOf));
  });
});

describe('a copy that is killed', () => {
  /** Lets a copy run for a time, then kills it; whether it came to its end before that. */
  async function copyFor(lifeMs: number): Promise<boolean> {
    const env = { ...process.env, NODE_OPTIONS: '' };
    const child = spawn(process.execPath, [COMMAND, 'copy', from.url, to.url], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const errors: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    const exit = once(child, 'exit');
    const timer = setTimeout(() => child.kill('SIGKILL'), lifeMs);
    const [code, signalName] = await exit;
    clearTimeout(timer);
    if (signalName === 'SIGKILL') return false;
    expect({ code, stderr: Buffer.concat(errors).toString() }).toEqual({ code: 0, stderr: '' });
    return true;
  }

  async function addLong(backend: Backend): Promise<void> {
    const datastream = engineOn(backend);
    for (let n = 0; n < 4; n++) {
      const id = await datastream.ensureStream(
        { n },
        { valueDownsamplers: ['mean', 'max'], highestGranularity: 'seconds' },
      );
      const timestamps = Float64Array.from({ length: 80_000 }, (_, i) => at(i));
      await datastream.appendColumns(id, { timestamps, values: timestamps.map((t) => t % 977) });
    }
    await datastream.downsampleStreams();
  }

  test('again and again is complete in the end', async () => {
    await onStore(from.url, async (backend) => {
      await fill(backend);
      await addLong(backend);
    });
    let killCount = 0;
    // Each run lives a little longer, so that there is an end on any machine.
    for (let lifeMs = 100; !(await copyFor(lifeMs)); lifeMs *= 1.2) {
      killCount++;
      await onStore(to.url, async (backend) => {
        const report = await engineOn(backend).verify();
        expect(report.differenceCount).toBe(0);
      });
    }
    expect(killCount).toBeGreaterThan(0);
    expect(await onStore(to.url, contentsOf)).toEqual(await onStore(from.url, contentsOf));
    await onStore(to.url, assertClean);
  }, 240_000);

  test('while the source goes on follows it in the end', async () => {
    const ids = await onStore(from.url, async (backend) => {
      await addLong(backend);
      return fill(backend);
    });
    const backend = await openBackend(from.url);
    const datastream = engineOn(backend);
    let killCount = 0;
    let second = 1000;
    for (let lifeMs = 100; !(await copyFor(lifeMs)); lifeMs *= 1.2) {
      killCount++;
      await datastream.append(ids['a']!, second, at(second));
      await datastream.append(ids['raw']!, -second, at(second++ % 300), { checkTimestamp: false });
      if (killCount % 3 === 0) await datastream.downsampleStreams();
    }
    await backend.close();
    expect(killCount).toBeGreaterThan(0);
    expect(await copyFor(60_000)).toBe(true);
    expect(await onStore(to.url, contentsOf)).toEqual(await onStore(from.url, contentsOf));
    await onStore(to.url, assertSettles);
  }, 240_000);
});
