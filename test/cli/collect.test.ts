import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { headlineText, plainLine, redrawText, viewLines } from '../../src/cli/collect/view.ts';
import { HostSampler } from '../../src/collect/host-sampler.ts';
import type { Sample, Sampler } from '../../src/collect/sampler.ts';
import {
  type CliResult,
  type CliRunOptions,
  type TemporaryStore,
  temporaryStore,
} from './harness.ts';

const START_MS = Date.UTC(2026, 0, 1, 12);

let store: TemporaryStore;

beforeEach(async () => {
  store = await temporaryStore();
});

afterEach(() => store.remove());

function sampleOf(second: number, changes: Partial<Sample> = {}): Sample {
  return {
    load: second / 10,
    cpuPercent: 50,
    memoryUsedBytes: 1024 ** 3,
    memoryFreeBytes: 3 * 1024 ** 3,
    uptimeSeconds: 1000 + second,
    interfaces: [
      { name: 'eth1', rxBytes: 10_000 + second * 200, txBytes: 1000 },
      { name: 'eth0', rxBytes: 50_000 + second * 1000, txBytes: 2000 + second * 10 },
    ],
    failures: [],
    ...changes,
  };
}

/** A clock that only sleeping moves, and a sampler that is asked at its times. */
function fakeHost(
  startMs: number,
  sampleAt: (second: number, advance: (durationMs: number) => void) => Sample,
): CliRunOptions {
  let nowMs = startMs;
  const advance = (durationMs: number): void => {
    nowMs += durationMs;
  };
  const sampler: Sampler = {
    host: 'h1',
    sample: async () => sampleAt(Math.floor((nowMs - START_MS) / 1000), advance),
  };
  return {
    sampler,
    now: () => new Date(nowMs),
    sleep: async (durationMs) => advance(durationMs),
  };
}

function collect(options: CliRunOptions, ...argv: string[]): Promise<CliResult> {
  return store.cli(['collect', '--plain', ...argv], options);
}

/** Seconds after the start and values of the one stream that has the tags. */
async function read(...tags: string[]): Promise<[number, unknown][]> {
  const { stdout } = await store.cli(['streams', '--ndjson', 'host=h1', ...tags]);
  const [line, ...others] = stdout.trimEnd().split('\n');
  expect(others).toEqual([]);
  const datapoints = await store.cli(['get', JSON.parse(line!).id, '--format', 'ndjson']);
  return datapoints.stdout.split('\n').flatMap((text) => {
    if (text === '') return [];
    const { t, v } = JSON.parse(text);
    return [[(Date.parse(t) - START_MS) / 1000, v] as [number, unknown]];
  });
}

