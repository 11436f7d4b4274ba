import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import { openBackend } from '../../src/backends/open-backend.ts';
import { Granularity } from '../../src/model/granularity.ts';
import type { Tags } from '../../src/model/tags.ts';
import { NOW, runCli } from '../cli/harness.ts';
import { type BackendName, describeWith } from '../servers/available.ts';

/** Quotes of every kind, an end of a statement, a newline, and what separates InfluxDB's tags and fields. */
const TAGS: Tags = { name: 'x\'; DROP TABLE streams; --\n",a=1 ' };

/** Texts that mean something somewhere: as values of tags, as their keys, and as nominal values. */
const TEXTS: readonly string[] = [
  TAGS['name'] as string,
  "'",
  '"',
  '`',
  '\\',
  'ends with a backslash\\',
  '\\"',
  "\\'; SELECT 1; --",
  '\\u0000',
  '\u0000',
  '\n',
  '\r\n\t',
  ' ',
  '',
  '=',
  ',',
  '$where',
  '$gt',
  'a.b',
  '.',
  '%',
  '$1',
  '/* */',
  '[1]',
  '{"a": 1}',
  'true',
  'null',
  '1',
  'é ß 漢字 😀',
  'x'.repeat(5000),
];
/** Not refused as reserved, and not the same by another spelling. */
const KEYS = TEXTS.filter((text) => text !== '');

interface OpenStore {
  readonly url: string;
  remove(): Promise<void>;
}

