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
