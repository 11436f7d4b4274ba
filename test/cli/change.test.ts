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
