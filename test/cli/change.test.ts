import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ensureStream, type TemporaryStore, temporaryStore } from './harness.ts';

let store: TemporaryStore;
let id: string;

beforeEach(async () => {
  store = await temporaryStore();
  id = await ensureStream(store, '--query', 'm=a');
});

afterEach(() => store.remove());

test('downsamplers are added and dropped, and the stream is printed', async () => {
  const args = ['--add-downsamplers', 'median,max', '--drop-downsamplers', 'mean'];
  const { stdout, exitCode } = await store.cli(['change', id, ...args]);
  expect(exitCode).toBe(0);
  const { valueDownsamplers } = JSON.parse(stdout);
  expect(valueDownsamplers).toEqual(expect.arrayContaining(['max', 'median']));
  expect(valueDownsamplers).not.toContain('mean');
  const all = await store.cli(['change', id, '--downsamplers', 'min']);
  expect(JSON.parse(all.stdout).valueDownsamplers).toEqual(['min', 'count']);
});

test('levels are added and dropped, in a time zone', async () => {
  const add = ['--add-level', 'weeks', '--add-level', '15minutes', '--time-zone', 'Europe/Paris'];
  const names = async (...args: string[]): Promise<string> => {
    const { stdout } = await store.cli(['change', id, ...args]);
    const { levels, timeZone } = JSON.parse(stdout);
    return [timeZone, ...levels.filter((name: string) => name.includes('@'))].join(' ');
  };
  expect(await names(...add)).toBe('Europe/Paris 15minutes@Europe/Paris weeks@Europe/Paris');
  expect(await names('--drop-level', 'weeks')).toBe('Europe/Paris 15minutes@Europe/Paris');
  const refused = await store.cli(['change', id, '--time-zone', 'UTC']);
  expect(refused.stderr).toContain('15minutes in the time zone Europe/Paris');
});

test('a derivation gets other arguments and sources', async () => {
  const derived = await ensureStream(
    store,
    ...['--query', 'm=b', '--derive-op', 'clamp', '--derive-from', id],
    ...['--derive-args', '{"max":5}'],
  );
  const { stdout } = await store.cli(['change', derived, '--derive-args', '{"max":7}']);
  expect(JSON.parse(stdout).derivedFrom).toMatchObject({ op: 'clamp', args: { max: 7 } });
  const sum = await store.cli([
    ...['change', derived, '--derive-op', 'sum', '--derive-from', id],
    '--no-backprocess',
  ]);
  expect(JSON.parse(sum.stdout).derivedFrom).toMatchObject({ op: 'sum', args: {} });
});

test('a call that says nothing, or contradicts itself, is a usage error', async () => {
  const nothing = await store.cli(['change', id]);
  expect(nothing.stderr).toContain('Nothing to change');
  const both = await store.cli(['change', id, '--downsamplers', 'a', '--add-downsamplers', 'b']);
  expect(both.stderr).toContain('--downsamplers says all of them');
  expect([nothing.exitCode, both.exitCode]).toEqual([2, 2]);
});

test('retention is said at creation, changed, shown, and exported', async () => {
  const kept = await ensureStream(store, '--query', 'm=k', '--retention', 'raw=30d,hours=forever');
  const shown = await store.cli(['show', kept]);
  expect(shown.stdout).toMatch(/^kept +raw 30d, hours for ever$/m);
  const { stdout } = await store.cli(['export', 'm=k']);
  expect(stdout).toContain('"retention":{"raw":"30d","hours":null}');
  const changed = await store.cli(['change', kept, '--retention', 'raw=1y,days=forever']);
  expect(JSON.parse(changed.stdout).retention).toEqual({ raw: '1y', days: null });
  const forever = await store.cli(['change', kept, '--retention', 'forever']);
  expect(JSON.parse(forever.stdout).retention).toBeNull();
  const wrong = await store.cli(['change', kept, '--retention', '30d']);
  expect(wrong.stderr).toContain('Not a retention: "30d"');
  expect(wrong.exitCode).toBe(2);
});

test('what has expired is answered by coarser levels when asked', async () => {
  const kept = await ensureStream(store, '--query', 'm=f', '--retention', 'raw=1h,hours=forever');
  const stdin = Array.from({ length: 600 }, (_, n) => `${n * 60},1`).join('\n');
  await store.cli(['append', kept], { stdin });
  await store.cli(['downsample']);
  const raw = await store.cli(['get', kept, '--format', 'ndjson']);
  expect(raw.stdout.trim().split('\n')).toHaveLength(1);
  // From the beginning, which raw datapoints do not tell any more.
  const hours = await store.cli(['get', kept, 'hours', '--format', 'ndjson']);
  expect(hours.stdout.trim().split('\n')).toHaveLength(9);
  const args = ['get', kept, '--fallback', '--format', 'ndjson'];
  const { stdout } = await store.cli(args);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines[0].granularity).toBe('hours');
  expect(lines.at(-1)).toMatchObject({ granularity: 'seconds', v: 1 });
  const shown = await store.cli(['show', kept]);
  expect(shown.stdout).toMatch(/^seconds expired +before 1970-01-01T09:/m);
  const table = await store.cli(['get', kept, '--fallback']);
  expect(table.stderr).toContain('--format ndjson or json');
});
