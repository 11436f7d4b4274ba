import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import protobuf from 'protobufjs/minimal.js';
import { compress } from 'snappyjs';
import { DEFAULT_NEW_STREAMS } from '../../../src/server/ingest/new-streams.ts';
import {
  newPrometheusMemory,
  type PrometheusMemory,
  PrometheusParser,
} from '../../../src/server/ingest/prometheus.ts';
import type { WriteOptions } from '../../../src/server/ingest/write-options.ts';
import { message, sampleBytes, seriesBytes } from './remote-write.fixture.ts';
import { cutAt, open, type Parsed, parsed } from './support.ts';

interface ReadOptions {
  readonly memory?: PrometheusMemory;
  readonly staleMarkers?: 'null' | 'drop';
  readonly messageSizeMaxBytes?: number;
}

function newParser({
  memory = newPrometheusMemory(),
  staleMarkers = 'null',
  messageSizeMaxBytes = 100_000,
}: ReadOptions = {}) {
  return (batch: ConstructorParameters<typeof PrometheusParser>[0]): PrometheusParser =>
    new PrometheusParser(batch, { memory, staleMarkers, messageSizeMaxBytes });
}

function read(bytes: Buffer, options: ReadOptions = {}): Parsed {
  return parsed(newParser(options), compress(bytes));
}

