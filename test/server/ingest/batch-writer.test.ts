import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Datastream } from '../../../src/api/datastream.ts';
import type { IngestBatch } from '../../../src/server/ingest/ingest-batch.ts';
import { JsonParser } from '../../../src/server/ingest/json-parsers.ts';
import type { BodyParser } from '../../../src/server/ingest/line-feed.ts';
import {
  LineProtocolParser,
  newLineMemory,
  TIME_UNITS,
} from '../../../src/server/ingest/line-protocol.ts';
import { SeriesMemory } from '../../../src/server/ingest/series-memory.ts';
import { open as openMeddled } from '../../engine/support.ts';
import { NOW_MS, open, RECORD_SIZE_MAX_BYTES } from './support.ts';

const COMMON = {
  nowMs: NOW_MS,
  booleans: 'nominal',
  epoch: 'milliseconds',
  recordSizeMaxBytes: RECORD_SIZE_MAX_BYTES,
} as const;

function json(batch: IngestBatch): BodyParser {
  return new JsonParser(batch, { ...COMMON, memory: new SeriesMemory() });
}

function lines(batch: IngestBatch): BodyParser {
  return new LineProtocolParser(batch, {
    ...COMMON,
    unit: TIME_UNITS['ms']!,
    memory: newLineMemory(),
  });
}