async function embedded(): Promise<OpenStore> {
  const folder = await mkdtemp(join(tmpdir(), 'datastream-hostile-'));
  return {
    url: `embedded:${join(folder, 'store')}`,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

const START_MS = NOW.getTime() - 86_400_000;
const RANGE = { start: START_MS };

/** Opens the store for the work, and removes it. */
async function withDatastream(
  { url, remove }: OpenStore,
  work: (datastream: Datastream) => Promise<void>,
): Promise<void> {
  try {
    const datastream = new Datastream(await openBackend(url));
    await work(datastream).finally(() => datastream.close());
  } finally {
    await remove();
  }
}

async function throughTheApi(datastream: Datastream): Promise<void> {
  const definition = { valueDownsamplers: ['mean'], highestGranularity: 'seconds' };
  const other = await datastream.ensureStream({ name: 'other' }, definition);
  const id = await datastream.ensureStream(TAGS, { ...definition, tags: { unit: 'B' } });
  expect(await datastream.ensureStream(TAGS, { ...definition, tags: { unit: 'B' } })).toBe(id);
  expect(await datastream.getTags(id)).toEqual({ ...TAGS, unit: 'B' });
  const found = await datastream.findStreams(TAGS).toArray();
  expect(found.map((stream) => stream.id)).toEqual([id]);
  for (let i = 0; i < 21; i++) await datastream.append(id, i, START_MS + i * 1000);
  await datastream.append(other, 1, START_MS);
  await datastream.downsampleStreams({ queryTags: TAGS });
  const raw = await datastream.getData(id, Granularity.Seconds, RANGE).toArray();
  expect(raw.map(({ v }) => v)).toEqual(Array.from({ length: 21 }, (_, i) => i));
  const end = { end: START_MS + 10_000 };
  const buckets = await datastream
    .getData(id, Granularity.Seconds10, { ...RANGE, ...end })
    .toArray();
  expect(buckets.map(({ v }) => v.m)).toEqual([4.5, 14.5]);
  expect(await datastream.verify()).toMatchObject({ differenceCount: 0, staleRangeCount: 0 });
  await datastream.updateTags(id, { more: TAGS });
  expect(await datastream.findStreams({ more: TAGS }).count()).toBe(1);
  await datastream.removeTag(id, { more: { name: '' } });
  expect(await datastream.findStreams({ more: TAGS }).count()).toBe(0);
  await datastream.deleteStreams(TAGS);
  const left = await datastream.findStreams().toArray();
  expect(left.map((stream) => stream.id)).toEqual([other]);
  expect(await datastream.getData(other, Granularity.Seconds, RANGE).count()).toBe(1);
}

async function throughTheCommandLine({ url, remove }: OpenStore): Promise<void> {
  const cli = async (argv: readonly string[], stdin = ''): Promise<string> => {
    const result = await runCli(['--store', url, ...argv], { stdin });
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    return result.stdout;
  };
  const query = JSON.stringify(TAGS);
  const ensure = ['--downsamplers', 'mean', '--granularity', 'seconds'];
  try {
    await cli(['ensure', '--query', 'name=other', ...ensure]);
    const id = (await cli(['ensure', '--query', query, '--tag', 'unit=B', ...ensure])).trim();
    expect((await cli(['ensure', '--query', query, '--tag', 'unit=B', ...ensure])).trim()).toBe(id);
    const seconds = Array.from({ length: 21 }, (_, i) => `${START_MS / 1000 + i},${i}\n`);
    expect(await cli(['append', id], seconds.join(''))).toBe('21 datapoints appended\n');
    await cli(['downsample', query]);
    expect(await cli(['streams', query])).toContain(id);
    const get = ['get', id, '10seconds', '--start', `${START_MS / 1000}`, '--format', 'csv'];
    expect(await cli(get)).toContain('4.5');
    const exported = await cli(['export', query]);
    expect(exported).toContain(JSON.stringify(TAGS['name']));
    expect(await cli(['delete', '--yes', query])).toBe('1 stream deleted\n');
    expect(await cli(['streams', query])).not.toContain(id);
    await cli(['import'], exported);
    expect(await cli(['export', query])).toContain(JSON.stringify(TAGS['name']));
    await cli(['verify']);
    expect(await cli(['delete', '--yes'])).toBe('2 streams deleted\n');
  } finally {
    await remove();
  }
}

async function textsAsTags(datastream: Datastream): Promise<void> {
  const definition = { valueDownsamplers: ['mean'], highestGranularity: 'seconds' };
  const queries: Tags[] = [
    ...TEXTS.map((text): Tags => ({ as: 'value', text })),
    ...KEYS.map((text): Tags => ({ as: 'key', [text]: text })),
    ...KEYS.map((text): Tags => ({ as: 'nested', in: { [text]: { [text]: [text] } } })),
  ];
  const ids: string[] = [];
  for (const query of queries) ids.push(await datastream.ensureStream(query, definition));
  expect(new Set(ids).size).toBe(queries.length);
  for (const [index, query] of queries.entries()) {
    const found = await datastream.findStreams(query).toArray();
    expect(found.map(({ id, tags }) => ({ id, tags }))).toEqual([{ id: ids[index], tags: query }]);
  }
}

async function textsAsValues(datastream: Datastream): Promise<void> {
  const id = await datastream.ensureStream(
    { name: 'texts' },
    { valueType: 'nominal', valueDownsamplers: ['count'], highestGranularity: 'seconds' },
  );
  const values: unknown[] = [...TEXTS, ...TEXTS.map((text) => ({ [text]: [text] })), ...TEXTS];
  const [first, ...rest] = values.map((value, i) => ({
    streamId: id,
    value,
    timestamp: START_MS + i * 1000,
  }));
  await datastream.append(first!.streamId, first!.value, first!.timestamp);
  await datastream.appendMultiple(rest);
  const stored = await datastream.getData(id, Granularity.Seconds, RANGE).toArray();
  expect(stored.map(({ v }) => v)).toEqual(values);
}

function hostileTests(create: () => Promise<OpenStore>): void {
  test('are created, found, written, downsampled and deleted through the API', async () =>
    withDatastream(await create(), throughTheApi));

  test('are created, found, written, exported and deleted by the command line', async () =>
    throughTheCommandLine(await create()));

  test('may have any text as a value and as a key', async () =>
    withDatastream(await create(), textsAsTags));

  test('may have any text as a datapoint', async () =>
    withDatastream(await create(), textsAsValues));
}

describe('streams with hostile tags', () => {
  describe('embedded', () => hostileTests(embedded));
  for (const backend of ['postgresql', 'mongodb', 'influxdb'] satisfies BackendName[]) {
    describeWith(backend, ({ createStore }) => {
      hostileTests(async () => {
        const { url, drop } = await createStore();
        return { url, remove: drop };
      });
    });
  }

  test('work on a memory store through the API', async () =>
    withDatastream({ url: 'memory:', remove: async () => {} }, throughTheApi));
});
