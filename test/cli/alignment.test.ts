import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ensureStream, type TemporaryStore, temporaryStore } from './harness.ts';

const START_SECONDS = Date.parse('2026-01-01T10:00:00Z') / 1000;
let store: TemporaryStore;
let id: string;

beforeEach(async () => {
  store = await temporaryStore();
  id = await ensureStream(store, '--query', 'm=a');
  const seconds = Array.from({ length: 121 }, (_, second) => second);
  const lines = seconds
    .filter((second) => second < 20 || second >= 50)
    .map((second) => `${START_SECONDS + second},${second - 4.5}`);
  await store.cli(['append', id], { stdin: lines.join('\n') });
  await store.cli(['downsample']);
});

afterEach(() => store.remove());

describe('get --fill', () => {
  const argv = ['--value-downsamplers', 'mean,count', '--format', 'csv', '--limit', '6'];
  const read = async (...how: readonly string[]): Promise<readonly string[]> => {
    const { stdout } = await store.cli(['get', id, '10seconds', ...argv, ...how]);
    return stdout.trimEnd().split('\n').slice(2);
  };

  test('gives buckets without data values, and leaves their counts', async () => {
    const rows = (...values: readonly string[]): readonly string[] => [
      '2026-01-01T10:00:10Z,10,10',
      `2026-01-01T10:00:20Z,${values[0]},0`,
      `2026-01-01T10:00:30Z,${values[1]},0`,
      `2026-01-01T10:00:40Z,${values[2]},0`,
      '2026-01-01T10:00:50Z,50,10',
    ];
    expect(await read()).toEqual(rows('null', 'null', 'null'));
    expect(await read('--fill', 'null')).toEqual(await read());
    expect(await read('--fill', 'linear')).toEqual(rows('20', '30', '40'));
    expect(await read('--fill', 'previous')).toEqual(rows('10', '10', '10'));
    expect(await read('--fill', '-1')).toEqual(rows('-1', '-1', '-1'));
  });

  test('refuses what is no way to fill, and raw datapoints', async () => {
    for (const how of ['next', '', 'NaN']) {
      expect((await store.cli(['get', id, 'minutes', '--fill', how])).exitCode).toBe(2);
    }
    expect((await store.cli(['get', id, '--fill', '0'])).exitCode).toBe(15);
  });
});

describe('get --max-points', () => {
  const read = async (...argv: readonly string[]): Promise<unknown> => {
    const { stdout, stderr } = await store.cli(['get', id, '--format', 'csv', ...argv]);
    return { count: stdout.trimEnd().split('\n').length - 1, stderr };
  };

  test('takes the finest granularity that has few enough datapoints, and names it', async () => {
    const said = (name: string): string => `datastream: granularity: ${name}\n`;
    expect(await read('--max-points', '91')).toEqual({ count: 91, stderr: said('seconds') });
    expect(await read('--max-points', '90')).toEqual({ count: 12, stderr: said('10seconds') });
    const live = await read('--max-points', '12', '--live');
    expect(live).toEqual({ count: 3, stderr: said('minutes') });
    const part = ['--start', '2026-01-01T10:01:00Z', '--end', '2026-01-01T10:01:09Z'];
    expect(await read('--max-points', '10', ...part)).toEqual({
      count: 10,
      stderr: said('seconds'),
    });
    const plot = await store.cli(['get', id, '--max-points', '20', '--plot']);
    expect(plot).toMatchObject({ exitCode: 0, stderr: '' });
    expect(plot.stdout).toContain(', 10seconds  ');
  });

  test('goes without a granularity', async () => {
    const both = await store.cli(['get', id, 'minutes', '--max-points', '5']);
    expect(both.exitCode).toBe(2);
    expect((await store.cli(['get', id, '--max-points', '0'])).exitCode).toBe(2);
  });
});

describe('get --thin', () => {
  test('leaves out datapoints, but not the ends and what stands out', async () => {
    await store.cli(['append', id, '1000', '--at', '2026-01-01T10:01:17Z', '--replace']);
    const { stdout } = await store.cli(['get', id, '--thin', '4', '--format', 'csv']);
    expect(stdout.split('\n')).toEqual([
      'timestamp,value',
      '2026-01-01T10:00:00Z,-4.5',
      expect.stringMatching(/^2026-01-01T10:0/),
      '2026-01-01T10:01:17Z,1000',
      '2026-01-01T10:02:00Z,115.5',
      '',
    ]);
  });

  test('takes at least two, and does not go with a drawing, which is thinned anyway', async () => {
    for (const argv of [
      ['--thin', '1'],
      ['--thin', '5', '--plot'],
    ]) {
      expect((await store.cli(['get', id, ...argv])).exitCode).toBe(2);
    }
  });
});