describe('Prometheus remote write', () => {
  test('reads samples of series', () => {
    const bytes = message([
      {
        labels: [
          ['__name__', 'up'],
          ['job', 'a'],
          ['instance', 'b"c'],
        ],
        samples: [
          [1, 1000],
          [0, 1_700_000_000_123],
        ],
      },
      { labels: [['__name__', 'up']], samples: [[-1.5, -5]] },
      {
        labels: [
          ['job', 'x'],
          ['empty', ''],
        ],
        samples: [[2, 1]],
        isReversed: true,
      },
    ]);
    const { rows, problems, series } = read(bytes);
    expect(problems).toEqual([]);
    expect(rows).toEqual([
      ['series:up{instance="b\\"c",job="a"}', 1000, 1, 1],
      ['series:up{instance="b\\"c",job="a"}', 1_700_000_000_123, 0, 1],
      ['series:up', -5, -1.5, 2],
      ['series:{job="x"}', 1, 2, 3],
    ]);
    expect(series[0]).toMatchObject({
      tags: { metric: 'up', instance: 'b"c', job: 'a' },
      isCounter: false,
    });
  });

  test('stores the end of a series, and NaN, as no data', () => {
    const bytes = message([
      {
        labels: [['a', 'b']],
        samples: [
          ['stale', 1],
          [Number.NaN, 2],
          [3, 3],
        ],
      },
    ]);
    const key = 'series:{a="b"}';
    expect(read(bytes).rows).toEqual([
      [key, 1, null, 1],
      [key, 2, null, 1],
      [key, 3, 3, 1],
    ]);
    expect(read(bytes, { staleMarkers: 'drop' }).rows).toEqual([
      [key, 2, null, 1],
      [key, 3, 3, 1],
    ]);
  });

  test('refuses what cannot be stored, alone', () => {
    const { rows, problems } = read(
      message([
        {
          labels: [['a', 'b']],
          samples: [
            [Number.POSITIVE_INFINITY, 1],
            [5, 2],
          ],
        },
        { labels: [['a', 'b']], samples: [[1, 9e15]], histogramCount: 2 },
        { labels: [], samples: [[1, 1]] },
      ]),
    );
    expect(rows).toEqual([['series:{a="b"}', 2, 5, 1]]);
    expect(problems.map(({ line, code }) => [line, code])).toEqual([
      [1, 'LINE_INVALID'],
      [2, 'NOT_SUPPORTED'],
      [2, 'NOT_SUPPORTED'],
      [2, 'LINE_INVALID'],
      [3, 'LINE_INVALID'],
    ]);
  });

  test.each([
    ['no snappy', Buffer.from('hello'), 'cannot be read'],
    ['nothing', Buffer.alloc(0), 'cannot be read'],
    ['a size beyond all', Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]), 'cannot be read'],
    ['too many bytes', Buffer.alloc(101_000), 'more than 100000 bytes'],
    ['too many bytes inside', compress(Buffer.alloc(101_000)), 'expected at most 100000'],
    [
      'half a message',
      compress(message([{ labels: [['a', 'b']], samples: [[1, 1]] }]).subarray(0, -4)),
      'cannot be read',
    ],
  ])('refuses %s', (_name, bytes, detail) => {
    const { rows, problems } = parsed(newParser(), bytes);
    expect(rows).toEqual([]);
    expect(problems).toHaveLength(1);
    expect(problems[0]!.detail).toContain(detail);
  });

  test.each([
    ['requests', 'requests', 1, true],
    ['requests_total', 'requests', 1, true],
    ['requests_total', 'requests_total', 1, true],
    ['seconds_bucket', 'seconds', 3, true],
    ['seconds_count', 'seconds', 3, true],
    ['seconds_sum', 'seconds', 5, true],
    ['seconds', 'seconds', 5, false],
    ['seconds_created', 'seconds', 3, false],
    ['seconds_bucket', 'seconds', 5, false],
    ['free', 'free', 2, false],
    ['free_total', 'free', 2, false],
  ])('%s of the family %s and type %d is a counter: %p', (metric, family, type, isCounter) => {
    const memory = newPrometheusMemory();
    const bytes = message([{ labels: [['__name__', metric]], samples: [[1, 1]] }]);
    expect(read(bytes, { memory }).series[0]!.isCounter).toBe(false);
    read(message([], [[family, type]]), { memory });
    expect(read(bytes, { memory }).series[0]!.isCounter).toBe(isCounter);
  });

  test('takes equal bytes for equal series only when their labels are the same', () => {
    const memory = newPrometheusMemory();
    const inner = seriesBytes({ labels: [['b', 'c']] }).subarray(0, 8);
    const both = message([
      {
        labels: [
          ['a', '1'],
          ['b', 'c'],
        ],
        samples: [[1, 1]],
      },
    ]);
    const one = protobuf.Writer.create();
    const label = Buffer.concat([Buffer.of(10, 1, 97, 18, 1, 49), inner]);
    one.uint32(10).fork().uint32(10).bytes(label).uint32(18).bytes(sampleBytes(1, 1)).ldelim();
    const [first] = read(both, { memory }).rows;
    const [second] = read(Buffer.from(one.finish()), { memory }).rows;
    expect(first![0]).toBe('series:{a="1",b="c"}');
    expect(second![0]).not.toBe(first![0]);
  });

  test('gives back what was written, wherever the body is cut', () => {
    const text = fc.string({ minLength: 1, maxLength: 6 });
    const series = fc.record({
      labels: fc.uniqueArray(fc.tuple(text, text), {
        selector: ([name]) => name,
        minLength: 1,
        maxLength: 4,
      }),
      samples: fc.array(
        fc.tuple(fc.double({ noDefaultInfinity: true }), fc.integer({ min: -8e15, max: 8e15 })),
        { minLength: 1, maxLength: 4 },
      ),
      isReversed: fc.boolean(),
    });
    const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 });
    fc.assert(
      fc.property(fc.array(series, { maxLength: 6 }), places, (all, cuts) => {
        const body = compress(message(all));
        const { rows, problems } = parsed(newParser(), ...cutAt(body, cuts));
        expect(problems).toEqual([]);
        const inOrder = [...rows].sort((a, b) => a[3] - b[3]);
        const wanted = all.flatMap(({ samples, isReversed }, index) =>
          (isReversed ? [...samples].reverse() : samples).map(([value, ms]) => [
            ms,
            Number.isNaN(value) ? null : value,
            index + 1,
          ]),
        );
        expect(inOrder.map(([, ms, value, line]) => [ms, value, line])).toEqual(wanted);
        expect(new Set(rows.map(([key]) => key)).size).toBe(
          new Set(
            all.map(({ labels }) =>
              JSON.stringify([...labels].sort(([a], [b]) => (a < b ? -1 : 1))),
            ),
          ).size,
        );
      }),
    );
  });

  test('throws for no bytes', () => {
    const good = message(
      [{ labels: [['a', 'b']], samples: [[1, 1]], histogramCount: 1 }],
      [['a', 1]],
    );
    const harmed = fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => {
      const bytes = Buffer.from(good);
      bytes[at] = byte;
      return bytes;
    });
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ maxLength: 100 }), harmed),
        fc.boolean(),
        (bytes, isRaw) => {
          const { rows } = parsed(newParser(), isRaw ? bytes : compress(Buffer.from(bytes)));
          for (const [, ms] of rows) expect(Math.abs(ms)).toBeLessThanOrEqual(8.64e15);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('has streams of the rates of counters where that is asked for, and makes them once', async () => {
    const { datastream, write, data } = await open();
    const memory = newPrometheusMemory();
    const newStreams = { ...DEFAULT_NEW_STREAMS, derivesRates: true };
    const send = async (
      ms: number,
      value: number,
      options: Partial<WriteOptions> & { readonly isKnown?: boolean } = {},
    ): Promise<void> => {
      const { isKnown = true, ...others } = options;
      const labels = [
        ['__name__', 'n_total'],
        ['job', 'a'],
      ] as const;
      const bytes = message([{ labels, samples: [[value, ms]] }], isKnown ? [['n', 1]] : []);
      await write(newParser({ memory }), compress(bytes), { newStreams, ...others });
    };
    await send(0, 10, { isKnown: false });
    expect(await datastream.findStreams().count()).toBe(1);
    const created: string[] = [];
    await send(5000, 20, { mayCreate: () => false, onCreated: (ids) => void created.push(...ids) });
    expect(await datastream.findStreams().count()).toBe(1);
    await send(10_000, 30, { onCreated: (ids) => void created.push(...ids) });
    expect(created).toHaveLength(2);
    await send(20_000, 5);
    await send(30_000, 6);
    expect(await datastream.findStreams().count()).toBe(3);
    await datastream.backprocessStreams();
    const text = 'n_total{job="a"}';
    expect(await data({ series: `rate(${text})` })).toEqual([
      [5000, 2],
      [10_000, 2],
      [30_000, 0.1],
    ]);
    expect(await data({ series: `reset(${text})`, job: 'a' })).toEqual([[20_000, 1]]);
    expect(await data({ series: text })).toHaveLength(5);
    await datastream.close();
  });
});
