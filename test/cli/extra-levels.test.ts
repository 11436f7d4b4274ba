import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ensureStream, type TemporaryStore, temporaryStore } from './harness.ts';

let store: TemporaryStore;

beforeEach(async () => {
  store = await temporaryStore();
});

afterEach(() => store.remove());

const LEVELS = ['--level', 'days', '--level', '15minutes', '--time-zone', 'Europe/Paris'];

test('levels of a time zone are created, filled, shown, read, exported and imported', async () => {
  const id = await ensureStream(store, '--query', 'n=1', ...LEVELS);
  // A quarter of an hour apart, through the day of 25 hours and into the next one.
  const startSeconds = Date.parse('2025-10-25T22:00:00Z') / 1000;
  const lines = Array.from({ length: 150 }, (_, i) => `${startSeconds + i * 900},1\n`);
  await store.cli(['append', id], { stdin: lines.join('') });
  await store.cli(['downsample']);
  const { stdout: shown } = await store.cli(['show', id]);
  expect(shown).toMatch(/^time zone +Europe\/Paris$/m);
  expect(shown).toMatch(/^days@Europe\/Paris until +2025-10-26T23:00:00Z$/m);
  const format = ['--format', 'csv', '--value-downsamplers', 'mean'];
  const days = await store.cli(['get', id, 'days@Europe/Paris', ...format]);
  expect(days.stdout).toBe('bucket,mean\n2025-10-25T22:00:00Z,1\n');
  const quarters = await store.cli([
    'get',
    id,
    '15minutes@Europe/Paris',
    '--limit',
    '2',
    ...format,
  ]);
  expect(quarters.stdout.split('\n')[2]).toBe('2025-10-25T22:15:00Z,1');
  // Without a zone: the stream's own, where there is no such level in UTC; of days there is one.
  const local = await store.cli(['get', id, '15minutes', '--limit', '2', ...format]);
  expect(local.stdout).toBe(quarters.stdout);
  const utcDays = await store.cli(['get', id, 'days', ...format]);
  expect(utcDays.stdout).toBe('bucket,mean\n2025-10-25T00:00:00Z,1\n2025-10-26T00:00:00Z,1\n');
  const lacking = await store.cli(['get', id, 'weeks']);
  expect(lacking).toMatchObject({ exitCode: 15, stdout: '' });
  expect(lacking.stderr).toContain('days@Europe/Paris');
  const { stdout: exported } = await store.cli(['export']);
  const other = await temporaryStore();
  try {
    const imported = await other.cli(['import'], { stdin: exported });
    expect(imported).toMatchObject({ exitCode: 0 });
    const { stdout } = await other.cli(['streams', '--json']);
    const [stream] = JSON.parse(stdout) as { levels: string[]; timeZone: string }[];
    expect(stream).toMatchObject({ timeZone: 'Europe/Paris' });
    expect(stream!.levels.filter((level) => level.includes('@'))).toEqual([
      '15minutes@Europe/Paris',
      'days@Europe/Paris',
    ]);
  } finally {
    await other.remove();
  }
});

test('a level that there cannot be is refused by name', async () => {
  const argv = ['ensure', '--query', 'n=1', '--downsamplers', 'mean', '--granularity', 'hours'];
  const finer = await store.cli([...argv, '--level', '15minutes']);
  expect(finer.exitCode).toBe(15);
  expect(finer.stderr).toContain('15minutes');
  const zone = await store.cli([...argv, '--level', 'days', '--time-zone', 'Mars/Olympus']);
  expect(zone.exitCode).toBe(15);
  expect(zone.stderr).toContain('Mars/Olympus');
});

test('a stream of milliseconds keeps them, through append, get, export and import', async () => {
  const options = ['--query', 'n=1', '--downsamplers', 'count', '--granularity', 'milliseconds'];
  const { stdout } = await store.cli(['ensure', ...options]);
  const id = stdout.trim();
  const lines = '1767268800123,1\n1767268800456,2\n2026-01-01T12:00:01.789Z,3\n';
  const appended = await store.cli(['append', id], { stdin: lines });
  expect(appended).toMatchObject({ exitCode: 0 });
  const csv =
    'timestamp,value\n2026-01-01T12:00:00.123Z,1\n2026-01-01T12:00:00.456Z,2\n2026-01-01T12:00:01.789Z,3\n';
  expect((await store.cli(['get', id, '--format', 'csv'])).stdout).toBe(csv);
  const counts = await store.cli(['get', id, 'seconds', '--format', 'csv', '--live']);
  expect(counts.stdout.split('\n').slice(1, 3)).toEqual([
    '2026-01-01T12:00:00Z,2,true',
    '2026-01-01T12:00:01Z,1,true',
  ]);
  const { stdout: exported } = await store.cli(['export']);
  const other = await temporaryStore();
  try {
    await other.cli(['import'], { stdin: exported });
    const [stream] = JSON.parse((await other.cli(['streams', '--json'])).stdout) as {
      id: string;
    }[];
    expect((await other.cli(['get', stream!.id, '--format', 'csv'])).stdout).toBe(csv);
  } finally {
    await other.remove();
  }
});
