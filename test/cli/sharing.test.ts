import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { EmbeddedBackend } from '../../src/backends/embedded/embedded-backend.ts';
import { BackendUnavailable, StreamAppendFailed } from '../../src/exceptions/errors.ts';
import {
  appendSeconds,
  ensureStream,
  NOW,
  type TemporaryStore,
  temporaryStore,
} from './harness.ts';

const LATER = new Date(NOW.getTime() + 3_600_000);
const COMMANDS = ['downsample', 'backprocess'];

let store: TemporaryStore;

beforeEach(async () => {
  store = await temporaryStore();
});

afterEach(async () => {
  jest.restoreAllMocks();
  await store.remove();
});

/** Runs a command for so many rounds, with something done before each but the first. */
async function rounds(
  argv: readonly string[],
  count: number,
  between: () => void = () => {},
): ReturnType<TemporaryStore['cli']> {
  const abort = new AbortController();
  let roundCount = 0;
  return store.cli([...argv, '--every', '1s'], {
    now: () => LATER,
    signal: abort.signal,
    sleep: async () => {
      roundCount++;
      if (roundCount === count) abort.abort();
      else between();
    },
  });
}

describe.each(COMMANDS)('%s', (command) => {
  test.each([
    ['--shard', '0/4'],
    ['--shard', '5/4'],
    ['--shard', '1'],
    ['--shard', '1/0'],
    ['--shard', '-1/4'],
    ['--lease', '999ms'],
    ['--lease', 'long'],
    ['--concurrency', '0'],
    ['--every', '0s'],
  ])('refuses %s %s', async (option, text) => {
    const result = await store.cli([
      'ensure',
      '--query',
      'a=1',
      '--downsamplers',
      '',
      '--granularity',
      'days',
    ]);
    expect(result.exitCode).toBe(0);
    const { exitCode, stderr } = await store.cli([command, `${option}=${text}`]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^datastream: [^\n]+\n$/);
    expect(stderr).toContain(option);
  });

  test('takes the parts of the streams one by one', async () => {
    for (let n = 0; n < 12; n++) {
      const id = await ensureStream(store, '--query', `n=${n}`);
      await appendSeconds(store, id, 21);
      await ensureStream(store, '--query', `d=${n}`, '--derive-op', 'sum', '--derive-from', id);
    }
    let streamCount = 0;
    for (const shard of ['1/3', '2/3', '3/3']) {
      const argv = [command, '--shard', shard, '--concurrency', '2', '--lease', '5s'];
      const { exitCode, stdout, stderr } = await store.cli(argv, { now: () => LATER });
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      streamCount += Number(/^(\d+) streams?/.exec(stdout)?.[1]);
    }
    expect(streamCount).toBe(command === 'downsample' ? 24 : 12);
    const rest = await store.cli([command], { now: () => LATER });
    expect(rest.stdout).toContain(' 0 rows written');
  });

  test('goes on with --every when the store was away', async () => {
    await ensureStream(store, '--query', 'm=a');
    const query = jest.spyOn(EmbeddedBackend.prototype, 'queryStreams');
    const away = new BackendUnavailable('The store is away.');
    const result = await rounds([command], 3, () => query.mockRejectedValueOnce(away));
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toBe('datastream: warning: The store is away.\n'.repeat(2));
    expect(result.stdout.trimEnd().split('\n')).toHaveLength(1);
  });

  test('ends with --every at any other error, and without it at that one', async () => {
    await ensureStream(store, '--query', 'm=a');
    const query = jest.spyOn(EmbeddedBackend.prototype, 'queryStreams');
    const failed = new StreamAppendFailed('The disk is full.');
    const result = await rounds([command], 3, () => query.mockRejectedValueOnce(failed));
    expect(result).toMatchObject({ exitCode: 27, stderr: 'datastream: The disk is full.\n' });
    query.mockRejectedValueOnce(new BackendUnavailable('The store is away.'));
    expect(await store.cli([command])).toMatchObject({ exitCode: 31, stdout: '' });
  });
});

test('the clock of the command line is not that of leases', async () => {
  const id = await ensureStream(store, '--query', 'm=a');
  await appendSeconds(store, id, 41);
  const acquire = jest.spyOn(EmbeddedBackend.prototype, 'acquireLease');
  await store.cli(['downsample', '--lease', '7s'], { now: () => LATER });
  expect(acquire.mock.calls.map(([, { durationMs }]) => durationMs)).toEqual([7000]);
  acquire.mockRestore();
  // Far ahead by the clock of the command, the lease of another worker holds all the same.
  const backend = new EmbeddedBackend(store.url.slice('embedded:'.length));
  await backend.open();
  await backend.acquireLease(id as Parameters<typeof backend.acquireLease>[0], {
    owner: 'other',
    durationMs: 3_600_000,
  });
  await backend.close();
  await appendLast(id);
  const far = new Date(Date.now() + 10 * 86_400_000);
  const { stdout } = await store.cli(['downsample'], { now: () => far });
  expect(stdout).toBe('1 stream, 0 rows written\n');
});

/** More data, so that there is something to compute. */
async function appendLast(id: string): Promise<void> {
  const at = new Date(NOW.getTime() + 100_000).toISOString();
  await store.cli(['append', id, '1', '--at', at]);
}
