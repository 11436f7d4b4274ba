import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import { openBackend } from '../../src/backends/open-backend.ts';
import { Granularity } from '../../src/model/granularity.ts';
import { exactJson } from '../../src/text/exact-json.ts';
import { type TemporaryStore, temporaryStore } from './harness.ts';

const START_MS = Date.UTC(2026, 0, 1, 12);
const LATER = new Date(START_MS + 7 * 86_400_000);
const DEFINITION = { highestGranularity: 'seconds', valueDownsamplers: ['mean', 'std_dev'] };

const warningCodes = new Set<string>();

let source: TemporaryStore;
let target: TemporaryStore;

beforeEach(async () => {
  source = await temporaryStore();
  target = await temporaryStore();
});

afterEach(async () => {
  await source.remove();
  await target.remove();
});

async function use<Result>(
  store: TemporaryStore,
  work: (datastream: Datastream) => Promise<Result>,
): Promise<Result> {
  const datastream = new Datastream(await openBackend(store.url), {
    now: () => LATER,
    // Equal timestamps have no derivative; nothing else is to be warned of.
    onWarning: (warning) => warningCodes.add(warning.code),
  });
  try {
    return await work(datastream);
  } finally {
    await datastream.close();
  }
}

/** Every kind of stream and value, tags that contain each other, and derivations of derivations. */
async function fill(datastream: Datastream): Promise<void> {
  const append = async (id: string, values: readonly unknown[]): Promise<void> => {
    const items = values.map((value, i) => ({
      streamId: id,
      value,
      timestamp: START_MS + Math.floor(i / 2) * 7000,
    }));
    await datastream.appendMultiple(items);
  };
  const a = await datastream.ensureStream(
    { m: 'a', x: 1 },
    { ...DEFINITION, tags: { deep: { y: [null] } } },
  );
  await append(a, [1.1, -0, 0, 5e-324, 1.7976931348623157e308, null, 0.1 + 0.2, -1e21, 2 ** 53]);
  const exact = await datastream.ensureStream(
    { m: 'exact' },
    { ...DEFINITION, valueTypeOptions: { highAccuracy: true } },
  );
  await append(exact, [
    '0.1',
    2n ** 200n,
    '-0.000000000000000000000000000000000001',
    7,
    null,
    { m: '0.1', s: '0.3', q: '0.03', d: 0, c: 3 },
  ]);
  const group = await datastream.ensureStream(
    { m: 'group' },
    { ...DEFINITION, valueDownsamplers: ['mean', 'min'] },
  );
  await append(group, [{ m: 2, l: -0, s: 6, c: 3 }, 4, null]);
  const nominal = await datastream.ensureStream(
    { m: 'nominal' },
    { ...DEFINITION, valueType: 'nominal', valueDownsamplers: ['count', 'frequencies'] },
  );
  await append(nominal, ['up', '42', 42, null, { a: [1, 'ä,"\n'] }, '', 'null', true, [], '#x']);
  const graph = await datastream.ensureStream(
    { m: 'graph' },
    { ...DEFINITION, valueType: 'graph', valueDownsamplers: ['count'] },
  );
  await append(graph, [{ v: [{ i: 'p' }, { i: 'q' }], e: [{ f: 'p', t: 'q' }] }, null]);
  const rate = await datastream.ensureStream(
    { m: 'rate' },
    { ...DEFINITION, deriveOp: 'derivative', deriveFrom: a },
  );
  await datastream.ensureStream(
    { m: 'sum' },
    { ...DEFINITION, deriveOp: 'sum', deriveFrom: [{ stream: rate }, { stream: a }] },
  );
  await datastream.ensureStream({ m: 'a', x: 1, z: 2 }, DEFINITION);
  await datastream.ensureStream({ m: 'twin' }, { ...DEFINITION, tags: { k: 1 } });
  const plain = await datastream.ensureStream({ other: true }, DEFINITION);
  await datastream.clearTags(plain);
  await datastream.updateTags(plain, { m: 'twin' });
  await datastream.ensureStream({ m: 'days' }, { ...DEFINITION, highestGranularity: 'days' });
}

/** Everything that a store holds, as text, with ids replaced by their position. */
async function contents(store: TemporaryStore): Promise<string[]> {
  return use(store, async (datastream) => {
    const lines: string[] = [];
    const ids: string[] = [];
    for await (const stream of datastream.findStreams()) {
      ids.push(stream.id);
      // In what steps a stream came to be what it is, is no part of it.
      const { version: _version, ...described } = stream;
      lines.push(exactJson(described));
      for (const granularity of Granularity.values) {
        const range = { start: START_MS - 86_400_000 };
        for await (const datapoint of datastream.getData(stream.id, granularity, range)) {
          lines.push(`${granularity.name} ${exactJson(datapoint)}`);
        }
      }
    }
    const position = (text: string, id: string): string =>
      text.replaceAll(id, `#${ids.indexOf(id)}`);
    return lines.map((line) => ids.reduce(position, line));
  });
}

