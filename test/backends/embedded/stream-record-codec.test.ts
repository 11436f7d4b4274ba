import { crc32 } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import {
  decodeStreamRecord,
  encodeStreamRecord,
  mayHaveStaleRanges,
} from '../../../src/backends/embedded/stream-record-codec.ts';
import type { StreamId, StreamRecord } from '../../../src/model/stream.ts';
import { numericRecord } from './fixtures.ts';

const OTHER = 'f059d69e-f60c-47dc-882d-d7d35edd42b3' as StreamId;

const PLAIN: StreamRecord = numericRecord({ s: 78 });

const RICH: StreamRecord = {
  id: 'e8ed3930-43f5-43c3-93d9-03ad06d9092a' as StreamId,
  tags: { site: { rack: 7, name: 'küche' }, l: null },
  valueType: 'nominal',
  valueTypeOptions: { highAccuracy: true },
  valueDownsamplers: ['count', 'most_often'],
  highestGranularity: '10seconds',
  derivation: {
    op: 'sum',
    args: { a: [1] },
    sources: [{ name: null, streamId: OTHER, granularity: 'minutes', afterMs: null }],
    depth: 1,
  },
  dependents: [
    { streamId: OTHER, op: 'derivative', args: {}, granularity: 'hours' },
    { streamId: OTHER, op: 'sum', args: { b: 2 }, granularity: 'days' },
  ],
  stale: [[10_000, 20_000]],
  levels: {
    minutes: { untilMs: 60_000, stale: [] },
    hours: { untilMs: null, stale: [] },
    days: { untilMs: null, stale: [[0, 86_400_000]] },
  },
} as unknown as StreamRecord;

const EXPIRING: StreamRecord = {
  ...RICH,
  isRefilling: true,
  retention: { raw: 86_400_000, days: null },
  expiry: { originMs: 1000, untilMs: { '10seconds': 20_000 }, fromMs: { '10seconds': 10_000 } },
};

function stored(record: StreamRecord): Buffer {
  return Buffer.from(encodeStreamRecord({ record, revision: 2 ** 40 + 1 }));
}

/** As the first layout has it. */
function whole(record: StreamRecord): Buffer {
  const json = Buffer.from(JSON.stringify(record));
  const bytes = Buffer.alloc(12 + json.length);
  bytes.writeDoubleLE(7, 0);
  bytes.writeUInt32LE(crc32(json), 8);
  json.copy(bytes, 12);
  return bytes;
}

/** As it was before the tags stood apart, with names written out. */
function inOnePiece(form: 1 | 2, record: StreamRecord): Buffer {
  const uuid = Buffer.from(form === 1 ? record.id.replaceAll('-', '') : '', 'hex');
  const json = JSON.stringify({
    ...(form === 2 && { i: record.id }),
    t: record.tags,
    v: record.valueType,
    o: record.valueTypeOptions,
    d: record.valueDownsamplers,
    g: record.highestGranularity,
    f: record.derivation,
    p: [
      [OTHER, 'derivative', 'hours'],
      [OTHER, 'sum', 'days', { b: 2 }],
    ],
    s: record.stale,
    l: { minutes: 60_000, hours: null, days: [null, [[0, 86_400_000]]] },
  });
  const content = Buffer.concat([Buffer.of(form), uuid, Buffer.from(json)]);
  const bytes = Buffer.concat([Buffer.alloc(12), content]);
  bytes.writeDoubleLE(7, 0);
  bytes.writeUInt32LE(crc32(content), 8);
  return bytes;
}

describe('a stored record', () => {
  test('tells whether it has stale ranges, or may have them', () => {
    expect(mayHaveStaleRanges(stored(PLAIN))).toBe(false);
    expect(mayHaveStaleRanges(stored({ ...PLAIN, id: 'F059-é' as StreamId }))).toBe(false);
    expect(mayHaveStaleRanges(stored(RICH))).toBe(true);
    expect(mayHaveStaleRanges(stored({ ...RICH, id: 'F059-é' as StreamId }))).toBe(true);
    expect(mayHaveStaleRanges(whole(PLAIN))).toBe(true);
    const broken = stored(PLAIN);
    broken[broken.length - 3]! ^= 1;
    expect(mayHaveStaleRanges(broken)).toBe(true);
  });

  test.each([
    ['plain', PLAIN],
    ['rich', RICH],
    ['of a stream that keeps rows for a while', EXPIRING],
    ['without a UUID', { ...RICH, id: 'F059-é' as StreamId }],
    ['with a UUID in capitals', { ...PLAIN, id: OTHER.toUpperCase() as StreamId }],
  ])('that is %s is read as it was', (_name, record) => {
    expect(decodeStreamRecord(stored(record))).toStrictEqual({ record, revision: 2 ** 40 + 1 });
  });

  test('keeps the order of its parts, which whoever prints it shows', () => {
    const { record } = decodeStreamRecord(stored(RICH))!;
    expect(JSON.stringify(record)).toBe(JSON.stringify(RICH));
  });

  test('is short when there is little to say', () => {
    expect(stored(PLAIN).length).toBeLessThan(50);
  });

  test('of the first layout is still read', () => {
    expect(decodeStreamRecord(whole(RICH))).toStrictEqual({ record: RICH, revision: 7 });
  });

  test.each([1, 2] as const)('of form %i is still read', (form) => {
    expect(decodeStreamRecord(inOnePiece(form, RICH))).toStrictEqual({ record: RICH, revision: 7 });
  });

  test('has parts that nobody can change for other records', () => {
    const { record } = decodeStreamRecord(stored(RICH))!;
    expect(() => (record.valueDownsamplers as string[]).push('mean')).toThrow(TypeError);
    expect(() => Object.assign(record.levels.minutes!, { untilMs: 1 })).toThrow(TypeError);
  });

  test('with a downsampler that is not in the table keeps its name', () => {
    const record = { ...PLAIN, valueDownsamplers: ['mean', 'own', 'frequencies'] };
    expect(decodeStreamRecord(stored(record))!.record).toStrictEqual(record);
  });

  test('with any byte changed behind the revision is none', () => {
    const bytes = stored(RICH);
    for (let at = 8; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 0x10;
      expect([at, decodeStreamRecord(changed)]).toEqual([at, null]);
    }
    expect(decodeStreamRecord(bytes.subarray(0, 12))).toBeNull();
  });
});