/** A body of rows of the stream with these tags. */
function rowsOf(tags: object, ...rows: readonly (readonly [number, unknown])[]): string {
  return JSON.stringify(rows.map(([t, v]) => ({ tags, t, v })));
}

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingest-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe.each([
  ['memory', () => 'memory:'],
  ['embedded', () => `embedded:${join(folder, String(Math.random()))}`],
])('the writer on a %s store', (_name, url) => {
  test('makes streams by their tags, and finds them again', async () => {
    const { datastream, write, data } = await open(url());
    expect(await write(json, rowsOf({ a: 1 }, [1000, 5], [2000, null]))).toEqual({
      accepted: 2,
      duplicate: 0,
      dropped: 0,
      last: 2000,
      problems: [],
    });
    await write(json, rowsOf({ a: 1 }, [3000, 7]));
    expect(await data({})).toEqual([
      [1000, 5],
      [2000, null],
      [3000, 7],
    ]);
    const [stream] = await datastream.findStreams().toArray();
    expect(stream).toMatchObject({ tags: { a: 1 }, valueType: 'numeric' });
    await datastream.close();
  });

  test('knows series of a protocol by all of their tags, also when their streams get others', async () => {
    const { datastream, writer, write, data } = await open(url());
    await write(lines, 'm f=1 1\nm,a=1 f=2 1\nm,a=1,b=2 f=3 1');
    const [first] = await datastream.findStreams({ series: 'm f' }).toArray();
    await datastream.updateTags(first!.id, { title: 'First' });
    writer.forget();
    await write(lines, 'm f=4 2\nm,a=1 f=5 2');
    expect(await data({ series: 'm f' })).toEqual([
      [1, 1],
      [2, 4],
    ]);
    expect(await data({ series: 'm,a=1 f' })).toEqual([
      [1, 2],
      [2, 5],
    ]);
    expect(await datastream.getTags(first!.id)).toEqual({
      series: 'm f',
      measurement: 'm',
      field: 'f',
      title: 'First',
    });
    expect(await datastream.findStreams().count()).toBe(3);
    await datastream.close();
  });

  test('stores a repeated request once, and late rows where they belong', async () => {
    const { datastream, write, data } = await open(url());
    const body = 'm f=1,g="x" 1000\nm f=2 2000\nm f=2 2000\nm f=3 2000\n';
    expect(await write(lines, body)).toMatchObject({ accepted: 4, duplicate: 1, last: 2000 });
    expect(await write(lines, body)).toMatchObject({ accepted: 0, duplicate: 5, last: 2000 });
    expect(await write(lines, 'm f=9 1500\nm f=1 1000\nm f=2 500')).toMatchObject({
      accepted: 2,
      duplicate: 1,
    });
    expect(await data({ field: 'f' })).toEqual([
      [500, 2],
      [1000, 1],
      [1500, 9],
      [2000, 2],
      [2000, 3],
    ]);
    expect(await data({ field: 'g' })).toEqual([[1000, 'x']]);
    await datastream.close();
  });

  test('replaces values where that is asked for', async () => {
    const { datastream, write, data } = await open(url());
    const options = { duplicates: 'replace' } as const;
    await write(lines, 'm f=1 1000\nm f=2 2000\nm f=3 3000', options);
    const outcome = await write(
      lines,
      'm f=5 2000\nm f=6 2000\nm f=1 1000\nm f=7 4000\nm f=8 4000',
      options,
    );
    expect(outcome).toMatchObject({ accepted: 4, duplicate: 1, dropped: 0, last: 4000 });
    expect(await data({})).toEqual([
      [1000, 1],
      [2000, 6],
      [3000, 3],
      [4000, 8],
    ]);
    await datastream.close();
  });

  test('keeps everything where that is asked for', async () => {
    const { datastream, write, data } = await open(url());
    for (let round = 0; round < 2; round++) {
      expect(await write(lines, 'm f=2 2000\nm f=1 1000', { duplicates: 'keep' })).toMatchObject({
        accepted: 2,
        duplicate: 0,
      });
    }
    expect(await data({})).toEqual([
      [1000, 1],
      [1000, 1],
      [2000, 2],
      [2000, 2],
    ]);
    await datastream.close();
  });

  test('drops bad rows alone', async () => {
    const { datastream, write, data } = await open(url());
    await write(json, rowsOf({ a: 1 }, [1000, 5]));
    const body = JSON.stringify([
      {
        tags: { a: 1 },
        timestamps: [2000, 3000, 4000, 5000, 'x'],
        values: [1, 'text', 2, { q: 1 }, 4],
      },
      { stream: 'nobody', t: 1, v: 1 },
      { tags: { b: 1 }, t: 1, v: 1 },
    ]);
    const outcome = await write(json, body);
    expect(outcome).toMatchObject({ accepted: 3, dropped: 4, last: 4000 });
    expect(
      [...outcome.problems].sort((a, b) => a.line! - b.line!).map(({ line, code }) => [line, code]),
    ).toEqual([
      [2, 'INVALID_VALUE'],
      [4, 'INVALID_VALUE'],
      [5, 'LINE_INVALID'],
      [6, 'STREAM_NOT_FOUND'],
    ]);
    expect(await data({ a: 1 })).toEqual([
      [1000, 5],
      [2000, 1],
      [4000, 2],
    ]);
    expect(await data({ b: 1 })).toEqual([[1, 1]]);
    await datastream.close();
  });

  test('refuses tags of several streams, and derived streams', async () => {
    const { datastream, write } = await open(url());
    await write(json, '[{"tags":{"a":1,"b":1},"v":1},{"tags":{"a":1,"b":2},"v":1}]');
    const [source] = await datastream.findStreams().toArray();
    const derived = await datastream.ensureStream(
      { d: 1 },
      {
        valueDownsamplers: [],
        highestGranularity: source!.highestGranularity,
        deriveFrom: source!.id,
        deriveOp: 'derivative',
      },
    );
    const outcome = await write(
      json,
      JSON.stringify([
        { tags: { a: 1 }, v: 1 },
        { stream: derived, v: 1 },
        { tags: { a: 1, b: 2 }, t: NOW_MS + 1, v: 1 },
      ]),
    );
    expect(outcome).toMatchObject({ accepted: 1, dropped: 2 });
    expect(outcome.problems.map(({ line, code }) => [line, code])).toEqual([
      [1, 'MULTIPLE_STREAMS_RETURNED'],
      [2, 'APPEND_TO_DERIVED_STREAM_NOT_ALLOWED'],
    ]);
    await datastream.close();
  });

  test('stores nothing of a strict request with a problem', async () => {
    const { datastream, write, data } = await open(url());
    const strict = { isStrict: true };
    expect(await write(lines, 'm f=1 1000\nbad\nm f=2 2000', strict)).toMatchObject({
      accepted: 0,
      dropped: 3,
      problems: [{ line: 2 }],
    });
    expect(await datastream.findStreams().count()).toBe(0);
    expect(await write(lines, 'm f=1 1000\nn f=2 2000', strict)).toMatchObject({
      accepted: 2,
      dropped: 0,
      last: 2000,
    });
    expect(await write(lines, 'm f=2 3000\nn f="x" 4000', strict)).toMatchObject({
      accepted: 0,
      dropped: 2,
      problems: [{ line: 2, code: 'INVALID_VALUE' }],
    });
    expect(
      await write(json, '[{"tags":{"o":1},"timestamps":[1,2],"values":[1,"x"]}]', strict),
    ).toMatchObject({ accepted: 0, dropped: 2 });
    expect(await data({ series: 'm f' })).toEqual([[1000, 1]]);
    expect(await write(lines, 'm f=1 1000\nm f=0 500', strict)).toMatchObject({
      accepted: 1,
      duplicate: 1,
    });
    expect(
      await write(lines, 'm f=3 1000\nm f=4 5000', { ...strict, duplicates: 'replace' }),
    ).toMatchObject({ accepted: 2 });
    expect(await data({ series: 'm f' })).toEqual([
      [500, 0],
      [1000, 3],
      [5000, 4],
    ]);
    expect(await datastream.findStreams().count()).toBe(2);
    await datastream.close();
  });

  test('asks whether streams may be written and made', async () => {
    const { datastream, write } = await open(url());
    await write(json, '[{"tags":{"a":1},"t":1,"v":1},{"tags":{"a":2},"t":1,"v":1}]');
    const body =
      '[{"tags":{"a":1},"t":2,"v":1},{"tags":{"a":2},"t":2,"v":1},{"tags":{"a":3},"t":2,"v":1},{"tags":{"a":4},"t":2,"v":1}]';
    const outcome = await write(json, body, {
      mayAppend: ({ tags }) => tags['a'] === 1,
      mayCreate: (tags) => tags['a'] === 3,
    });
    expect(outcome).toMatchObject({ accepted: 2, dropped: 2 });
    expect(outcome.problems.map(({ line, code }) => [line, code])).toEqual([
      [2, 'NOT_PERMITTED'],
      [4, 'NOT_PERMITTED'],
    ]);
    expect(await datastream.findStreams().count()).toBe(3);
    await datastream.close();
  });

  test('finds a stream anew that was deleted', async () => {
    const { datastream, write, data } = await open(url());
    for (const duplicates of ['skip', 'keep', 'replace'] as const) {
      await write(lines, 'm f=1 1000\nn f=1 1000', { duplicates });
      await datastream.deleteStreams({ series: 'm f' });
      expect(await write(lines, 'm f=2 2000\nn f=2 2000', { duplicates })).toMatchObject({
        accepted: 2,
        dropped: 0,
      });
      expect(await data({ series: 'm f' })).toEqual([[2000, 2]]);
      await datastream.deleteStreams();
    }
    const [first] = await datastream.findStreams().toArray();
    expect(first).toBeUndefined();
    await datastream.close();
  });

  test('is right when many write the same streams at once', async () => {
    const { datastream, write, data } = await open(url());
    const bodies = Array.from({ length: 20 }, (_, round) =>
      Array.from(
        { length: 50 },
        (_row, row) => `m,h=${row % 5} f=${row} ${(round % 4) * 7 + row}`,
      ).join('\n'),
    );
    const outcomes = await Promise.all(bodies.map((body) => write(lines, body)));
    const unique = new Set(bodies.flatMap((body) => body.split('\n')));
    expect(outcomes.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(unique.size);
    expect(outcomes.reduce((sum, { duplicate }) => sum + duplicate, 0)).toBe(1000 - unique.size);
    expect(await datastream.findStreams().count()).toBe(5);
    const stored = await Promise.all([0, 1, 2, 3, 4].map((host) => data({ h: String(host) })));
    expect(stored.flat()).toHaveLength(unique.size);
    await datastream.close();
  });

  test('stores rows of many streams at the same instants, whatever is special about some', async () => {
    const { datastream, write, data } = await open(url());
    const start = [
      { tags: { n: 0 }, t: 10_000, v: 100 },
      { tags: { n: 1 }, t: 0, v: 'text' },
    ];
    await write(json, JSON.stringify(start));
    const exact = { valueDownsamplers: [], valueTypeOptions: { highAccuracy: true } };
    await datastream.ensureStream({ n: 2 }, { ...exact, highestGranularity: 'seconds' });
    const expiring = await datastream.ensureStream(
      { n: 3 },
      { valueDownsamplers: [], highestGranularity: 'seconds', retention: { raw: '1h' } },
    );
    await datastream.append(expiring, 1, 5000);
    await datastream.append(expiring, 1, NOW_MS);
    await datastream.downsampleStreams();
    const instants = [1000, 2000, 3000];
    const entries = Array.from({ length: 12 }, (_, n) => ({
      tags: { n },
      timestamps: n === 4 ? [1000, 2500, 3000] : instants,
      values: instants.map((ms) => n + ms),
    }));
    const body = JSON.stringify(entries);
    const outcome = await write(json, body);
    // What is older than what is kept is dropped: all of the fourth stream.
    expect(outcome).toMatchObject({ accepted: 33, duplicate: 0, dropped: 3 });
    expect(outcome.problems.map(({ line, code }) => [line, code])).toEqual(
      [10, 11, 12].map((line) => [line, 'INVALID_TIMESTAMP']),
    );
    for (const n of [4, 5, 11]) {
      const { timestamps, values } = entries[n]!;
      expect(await data({ n })).toEqual(timestamps.map((ms, row) => [ms, values[row]]));
    }
    expect((await data({ n: 0 })).map(([ms]) => ms)).toEqual([...instants, 10_000]);
    expect((await data({ n: 1 })).map(([, value]) => value)).toEqual(['text', 1001, 2001, 3001]);
    expect((await data({ n: 2 })).map(([, value]) => Number(value))).toEqual([1002, 2002, 3002]);
    expect(await write(json, body)).toMatchObject({ accepted: 0, duplicate: 33, dropped: 3 });
    await datastream.close();
  });

  test('knows what another writer on the store has stored', async () => {
    const address = url();
    const one = await open(address);
    const body = (ms: number): string => `m f=1 ${ms}\nn f=2 ${ms}`;
    await one.write(lines, body(1000));
    const backend = address === 'memory:' ? one.datastream : null;
    const other = await open(address, backend);
    await other.write(lines, body(2000));
    await other.write(lines, body(3000));
    // Of an answer that was lost, the request is repeated elsewhere.
    expect(await one.write(lines, body(3000))).toMatchObject({ accepted: 0, duplicate: 2 });
    expect(await one.write(lines, body(2000))).toMatchObject({ accepted: 0, duplicate: 2 });
    expect(await other.write(lines, body(1000))).toMatchObject({ accepted: 0, duplicate: 2 });
    expect(await one.write(lines, body(4000))).toMatchObject({ accepted: 2, duplicate: 0 });
    expect(await other.write(lines, body(3500))).toMatchObject({ accepted: 2, duplicate: 0 });
    const times = (await one.data({ series: 'm f' })).map(([ms]) => ms);
    expect(times).toEqual([1000, 2000, 3000, 3500, 4000]);
    if (backend === null) await other.datastream.close();
    await one.datastream.close();
  });

  test('takes values of high accuracy, and timestamps of whole seconds, as streams have them', async () => {
    const { datastream, write } = await open(url());
    const exact = await datastream.ensureStream(
      { x: 1 },
      {
        valueDownsamplers: [],
        highestGranularity: 'seconds',
        valueTypeOptions: { highAccuracy: true },
      },
    );
    const body = JSON.stringify([
      { stream: exact, t: 1500, v: '0.1000000000000000000001' },
      { stream: exact, t: 1000, v: 2 },
    ]);
    expect(await write(json, body)).toMatchObject({ accepted: 2, last: 1000 });
    expect(await write(json, body.replace('0.1000', '0.10000'))).toMatchObject({
      accepted: 1,
      duplicate: 1,
    });
    expect(await write(json, body)).toMatchObject({ accepted: 0, duplicate: 2, last: 1000 });
    await datastream.close();
  });
});

describe('the writer', () => {
  test('leaves what a model of it leaves', async () => {
    const row = fc.tuple(
      fc.integer({ min: 0, max: 2 }),
      fc.integer({ min: 0, max: 6 }),
      fc.integer({ min: 0, max: 2 }),
    );
    const request = fc.record({
      rows: fc.array(row, { maxLength: 12 }),
      duplicates: fc.constantFrom('skip', 'replace', 'keep'),
      isStrict: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 6 }), async (requests) => {
        const { datastream, write, data } = await open();
        const model = new Map<number, [number, number][]>();
        for (const { rows, duplicates, isStrict } of requests) {
          let accepted = 0;
          for (const [stream, t, v] of rows) {
            const has = model.get(stream) ?? [];
            model.set(stream, has);
            const same = has.filter(([at]) => at === t);
            if (duplicates === 'skip' && same.some(([, value]) => value === v)) continue;
            if (duplicates === 'replace' && same.length === 1 && same[0]![1] === v) continue;
            if (duplicates === 'replace')
              model.set(
                stream,
                has.filter(([at]) => at !== t),
              );
            model.get(stream)!.push([t, v]);
            accepted++;
          }
          const body = JSON.stringify(rows.map(([a, t, v]) => ({ tags: { a }, t, v })));
          const outcome = await write(json, body, { duplicates, isStrict });
          expect(outcome).toMatchObject({
            accepted,
            duplicate: rows.length - accepted,
            dropped: 0,
          });
        }
        for (const [a, rows] of model) {
          expect(await data({ a })).toEqual([...rows].sort(([x], [y]) => x - y));
        }
        await datastream.close();
      }),
    );
  });

  test.each([
    ['skip', {}],
    ['replace', { duplicates: 'replace' as const }],
    ['strict', { isStrict: true }],
  ])(
    'two writers that get the same late rows at once store them once: %s',
    async (_how, options) => {
      const { backend, datastream } = await openMeddled();
      const one = await open('', datastream);
      const other = await open('', new Datastream(backend, { now: () => new Date(NOW_MS) }));
      await one.write(lines, 'm f=9 9000\nn f=9 9000');
      const late = ['m', 'n'].flatMap((name) => [1, 2, 3].map((row) => `${name} f=${row} ${row}`));
      // The other one stores them when this one has looked, and is about to.
      backend.beforeCommit = async () => {
        backend.beforeCommit = null;
        const outcome = await other.write(lines, late.join('\n'), options);
        expect(outcome).toMatchObject({ accepted: 6, duplicate: 0, dropped: 0 });
      };
      const outcome = await one.write(lines, late.join('\n'), options);
      expect(backend.beforeCommit).toBeNull();
      expect(outcome).toEqual({ accepted: 0, duplicate: 6, dropped: 0, last: 3, problems: [] });
      expect(await one.data({ measurement: 'm' })).toEqual([
        [1, 1],
        [2, 2],
        [3, 3],
        [9000, 9],
      ]);
      expect(await other.data({ measurement: 'n' })).toHaveLength(4);
    },
  );
});
