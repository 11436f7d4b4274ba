import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { NOW, runCli, type TemporaryStore, temporaryStore } from './harness.ts';

let store: TemporaryStore;
beforeEach(async () => {
  store = await temporaryStore();
});
afterEach(() => store.remove());

interface Listed {
  readonly id: string;
  readonly valueType: string;
  readonly tags: Readonly<Record<string, unknown>>;
}

async function streams(): Promise<readonly Listed[]> {
  const { stdout } = await store.cli(['streams', '--json']);
  const listed = JSON.parse(stdout) as Listed[];
  return [...listed].sort(
    (a, b) => Number(a.tags['stream_number']) - Number(b.tags['stream_number']),
  );
}

async function valuesOf({ id }: Listed): Promise<readonly { t: string; v: unknown }[]> {
  const { stdout } = await store.cli(['get', id, '--start', '2020-01-01', '--format', 'ndjson']);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

describe('datastream dummy', () => {
  test('fills a history with values of each type, and computes its levels', async () => {
    const types = 'int(0,10), float(-2,2),enum(on,off,idle),graph(3,2)';
    const argv = ['dummy', '--streams', '5', '--interval', '10s', '--types', types, '--span', '1h'];
    expect(await store.cli([...argv, '--no-real-time'])).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/^1800 datapoints in 5 streams of /),
      stderr: '',
    });
    const made = await streams();
    expect(made.map(({ valueType }) => valueType)).toEqual([
      'numeric',
      'numeric',
      'nominal',
      'graph',
      'numeric',
    ]);
    expect(made[1]!.tags).toMatchObject({
      title: 'Stream 1',
      stream_number: 1,
      source: 'dummy',
      description: expect.any(String),
      unit_description: expect.any(String),
      visualization: {
        type: 'line',
        minimum: -2,
        maximum: 2,
        value_downsamplers: ['mean', 'min', 'max'],
      },
    });
    const [whole, decimal, states, graphs] = await Promise.all(made.map(valuesOf));
    expect(whole).toHaveLength(360);
    expect(whole![0]!.t).toBe('2026-01-01T11:00:00Z');
    expect(whole!.at(-1)!.t).toBe('2026-01-01T11:59:50Z');
    for (const { v } of whole!) {
      expect(Number.isInteger(v)).toBe(true);
      expect(v).toBeGreaterThanOrEqual(0);
      expect(v).toBeLessThanOrEqual(10);
    }
    expect(decimal!.every(({ v }) => Math.abs(Number(v)) <= 2)).toBe(true);
    expect(new Set(decimal!.map(({ v }) => v)).size).toBeGreaterThan(300);
    expect(states!.every(({ v }) => ['on', 'off', 'idle'].includes(String(v)))).toBe(true);
    expect(graphs![0]!.v).toMatchObject({ v: [{ i: 0 }, { i: 1 }, { i: 2 }], e: [{}, {}] });
    const level = await store.cli(['get', made[0]!.id, 'minutes', '--start', '2020-01-01']);
    expect(level.stdout.trim().split('\n').length).toBeGreaterThan(55);
  });

  test('goes on where it ended, and appends one value of each at every instant', async () => {
    const argv = [
      'dummy',
      '--streams',
      '2',
      '--span',
      '2026-01-01T11:59:00Z to 2026-01-01T11:59:30Z',
    ];
    await store.cli([...argv, '--no-real-time']);
    let nowMs = NOW.getTime() + 2000;
    const sleeps: number[] = [];
    const answer = await store.cli(
      ['dummy', '--streams', '2', '--span', '1m', '--duration', '20s'],
      {
        now: () => new Date(nowMs),
        sleep: async (durationMs) => {
          sleeps.push(durationMs);
          nowMs += durationMs;
        },
      },
    );
    expect(answer.exitCode).toBe(0);
    expect(answer.stdout).toMatch(/^14 datapoints in 2 streams of .*\n8 datapoints since then\n$/);
    expect(sleeps).toEqual([3000, 5000, 5000, 5000]);
    const times = (await valuesOf((await streams())[0]!)).map(({ t }) => Date.parse(t));
    expect(times[0]).toBe(Date.parse('2026-01-01T11:59:00Z'));
    expect(times).toEqual(times.map((_, row) => times[0]! + row * 5000));
    expect(times.at(-1)).toBe(Date.parse('2026-01-01T12:00:20Z'));
  });

  test('--demo is two days of three streams, and --flush deletes what was made, alone', async () => {
    await store.cli([
      'ensure',
      '--query',
      'mine=1',
      '--downsamplers',
      'mean',
      '--granularity',
      'seconds',
    ]);
    const ended = new AbortController();
    const demo = await store.cli(['dummy', '--demo'], {
      signal: ended.signal,
      sleep: async () => ended.abort(),
    });
    expect(demo.exitCode).toBe(0);
    expect(demo.stdout).toMatch(
      /^103680 datapoints in 3 streams of .*\n0 datapoints since then\n$/,
    );
    expect((await store.cli(['dummy', '--flush'])).stdout).toBe('3 streams deleted\n');
    expect((await streams()).map(({ tags }) => tags)).toEqual([{ mine: 1 }]);
  });

  test.each([
    [['--demo', '--streams', '2'], '--demo goes with no other option'],
    [['--flush', '--demo'], '--flush goes with no other option'],
    [['--types', 'int(0,10),'], 'Not types of streams'],
    [['--types', 'int(10,0)'], 'the smaller one first'],
    [['--types', 'text(a)'], 'There is no type'],
    [['--types', 'graph(0,1)'], 'how many vertices and edges'],
    [['--interval', '1500ms'], 'whole seconds'],
    [['--span', '2026-01-02 to 2026-01-01'], 'Not a history'],
    [['--span', 'soon'], 'Not a duration'],
    [['--streams', '0'], 'above 0'],
  ])('refuses %j', async (options, message) => {
    const answer = await runCli(['--store', store.url, 'dummy', ...options]);
    expect(answer.exitCode).toBe(2);
    expect(answer.stderr).toContain(message);
  });
});