async function maintain(store: TemporaryStore): Promise<void> {
  await use(store, async (datastream) => {
    await datastream.backprocessStreams();
    await datastream.downsampleStreams();
  });
}

describe('export and import', () => {
  test.each(['ndjson', 'csv'])('a round trip by %s restores everything', async (format) => {
    await use(source, fill);
    await maintain(source);
    const exported = await source.cli(['export', '--format', format]);
    expect(exported).toMatchObject({ exitCode: 0, stderr: '' });
    const imported = await target.cli(['import'], { stdin: exported.stdout });
    expect(imported).toMatchObject({ exitCode: 0, stderr: '' });
    expect(imported.stdout).toMatch(/^11 streams and 30 datapoints imported\n$/);
    await maintain(target);
    const restored = await contents(target);
    for (const part of ['seconds {', '10seconds {', '"m":"graph"', '"op":"sum"']) {
      expect(restored.filter((line) => line.includes(part))).not.toEqual([]);
    }
    expect(restored).toEqual(await contents(source));
    expect(restored.join('\n')).toContain('"v":-0');
    expect([...warningCodes]).toEqual(['INVALID_VALUE_WARNING']);
  });

  test('a file appears once it is complete, and is read back', async () => {
    await use(source, fill);
    const path = join(source.folder, 'export.ndjson');
    const exported = await source.cli(['export', '--output', path, 'm=nominal']);
    expect(exported).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect((await readdir(source.folder)).sort()).toEqual(['export.ndjson', 'store']);
    expect((await readFile(path, 'utf8')).split('\n')[0]).toBe(
      '{"export":"datastream","version":1}',
    );
    expect((await target.cli(['import', path])).stdout).toBe(
      '1 stream and 10 datapoints imported\n',
    );
  });

  test('a failed export leaves no file', async () => {
    await use(source, fill);
    const path = join(source.folder, 'export.ndjson');
    const id = '0b8f1c9e-7d34-4c7b-9f0e-2f6b5a1c3d4e';
    expect((await source.cli(['export', '--output', path, id])).exitCode).toBe(10);
    expect(await readdir(source.folder)).toEqual(['store']);
  });

  test('a process that ends during an export can remove the file at once', async () => {
    await use(source, fill);
    const path = join(source.folder, 'export.ndjson');
    const exits: boolean[] = [];
    const onExit = (work: () => void): (() => void) => {
      exits.push(existsSync(`${path}.part`));
      work();
      exits.push(existsSync(`${path}.part`));
      return () => exits.push(true);
    };
    const result = await source.cli(['export', '--output', path], { onExit });
    expect(exits).toEqual([true, false, true]);
    expect(result.exitCode).toBe(6);
  });

  test('importing twice gives every stream twice', async () => {
    await use(source, fill);
    const { stdout: stdin } = await source.cli(['export']);
    await target.cli(['import'], { stdin });
    expect((await target.cli(['import'], { stdin })).exitCode).toBe(0);
    const listed = await target.cli(['streams', '--ndjson']);
    expect(listed.stdout.trimEnd().split('\n')).toHaveLength(22);
    expect(listed.stdout).not.toContain('datastream_import');
  });

  test('a derived stream without its source is a warning, then a bad line', async () => {
    await use(source, fill);
    const exported = await source.cli(['export', 'm=rate']);
    expect(exported.stderr).toMatch(
      /^datastream: warning: .+ is derived from .+, which is left out/,
    );
    const imported = await target.cli(['import'], { stdin: exported.stdout });
    expect(imported.exitCode).toBe(3);
    expect(imported.stderr).toMatch(/line 2: its source .+ is not in the lines before/);
  });
});

const HEADER = '{"export":"datastream","version":1}\n';
const STREAM = `{"stream":${JSON.stringify({
  id: 'one',
  tags: { m: 'a' },
  valueType: 'numeric',
  valueTypeOptions: {},
  valueDownsamplers: ['mean'],
  highestGranularity: 'seconds',
  derivedFrom: null,
})}}\n`;