describe('collect', () => {
  test('waits for a clock that was set back, and says so', async () => {
    let isSet = false;
    const host = fakeHost(START_MS - 300, (second, advance) => {
      if (second === 2 && !isSet) {
        isSet = true;
        advance(-3_600_000);
      }
      return sampleOf(second);
    });
    const result = await collect(host, '--duration', '5s');
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain(
      'the clock was set back; nothing is sampled until 2026-01-01T12:00:03.000Z',
    );
    expect(await read('metric=load')).toEqual([
      [0, 0],
      [1, 0.1],
      [2, 0.2],
      [3, 0.3],
      [4, 0.4],
    ]);
  });

  test('three ticks give metrics, rates and their sum', async () => {
    const host = fakeHost(START_MS - 300, (second) => sampleOf(second));
    const result = await collect(host, '--duration', '3s');
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    const lines = result.stdout.trimEnd().split('\n');
    expect(lines[1]).toBe(
      '2026-01-01T12:00:01Z  load 0.10  cpu 50.0 %  memory used 1.00 GiB  memory free 3.00 GiB' +
        '  uptime 00:16:41  eth0 rx 1.00 kB/s  eth0 tx 10.0 B/s  eth1 rx 200 B/s  eth1 tx 0.00 B/s' +
        '  total rx 1.20 kB/s  total tx 10.0 B/s',
    );
    expect(lines[3]).toBe(`3 samples in 16 streams of ${store.url}`);
    expect(await read('metric=load')).toEqual([
      [0, 0],
      [1, 0.1],
      [2, 0.2],
    ]);
    expect(await read('metric=rx_bytes', 'interface=eth0')).toEqual([
      [0, 50_000],
      [1, 51_000],
      [2, 52_000],
    ]);
    expect(await read('metric=rx_rate', 'interface=eth0')).toEqual([
      [1, 1000],
      [2, 1000],
    ]);
    expect(await read('metric=rx_total', 'interfaces=["eth0","eth1"]')).toEqual([
      [1, 1200],
      [2, 1200],
    ]);
    expect(await read('metric=reset')).toEqual([]);
  });

  test('a second run continues the same streams, over a restart of the host', async () => {
    await collect(
      fakeHost(START_MS, (second) => sampleOf(second)),
      '--duration',
      '2s',
    );
    const rebooted = fakeHost(START_MS + 10_000, (second) =>
      sampleOf(second, {
        uptimeSeconds: second,
        interfaces: [{ name: 'eth0', rxBytes: second * 100, txBytes: 0 }],
      }),
    );
    expect(await collect(rebooted, '--duration', '2s')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await read('metric=load')).toHaveLength(4);
    expect(await read('metric=reset')).toEqual([[10, 1]]);
    expect(await read('metric=rx_rate', 'interface=eth0')).toEqual([
      [1, 1000],
      [11, 100],
    ]);
    expect(await read('metric=rx_total', 'interfaces=["eth0"]')).toEqual([
      [1, 1000],
      [11, 100],
    ]);
    const verified = await store.cli(['verify']);
    expect(verified).toMatchObject({ exitCode: 0, stderr: '' });
    expect(verified.stdout).toContain(' 0 differences');
  });

  test('an interface that appears later gets its streams then', async () => {
    const late = { name: 'wg0', rxBytes: 0, txBytes: 0 };
    const host = fakeHost(START_MS, (second) => {
      const sample = sampleOf(second);
      const more = { ...late, rxBytes: second * 7 };
      return second < 2 ? sample : { ...sample, interfaces: [...sample.interfaces!, more] };
    });
    expect(await collect(host, '--duration', '4s')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await read('metric=rx_rate', 'interface=wg0')).toEqual([[3, 7]]);
    expect(await read('metric=rx_total', 'interfaces=["eth0","eth1","wg0"]')).toEqual([[3, 1207]]);
    expect(await read('metric=rx_total', 'interfaces=["eth0","eth1"]')).toHaveLength(3);
  });

  test('a sample that fails is reported once for its cause, and the job goes on', async () => {
    const host = fakeHost(START_MS, (second) => {
      if (second === 1 || second === 2) throw new Error('sensor gone');
      return sampleOf(second, second === 3 ? { cpuPercent: null, failures: ['no cpu'] } : {});
    });
    const result = await collect(host, '--duration', '5s');
    expect(result).toMatchObject({
      exitCode: 0,
      stderr: 'datastream: warning: sample failed: sensor gone\ndatastream: warning: no cpu\n',
    });
    expect((await read('metric=load')).map(([second]) => second)).toEqual([0, 3, 4]);
    expect((await read('metric=cpu')).map(([second]) => second)).toEqual([0, 4]);
  });

  test('not a single stored sample is a failure, even where a signal ends it', async () => {
    const abort = new AbortController();
    const host = fakeHost(START_MS, (second) => {
      if (second === 2) abort.abort();
      throw new Error('sensor gone');
    });
    const result = await collect({ ...host, signal: abort.signal });
    expect(result.exitCode).toBe(8);
    expect(result.stderr).toMatch(/not a single sample could be stored\n$/);
    const ended = fakeHost(START_MS, (second) => sampleOf(second));
    expect(await collect({ ...ended, signal: abort.signal })).toMatchObject({ exitCode: 0 });
  });

  test('ticks that a slow sample missed are skipped, and times stay whole', async () => {
    const host = fakeHost(START_MS, (second, advance) => {
      if (second === 1) advance(2500);
      return sampleOf(second);
    });
    const result = await collect(host, '--duration', '6s');
    expect(result.stderr).toMatch(/^datastream: warning: a sample took longer[^\n]+\n$/);
    expect((await read('metric=load')).map(([second]) => second)).toEqual([0, 1, 4, 5]);
  });

  test('buckets are computed on a schedule and at the end', async () => {
    const host = fakeHost(START_MS, (second) => sampleOf(second));
    await collect(host, '--duration', '25s', '--downsample-every', '5s');
    const { stdout } = await store.cli(['streams', 'metric=load', '--json']);
    expect(JSON.parse(stdout)).toMatchObject([
      { downsampledUntil: { '10seconds': '2026-01-01T12:00:20Z' } },
    ]);
  });

  test('a signal ends it cleanly', async () => {
    const abort = new AbortController();
    const host = fakeHost(START_MS, (second) => {
      if (second === 12) abort.abort();
      return sampleOf(second);
    });
    const result = await collect({ ...host, signal: abort.signal });
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout).toContain('13 samples in 16 streams');
    const { stdout } = await store.cli(['streams', 'metric=load', '--json']);
    expect(JSON.parse(stdout)).toMatchObject([
      { downsampledUntil: { '10seconds': '2026-01-01T12:00:10Z' } },
    ]);
  });

  test('on a terminal the view is redrawn in place', async () => {
    // Maintenance runs beside the samples: only that of a run before is sure to be done.
    const earlier = fakeHost(START_MS, (second) => sampleOf(second));
    await collect(earlier, '--duration', '14s');
    const host = fakeHost(START_MS + 14_000, (second) => sampleOf(second));
    const result = await store.cli(['collect', '--duration', '3s'], {
      ...host,
      isTerminal: { stdin: true, stdout: true, stderr: true },
      columnCount: 100,
      rowCount: 30,
    });
    expect(result.exitCode).toBe(0);
    expect(result.stdout.startsWith('\u001b[?25l')).toBe(true);
    const frames = result.stdout.split('\u001b[J');
    expect(frames).toHaveLength(4);
    expect(frames.at(-1)).toMatch(/eth0 rx +1.00 kB\/s +▁{16} +1.00 kB\/s/);
    expect(frames.at(-1)).toContain('\u001b[?25h');
  });

  test('this host can be sampled', async () => {
    const sample = await new HostSampler().sample();
    expect(Number.isInteger(sample.uptimeSeconds)).toBe(true);
    expect(sample.memoryUsedBytes).toBeGreaterThan(0);
    expect(sample.load).toBeGreaterThanOrEqual(0);
    for (const { name, rxBytes, txBytes } of sample.interfaces ?? []) {
      expect(name).not.toBe('');
      expect(rxBytes).toBeGreaterThanOrEqual(0);
      expect(txBytes).toBeGreaterThanOrEqual(0);
    }
    expect(sample.failures).toEqual([]);
  });
});

