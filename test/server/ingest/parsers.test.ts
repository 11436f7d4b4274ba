import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CsvParser } from '../../../src/server/ingest/csv.ts';
import { GraphiteParser } from '../../../src/server/ingest/graphite.ts';
import type { IngestBatch, SeriesSlot } from '../../../src/server/ingest/ingest-batch.ts';
import { JsonParser, NdjsonParser } from '../../../src/server/ingest/json-parsers.ts';
import type { BodyParser } from '../../../src/server/ingest/line-feed.ts';
import { seriesOfStream } from '../../../src/server/ingest/series.ts';
import { SeriesMemory } from '../../../src/server/ingest/series-memory.ts';
import { cutAt, NOW_MS, type Parsed, parsed, RECORD_SIZE_MAX_BYTES } from './support.ts';

const COMMON = {
  nowMs: NOW_MS,
  booleans: 'nominal',
  epoch: 'milliseconds',
  recordSizeMaxBytes: RECORD_SIZE_MAX_BYTES,
} as const;

const PARSERS = {
  graphite: (batch) =>
    new GraphiteParser(batch, { ...COMMON, nowMs: () => NOW_MS, memory: new SeriesMemory() }),
  csv: (batch) =>
    new CsvParser(batch, {
      ...COMMON,
      hasHeader: true,
      values: 'numeric',
      series: null,
      memory: new SeriesMemory(),
    }),
  'csv of a stream': (batch) =>
    new CsvParser(batch, {
      ...COMMON,
      hasHeader: true,
      values: 'nominal',
      series: seriesOfStream('7'),
      memory: new SeriesMemory(),
    }),
  'csv without a header': (batch) =>
    new CsvParser(batch, {
      ...COMMON,
      hasHeader: false,
      values: 'numeric',
      series: seriesOfStream('7'),
      memory: new SeriesMemory(),
    }),
  json: (batch) => new JsonParser(batch, { ...COMMON, memory: new SeriesMemory() }),
  ndjson: (batch) => new NdjsonParser(batch, { ...COMMON, memory: new SeriesMemory() }),
} satisfies Record<string, (batch: IngestBatch) => BodyParser>;

type Format = keyof typeof PARSERS;

function read(format: Format, ...pieces: readonly (string | Uint8Array)[]): Parsed {
  return parsed(PARSERS[format], ...pieces);
}

