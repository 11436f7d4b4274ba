import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  appendSeconds,
  ensureStream,
  NOW,
  runCli,
  type TemporaryStore,
  temporaryStore,
} from './harness.ts';

let store: TemporaryStore;

beforeEach(async () => {
  store = await temporaryStore();
});

afterEach(() => store.remove());

const ensure = (...options: string[]): Promise<string> => ensureStream(store, ...options);

const LATER = new Date(NOW.getTime() + 3_600_000);

describe('streams', () => {
  test('ensure finds again what it created, in another run', async () => {
    const id = await ensure('--query', 'node=a1', 'metric=rx', '--tag', 'unit=B/s', 'site.room=12');
    expect(await ensure('--query', 'node=a1', 'metric=rx', '--tag', 'unit=B')).toBe(id);
    const { stdout } = await store.cli(['show', id, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      id,
      tags: { node: 'a1', metric: 'rx', unit: 'B' },
      valueType: 'numeric',
      highestGranularity: 'seconds',
      derivedFrom: null,
    });
  });

  test('ensure with another type is refused', async () => {
    await ensure('--query', 'node=a1');
    const argv = ['ensure', '--query', 'node=a1', '--downsamplers', 'count'];
    const result = await store.cli([...argv, '--granularity', 'seconds', '--type', 'nominal']);
    expect(result.exitCode).toBe(12);
  });

  test('ensure takes percentiles, and a heartbeat for values that are held', async () => {
    const names = ['--downsamplers', 'integral,percentile_99.9'];
    const id = await ensure('--query', 'node=a1', ...names, '--heartbeat', '90');
    const { stdout } = await store.cli(['show', id]);
    expect(stdout).toMatch(/^value type +numeric, heartbeat 90 s$/m);
    expect(stdout).toMatch(/^value downsamplers +count, integral, percentile_99\.9$/m);
    await appendSeconds(store, id, 21);
    await store.cli(['downsample'], { now: () => LATER });
    const table = await store.cli(['get', id, '10seconds', '--format', 'csv']);
    expect(table.stdout.split('\n').slice(0, 2)).toEqual([
      'bucket,count,integral,percentile_99.9',
      '2026-01-01T12:00:00Z,10,45,8.991',
    ]);
    const bad = ['ensure', '--query', 'node=a2', '--granularity', 'seconds', ...names];
    const result = await store.cli([...bad, '--heartbeat', 'soon']);
    expect(result.exitCode).not.toBe(0);
    expect(result.stderr).toContain('heartbeat');
  });

  test('streams lists by tags, by id, as a table and as JSON', async () => {
    const first = await ensure('--query', 'n=1', 'kind=a');
    const second = await ensure('--query', 'n="1"', 'kind=b', '--high-accuracy');
    const all = await store.cli(['streams']);
    const rows = all.stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(rows).toEqual([
      ['id', 'tags', 'type', 'granularity', 'latest', 'derived'],
      [first, 'n=1 kind=a', 'numeric', 'seconds', '–'],
      [second, 'n="1" kind=b', 'numeric (high accuracy)', 'seconds', '–'],
    ]);
    const byTag = await store.cli(['streams', 'n="1"', '--json']);
    expect(JSON.parse(byTag.stdout)).toMatchObject([{ id: second }]);
    const byId = await store.cli(['streams', first, '--ndjson']);
    expect(JSON.parse(byId.stdout)).toMatchObject({ id: first });
    const limited = await store.cli(['streams', '--ndjson', '--limit', '1']);
    expect(limited.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect((await store.cli(['streams', 'n=2', '--json'])).stdout).toBe('[\n]\n');
  });

  test('show describes a derivation from both ends', async () => {
    const a = await ensure('--query', 'm=a');
    const sum = await ensure('--query', 'm=sum', '--derive-op', 'sum', '--derive-from', a);
    expect((await store.cli(['show', sum])).stdout).toMatch(
      new RegExp(`derived by +sum\nsource +${a}:seconds\n`),
    );
    expect((await store.cli(['show', a])).stdout).toMatch(new RegExp(`contributes to +${sum} sum`));
  });

  test('an aggregate by tags is created, shown, exported and imported', async () => {
    const a = await ensure('--query', 'm=a', 'site=x');
    const by = ['--derive-op', 'sum', '--derive-query', 'site=x'];
    const sum = await ensure('--query', 'm=sum', ...by);
    expect((await store.cli(['show', sum])).stdout).toMatch(
      /derived by +sum\nsources +all with \{"site":"x"\}\n/,
    );
    expect((await store.cli(['show', a])).stdout).toMatch(new RegExp(`contributes to +${sum} sum`));
    const both = ['--derive-from', a];
    const kind = ['--downsamplers', 'mean', '--granularity', 'seconds'];
    const usage = await store.cli(['ensure', '--query', 'm=b', ...kind, ...by, ...both]);
    expect(usage.exitCode).not.toBe(0);
    await store.cli(['append', a, '5', '--at', '2020-01-01T00:00:00Z']);
    const { stdout: exported } = await store.cli(['export']);
    await store.cli(['delete', '--yes']);
    await store.cli(['import'], { stdin: exported });
    await store.cli(['downsample']);
    const [copy] = JSON.parse((await store.cli(['streams', 'm=sum', '--json'])).stdout);
    expect(copy).toMatchObject({ derivedFrom: { op: 'sum', sources: [], query: { site: 'x' } } });
    const { stdout } = await store.cli(['get', copy.id, 'seconds', '--start', '2020-01-01']);
    expect(stdout).toContain('5');
  });

  test('tag clears, removes and sets, in that order', async () => {
    const id = await ensure('--query', 'a=1', '--tag', 'site.room=12', 'site.rack=3');
    const removed = await store.cli(['tag', id, '--remove', 'site.room', '--set', 'b=x', 'a=2']);
    expect(JSON.parse(removed.stdout)).toEqual({ a: 2, b: 'x', site: { rack: 3 } });
    const cleared = await store.cli(['tag', id, '--clear', '--set', 'c=[1]']);
    expect(JSON.parse(cleared.stdout)).toEqual({ c: [1] });
    expect((await store.cli(['tag', id, '--set', 'stream_id=1'])).exitCode).toBe(18);
  });

  test('delete asks on a terminal, refuses elsewhere, and says how many', async () => {
    const a = await ensure('--query', 'm=a');
    await ensure('--query', 'm=b');
    await ensure('--query', 'm=sum', '--derive-op', 'sum', '--derive-from', a);
    expect(await store.cli(['delete', 'm=b'])).toMatchObject({ exitCode: 5, stdout: '' });
    const terminal = { isTerminal: { stdin: true, stdout: false, stderr: true } };
    const no = await store.cli(['delete', 'm=b'], { ...terminal, stdin: 'n\n' });
    expect(no).toMatchObject({ exitCode: 5, stdout: '' });
    expect(no.stderr).toContain('Delete 1 stream with all data? [y/N]');
    const yes = await store.cli(['delete', 'm=b'], { ...terminal, stdin: 'y\n' });
    expect(yes).toMatchObject({ exitCode: 0, stdout: '1 stream deleted\n' });
    expect((await store.cli(['delete', a, '--yes'])).exitCode).toBe(13);
    expect((await store.cli(['delete', '--yes'])).stdout).toBe('2 streams deleted\n');
    expect((await store.cli(['delete', '--yes'])).stdout).toBe('0 streams deleted\n');
  });
});

describe('datapoints', () => {
  test('append takes one value, now or at a time', async () => {
    const id = await ensure('--query', 'm=a');
    expect((await store.cli(['append', id, '-1.5', '--at', '-1h'])).stdout).toBe(
      '{"t":"2026-01-01T11:00:00Z","v":-1.5}\n',
    );
    expect((await store.cli(['append', id, 'null'])).stdout).toBe(
      '{"t":"2026-01-01T12:00:00Z","v":null}\n',
    );
    expect((await store.cli(['append', id, '1', '--at', '-2h'])).exitCode).toBe(19);
    const late = await store.cli(['append', id, '-0', '--at', '-2h', '--allow-late']);
    expect(late.stdout).toBe('{"t":"2026-01-01T10:00:00Z","v":-0}\n');
    expect((await store.cli(['append', id, 'high'])).exitCode).toBe(2);
    expect((await store.cli(['append', id, '1', '--at', '-9h'])).stderr).toMatch(
      /; "append --allow-late" adds late data\.\n$/,
    );
    const { stdout } = await store.cli(['get', id, '--format', 'csv']);
    expect(stdout).toBe(
      'timestamp,value\n2026-01-01T10:00:00Z,-0\n2026-01-01T11:00:00Z,-1.5\n2026-01-01T12:00:00Z,null\n',
    );
  });

  test.each([
    ['-5', -5],
    ['-1E2', -100],
    ['-.5', -0.5],
    ['-5.', -5],
  ])('append takes %s as a value, before options and after them', async (text, value) => {
    const id = await ensure('--query', 'm=a');
    const json = JSON.stringify(value);
    const before = await store.cli(['append', id, text, '--at', '-1h']);
    expect(before).toMatchObject({ exitCode: 0, stderr: '' });
    expect(before.stdout).toContain(`"v":${json}}`);
    const after = await store.cli(['append', '--allow-late', id, text]);
    expect(after.stdout).toContain(`"v":${json}}`);
  });

  test.each(['NaN', 'Infinity', '-Infinity', '-inf', '{"m":NaN,"c":1}'])(
    'append refuses %s as a value that does not fit',
    async (text) => {
      const id = await ensure('--query', 'm=a');
      const result = await store.cli(['append', id, text]);
      expect(result.exitCode).toBe(20);
      expect(result.stderr).toMatch(/^datastream: [^\n]+null means no data\.\n$/);
    },
  );

  test('append still knows an unknown option', async () => {
    const id = await ensure('--query', 'm=a');
    expect((await store.cli(['append', id, '--bogus'])).stderr).toContain("option '--bogus'");
    const two = await store.cli(['append', id, '-1E2', '-1E3']);
    expect(two.exitCode).toBe(2);
  });

  test('high accuracy values keep their digits, from argument to output', async () => {
    const id = await ensure('--query', 'm=exact', '--high-accuracy');
    const digits = '108.731273138361809414411498854106499908898829999999999999999999';
    await store.cli(['append', id, digits]);
    await store.cli(['append', id], { stdin: `{"t":"now","v":${digits}}\n` });
    const { stdout } = await store.cli(['get', id, '--format', 'ndjson']);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).v),
    ).toEqual([digits, digits]);
  });

  test('appending to a derived stream is refused', async () => {
    const a = await ensure('--query', 'm=a');
    const sum = await ensure('--query', 'm=sum', '--derive-op', 'sum', '--derive-from', a);
    expect((await store.cli(['append', sum, '1'])).exitCode).toBe(23);
  });

  test('get prints ranges, levels and formats', async () => {
    const id = await ensure('--query', 'm=a');
    await appendSeconds(store, id, 41);
    await store.cli(['downsample'], { now: () => LATER });
    const range = ['--start', '2026-01-01T12:00:10Z', '--end', '2026-01-01T12:00:12Z'];
    const lines = async (...argv: string[]): Promise<string[]> =>
      (await store.cli(['get', id, ...argv])).stdout.trimEnd().split('\n');
    expect(await lines(...range)).toEqual([
      'timestamp             value',
      '2026-01-01T12:00:10Z     10',
      '2026-01-01T12:00:11Z     11',
      '2026-01-01T12:00:12Z     12',
    ]);
    expect(await lines(...range, '--format', 'ndjson', '--reverse', '--limit', '1')).toEqual([
      '{"t":"2026-01-01T12:00:12Z","v":12}',
    ]);
    const exclusive = ['--start-exclusive', '2026-01-01T12:00:10Z'];
    const until = ['--end-exclusive', '2026-01-01T12:00:12Z'];
    expect(await lines(...exclusive, ...until, '--format', 'csv')).toEqual([
      'timestamp,value',
      '2026-01-01T12:00:11Z,11',
    ]);
    const level = ['10seconds', '--value-downsamplers', 'mean,max', '--limit', '2'];
    expect(await lines(...level, '--format', 'csv', '--time-downsamplers', 'first')).toEqual([
      'bucket,mean,max,time first',
      '2026-01-01T12:00:00Z,4.5,9,2026-01-01T12:00:00Z',
      '2026-01-01T12:00:10Z,14.5,19,2026-01-01T12:00:10Z',
    ]);
    const json = (await lines(...level, '--time-downsamplers', 'first', '--format', 'json')).join(
      '',
    );
    expect(JSON.parse(json)).toEqual([
      { t: { a: '2026-01-01T12:00:00Z' }, v: { m: 4.5, u: 9 } },
      { t: { a: '2026-01-01T12:00:10Z' }, v: { m: 14.5, u: 19 } },
    ]);
  });

  test('an empty stream has nothing to get, and nothing to draw', async () => {
    const id = await ensure('--query', 'metric=a');
    expect((await store.cli(['get', id])).stdout).toBe('timestamp  value\n');
    expect((await store.cli(['get', id, '--plot'])).stdout).toBe('a, seconds: no values to draw\n');
  });

  test('get --plot draws raw values and levels', async () => {
    const id = await ensure('--query', 'm=a', '--tag', 'title=inflow', 'unit=B/s');
    await appendSeconds(store, id, 41);
    await store.cli(['downsample'], { now: () => LATER });
    const raw = (await store.cli(['get', id, '--plot'], { columnCount: 60 })).stdout.split('\n');
    expect(raw[0]).toBe('inflow, seconds [B/s]  2026-01-01T12:00:00Z – 2026-01-01T12:00:40Z');
    expect(Math.max(...raw.slice(1).map((line) => [...line].length))).toBeLessThanOrEqual(60);
    const level = (await store.cli(['get', id, '10seconds', '--plot'])).stdout;
    expect(level).toContain('── mean   ┈┈ min   ┄┄ max');
    const one = await store.cli([
      'get',
      id,
      '10seconds',
      '--plot',
      '--value-downsamplers',
      'count',
    ]);
    expect(one.stdout.split('\n')[0]).not.toContain('[B/s]');
  });

  test('raw nominal values cannot be drawn, their counts can', async () => {
    const argv = ['ensure', '--query', 'm=n', '--downsamplers', 'count', '--type', 'nominal'];
    const id = (await store.cli([...argv, '--granularity', 'seconds'])).stdout.trim();
    await store.cli(['append', id, 'up']);
    await store.cli(['append', id, '42', '--at', '+20s']);
    expect((await store.cli(['get', id, '--plot'])).exitCode).toBe(2);
    expect((await store.cli(['get', id, '--format', 'csv'])).stdout).toBe(
      'timestamp,value\n2026-01-01T12:00:00Z,"""up"""\n2026-01-01T12:00:20Z,42\n',
    );
    await store.cli(['downsample'], { now: () => LATER });
    expect((await store.cli(['get', id, '10seconds', '--plot'])).exitCode).toBe(0);
  });
});

test('a store that cannot be opened is one line and its code', async () => {
  const file = join(store.folder, 'file');
  await writeFile(file, '');
  const result = await runCli(['--store', `embedded:${file}/store`, 'streams']);
  expect(result.exitCode).toBe(31);
  expect(result.stderr).toMatch(/^datastream: [^\n]+\n$/);
});

test('input larger than a batch is appended in batches', async () => {
  const id = await ensure('--query', 'm=a');
  const chunks = (function* () {
    for (let i = 0; i < 25_000; i++) yield `${1_700_000_000 + i},${i}\n`;
  })();
  const result = await store.cli(['append', id], { stdin: Readable.from(chunks) });
  expect(result.stdout).toBe('25000 datapoints appended\n');
  const last = await store.cli(['get', id, '--reverse', '--limit', '1', '--format', 'ndjson']);
  expect(JSON.parse(last.stdout).v).toBe(24_999);
});