describe('the view', () => {
  const row = {
    title: 'eth0 rx',
    unit: 'B/s',
    value: 1200,
    recent: [0, 600, 1200],
    summary: { mean: 600, min: 0, max: 1200 },
  };

  test('has a line per stream within the size of the terminal', () => {
    const options = { headline: 'now', problems: ['disk full'], columnCount: 80, rowCount: 24 };
    expect(viewLines([row, { ...row, title: 'load', unit: '', summary: null }], options)).toEqual([
      'now',
      '                  now      last minute          mean           min           max',
      'eth0 rx     1.20 kB/s              ▁▅█       600 B/s      0.00 B/s     1.20 kB/s',
      'load             1200              ▁▅█             –             –             –',
      '! disk full',
    ]);
    const small = viewLines([row, row, row], { ...options, columnCount: 30, rowCount: 3 });
    expect(small).toHaveLength(3);
    expect(Math.max(...small.map((line) => [...line].length))).toBeLessThanOrEqual(30);
  });

  test('a small terminal keeps every value, and titles that can be told apart', () => {
    const rows = [
      row,
      { ...row, title: 'br-1234567890ab rx' },
      { ...row, title: 'memory free', unit: 'B', value: 1023 * 1024 ** 2 },
      { ...row, title: 'uptime', unit: 's', value: 120 * 86_400 + 3600, summary: null },
    ];
    const headline = headlineText(new Date(START_MS), {
      storeUrl: 'embedded:/a/very/long/path/to/a/store',
      columnCount: 60,
    });
    const options = { headline, problems: [], columnCount: 60, rowCount: 14 };
    expect(viewLines(rows, options)).toEqual([
      '2026-01-01T12:00:00Z  (Ctrl-C ends)  embedded:/a…/to/a/store',
      '                        now       mean        min        max',
      'eth0 rx           1.20 kB/s    600 B/s   0.00 B/s  1.20 kB/s',
      'br-12345…90ab rx  1.20 kB/s    600 B/s   0.00 B/s  1.20 kB/s',
      'memory free        1023 MiB      600 B     0.00 B   1.17 KiB',
      'uptime                 120d          –          –          –',
    ]);
  });

  test('goes up by the lines that it drew before', () => {
    expect(redrawText(['a'], 0)).toBe('\r\u001b[Ja\n');
    expect(redrawText(['a', 'b'], 3)).toBe('\u001b[3A\r\u001b[Ja\nb\n');
  });

  test('a plain line has the time and the values', () => {
    expect(plainLine([row], new Date(START_MS))).toBe('2026-01-01T12:00:00Z  eth0 rx 1.20 kB/s');
  });
});