describe('a malformed export', () => {
  test.each([
    ['nothing at all', '', /the input is empty/],
    ['another first line', '{"t":1,"v":1}\n', /line 1: not the first line/],
    [
      'a newer version',
      '{"export":"datastream","version":2}\n',
      /line 1: the export has version 2, .*newer/,
    ],
    ['a datapoint without a stream', `${HEADER}{"t":1,"v":1}\n`, /line 2: a datapoint before/],
    [
      'an incomplete stream',
      `${HEADER}{"stream":{"id":"one"}}\n`,
      /line 2: the stream is incomplete/,
    ],
    ['half a stream', `${HEADER}{"stream":{"id"\n`, /line 2: not JSON/],
    ['a stream twice', `${HEADER}${STREAM}${STREAM}`, /line 3: stream one is defined twice/],
    ['an unknown type', HEADER + STREAM.replace('numeric', 'magic'), /line 2: /],
    ['an unknown downsampler', HEADER + STREAM.replace('mean', 'average'), /line 2: /],
    [
      'a bad datapoint',
      `${HEADER}${STREAM}{"t":1,"v":1}\n{"t":2,"v":"x"}\n`,
      /line 4: .+; 1 stream and 1 datapoint imported/,
    ],
    ['an older datapoint', `${HEADER}${STREAM}{"t":2,"v":1}\n{"t":1,"v":1}\n`, /line 4: /],
  ])('%s ends the import with the line and the reason', async (_name, stdin, message) => {
    const result = await target.cli(['import'], { stdin });
    expect(result).toMatchObject({ exitCode: 3, stdout: '' });
    expect(result.stderr).toMatch(/^datastream: [^\n]+\n$/);
    expect(result.stderr).toMatch(message);
  });

  test('leaves no stream of the lines that were not reached', async () => {
    const two = STREAM.replaceAll('one', 'two').replace('"a"', '"b"');
    const stdin = `${HEADER}${STREAM}{"t":1,"v":1}\nnonsense\n${two}{"t":1,"v":1}\n`;
    const result = await target.cli(['import'], { stdin });
    expect(result.stderr).toMatch(/line 4: .+; 1 stream and 1 datapoint imported before it\n$/);
    const listed = await target.cli(['streams', '--ndjson']);
    expect(listed.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(listed.stdout).toContain('"m":"a"');
  });

  test('lines of every form make one stream, and are counted right', async () => {
    const lines = [
      '{"t":"2026-01-01T00:00:00Z","v":1.5}',
      '{"t":1767225601,"v":-0}\r',
      '',
      '{ "t": "2026-01-01T00:00:02.25Z", "v": 1e3 }',
      '{"t":"2026-01-01T00:00:03Z","v":null}',
      '{"t":1767225604000,"v":0.1234567890123456}',
      '{"v":5,"t":"2026-01-01 00:00:05"}',
      '{"t":"2026-01-01T00:00:04Z","v":6}',
      '{"t":"2026-01-01T00:00:06Z","v":7}',
    ];
    // A byte order mark, and a last line without an end.
    const stdin = `\ufeff${HEADER}${STREAM}${lines.join('\n')}`;
    const result = await target.cli(['import', '--skip-errors'], { stdin });
    expect(result).toMatchObject({ exitCode: 4, stdout: '1 stream and 7 datapoints imported\n' });
    expect(result.stderr).toMatch(/^datastream: line 10: .+\(skipped\)\n/);
    const values = await use(target, async (datastream) => {
      const { id } = (await datastream.findStreams().at(0))!;
      const data = datastream.getData(id, 'seconds', { start: Date.UTC(2026, 0, 1) });
      return (await data.toArray()).map(({ t, v }) => [t.getTime() / 1000 - 1_767_225_600, v]);
    });
    expect(values).toEqual([
      [0, 1.5],
      [1, -0],
      [2, 1000],
      [3, null],
      [4, 0.1234567890123456],
      [5, 5],
      [6, 7],
    ]);
  });

  test('Ctrl-C says how much was imported', async () => {
    const abort = new AbortController();
    const lines = Array.from({ length: 10_500 }, (_, i) => `{"t":${i},"v":1}\n`).join('');
    const stdin = Readable.from(
      (async function* () {
        yield HEADER + STREAM + lines;
        abort.abort();
        yield 'never read';
      })(),
    );
    const result = await target.cli(['import'], { stdin, signal: abort.signal });
    expect(result).toMatchObject({
      exitCode: 130,
      stderr: 'datastream: interrupted; 1 stream and 10000 datapoints imported before it\n',
    });
  });

  test('bad lines can be skipped, with the datapoints of a bad stream', async () => {
    const bad = STREAM.replace('mean', 'average').replace('one', 'two');
    const stdin = `${HEADER}${bad}{"t":1,"v":1}\n${STREAM}{"t":1,"v":1}\nnonsense\n{"t":2,"v":2}\n`;
    const result = await target.cli(['import', '--skip-errors'], { stdin });
    expect(result).toMatchObject({ exitCode: 4, stdout: '1 stream and 2 datapoints imported\n' });
    expect(result.stderr).toMatch(/line 2: .+\(skipped\)\n.*line 6: .+\(skipped\)\n.*3 bad lines/);
  });
});