const AT = Date.UTC(2026, 0, 2, 3, 4, 5);

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('what parsers read', () => {
  test.each<[format: Format, body: string, rows: Parsed['rows']]>([
    ['graphite', 'a.b 1.5 1700000000\r\n', [['series:a.b', 1_700_000_000_000, 1.5, 1]]],
    [
      'graphite',
      'a;y=2;x=1 1 1.25\n\nb\t2  3\n',
      [
        ['series:a;x=1;y=2', 1250, 1, 1],
        ['series:b', 3000, 2, 3],
      ],
    ],
    [
      'graphite',
      'a 1 -1\nb nan N',
      [
        ['series:a', NOW_MS, 1, 1],
        ['series:b', NOW_MS, null, 2],
      ],
    ],
    ['graphite', 'a;b 1 0', [['series:a;b', 0, 1, 1]]],
    [
      'csv',
      'timestamp,stream,value\n5,7,1\n6,8,\n',
      [
        ['id:7', 5, 1, 2],
        ['id:8', 6, null, 3],
      ],
    ],
    [
      'csv',
      '\ufeffTime,host,V,room\r\n2026-01-02T03:04:05Z,a,1e3,\r\n2026-01-02 03:04:05,"b,""1""\nx",-1,2\r\n,c,1,2\r\n',
      [
        ['tags:{"host":"a"}', AT, 1000, 2],
        ['tags:{"host":"b,\\"1\\"\\nx","room":"2"}', AT, -1, 3],
        ['tags:{"host":"c","room":"2"}', NOW_MS, 1, 5],
      ],
    ],
    [
      'csv of a stream',
      't,v\n1,on\n2,"o,f"\n',
      [
        ['id:7', 1, 'on', 2],
        ['id:7', 2, 'o,f', 3],
      ],
    ],
    ['csv without a header', '1970-01-01T01:30:00+01:00,5.0\n', [['id:7', 1_800_000, 5, 1]]],
    ['json', '{"stream":"7","t":1,"v":2}', [['id:7', 1, 2, 1]]],
    ['json', '[]', []],
    [
      'json',
      '[{"tags":{"b":1,"a":{"c":[2]}},"timestamps":[1,"1970-01-01T00:00:01Z",null],"values":[1,null,"x"]},{"tags":{"a":{"c":[2]},"b":1},"v":{"d":true}}]',
      [
        ['tags:{"a":{"c":[2]},"b":1}', 1, 1, 1],
        ['tags:{"a":{"c":[2]},"b":1}', 1000, null, 2],
        ['tags:{"a":{"c":[2]},"b":1}', NOW_MS, 'x', 3],
        ['tags:{"a":{"c":[2]},"b":1}', NOW_MS, { d: true }, 4],
      ],
    ],
    [
      'ndjson',
      '{"stream":"7","t":1,"v":true}\n\n{"stream":"7","timestamps":[2,3],"values":[1,2]}',
      [
        ['id:7', 1, true, 1],
        ['id:7', 2, 1, 3],
        ['id:7', 3, 2, 3],
      ],
    ],
  ])('%s: %j', (format, body, rows) => {
    expect(read(format, body)).toMatchObject({ rows, problems: [] });
  });

  test.each<[format: Format, body: string, problems: readonly (readonly [number, string])[]]>([
    [
      'graphite',
      'a 1\nb x 2\nc 1 y\nd inf 1\ne 1 2 3\n;f=g 1 2',
      [
        [1, 'Expected a path, a value and a timestamp, not "a 1"'],
        [2, '"x" is no value'],
        [3, '"y" is not a timestamp'],
        [4, '"inf" is no value'],
        [5, 'Expected a path'],
        [6, 'Expected a path before the tags of ";f=g".'],
      ],
    ],
    [
      'csv',
      'a,b\n1,2\n',
      [
        [1, 'expected a header with the columns timestamp and value, not "a,b"'],
        [2, 'The rows cannot be read'],
      ],
    ],
    ['csv', 't,v\n', [[1, 'nothing says where the datapoints belong']]],
    ['csv', 't,v,a,a\n', [[1, 'a name of its own']]],
    ['csv', 't,v,a__b\n', [[1, 'contains "__"']]],
    [
      'csv',
      't,v,a\n1,2\n1,x,a\nnever,1,a\n1,1,\n1,1,"a"b\n1,1,"a\n',
      [
        [2, 'There are 2 columns: expected 3'],
        [3, '"x" is no value'],
        [4, '"never" is not a timestamp'],
        [5, 'The row names no stream and has no tags'],
        [6, 'The quotation marks are not in place'],
        [7, 'no end'],
      ],
    ],
    [
      'json',
      '[1,{"v":1},{"stream":"7","tags":{},"v":1},{"stream":7,"v":1},{"tags":{},"v":1},{"tags":{"a__b":1},"v":1}]',
      [
        [1, 'Expected an object with stream or tags, t and v, not "1"'],
        [2, 'Expected either stream, an id, or tags'],
        [3, 'Expected either stream, an id, or tags'],
        [4, 'Expected stream as an id'],
        [5, 'Expected at least one tag'],
        [6, 'contains "__"'],
      ],
    ],
    [
      'json',
      '[{"stream":"7","value":1},{"stream":"7","t":1},{"stream":"7","t":"x","v":1},{"stream":"7","t":9e15,"v":1},{"stream":"7","v":1e999}]',
      [
        [1, '"value" is unknown'],
        [2, 'no value `v`'],
        [3, '"x" is not a timestamp'],
        [4, '"9000000000000000" is not a timestamp'],
        [5, 'beyond the range of float64'],
      ],
    ],
    [
      'json',
      '[{"stream":"7","timestamps":[1],"values":[]},{"stream":"7","timestamps":1,"values":[]},{"stream":"7","t":1,"values":[]},{"stream":"7","timestamps":[1,"x"],"values":[1,2]}]',
      [
        [1, 'There are 1 timestamps and 0 values'],
        [2, 'as lists'],
        [3, 'either t and v or timestamps and values'],
        [5, '"x" is not a timestamp'],
      ],
    ],
    [
      'json',
      `{"stream":"7","v":1,"t":${'['.repeat(5000)}${']'.repeat(5000)}}`,
      [[1, '"a list" is not a timestamp']],
    ],
    ['json', `{"v":1,"tags":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`, [[1, '']]],
    [
      'ndjson',
      '{"stream":"7"\n{"stream":"7","v":1}\nnull\n',
      [
        [1, 'The line is not JSON'],
        [3, 'Expected an object'],
      ],
    ],
  ])('%s refuses in %j', (format, body, problems) => {
    const found = read(format, body).problems;
    expect(found.map(({ line }) => line)).toEqual(problems.map(([line]) => line));
    for (const [index, [, detail]] of problems.entries())
      expect(found[index]!.detail).toContain(detail);
  });

  test('numbers may be seconds where a parser is told so', () => {
    const memory = new SeriesMemory<SeriesSlot>();
    const json = parsed(
      (batch) => new JsonParser(batch, { ...COMMON, epoch: 'any', memory }),
      '{"stream":"7","timestamps":[1700000000,1700000000000,1.5],"values":[1,2,3]}',
    );
    const csv = parsed(
      (batch) =>
        new CsvParser(batch, {
          ...COMMON,
          epoch: 'any',
          hasHeader: false,
          values: 'numeric',
          series: seriesOfStream('7'),
          memory,
        }),
      '1700000000,1\n1700000000000,2\n1.5,3',
    );
    expect(json.rows).toEqual(csv.rows);
    expect(json.rows.map(([, ms]) => ms)).toEqual([1_700_000_000_000, 1_700_000_000_000, 1500]);
  });

  test('graphite has the path and its tags', () => {
    expect(read('graphite', 'a.b;host=x;series=y 1 0').series[0]).toMatchObject({
      query: { series: 'a.b;host=x;series=y' },
      tags: { path: 'a.b', host: 'x', tag_series: 'y' },
    });
  });

  const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 });

  test.each<[Format, string]>([
    ['graphite', 'ab;= \t1.-nN\r\n\u00e9'],
    ['csv', 't,v"\n\r1. -ax:TZ'],
    ['csv without a header', '1,"\n\r.a-:TZ'],
    ['ndjson', '{}[]"tv:,1n\r\n\\ x'],
  ])('%s does not care where any bytes are cut', (format, alphabet) => {
    const bytes = fc.array(fc.constantFrom(...Buffer.from(alphabet)), { maxLength: 200 });
    fc.assert(
      fc.property(bytes, places, (given, cuts) => {
        const head = format === 'csv' ? Buffer.from('t,v,a,x\n') : Buffer.alloc(0);
        const body = Buffer.concat([head, Uint8Array.from(given)]);
        expect(read(format, ...cutAt(body, cuts))).toEqual(read(format, body));
      }),
      { numRuns: 300 },
    );
  });

  test.each(Object.keys(PARSERS) as Format[])(
    '%s fails for no bytes but what is no JSON',
    (format) => {
      fc.assert(
        fc.property(
          fc.oneof(
            fc.uint8Array({ maxLength: 300 }),
            fc.json().map((text) => Buffer.from(text)),
          ),
          (body) => {
            if (format === 'json' && !isJson(Buffer.from(body).toString('utf8'))) {
              const refusal = expect.objectContaining({ code: 'BODY_INVALID' });
              expect(() => read(format, body)).toThrow(refusal);
              return;
            }
            const { rows, problems } = read(format, body);
            for (const [, ms, value] of rows) {
              expect(Math.abs(ms)).toBeLessThanOrEqual(8.64e15);
              expect(value).not.toBe(Number.POSITIVE_INFINITY);
            }
            expect(problems.every(({ line }) => line !== null && line >= 1)).toBe(true);
          },
        ),
        { numRuns: 500 },
      );
    },
  );

  test('rows come back from CSV and NDJSON as they were written', () => {
    const text = fc
      .string({ minLength: 1, unit: fc.constantFrom('a', ',', '"', '\n', ' ', 'é') })
      .filter((tag) => !tag.includes('\r'));
    const row = fc.record({
      host: text,
      ms: fc.integer({ min: -1e12, max: 4e12 }),
      value: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 20 }), places, (rows, cuts) => {
        const csv = rows.map(
          ({ host, ms, value }) => `${ms},"${host.replaceAll('"', '""')}",${value ?? ''}`,
        );
        const lines = rows.map(({ host, ms, value }) =>
          JSON.stringify({ tags: { host }, t: ms, v: value }),
        );
        const wanted = rows.map(({ host, ms, value }) => [
          `tags:${JSON.stringify({ host })}`,
          ms,
          value === null ? null : value + 0,
        ]);
        for (const [format, body] of [
          ['csv', ['t,host,v', ...csv].join('\n')],
          ['ndjson', lines.join('\n')],
        ] as const) {
          const found = read(format, ...cutAt(Buffer.from(body), cuts));
          expect(found.problems).toEqual([]);
          const inOrder = [...found.rows].sort((a, b) => a[3] - b[3]);
          expect(
            inOrder.map(([key, ms, value]) => [
              key,
              ms,
              value === null ? null : (value as number) + 0,
            ]),
          ).toEqual(wanted);
        }
      }),
    );
  });
});
